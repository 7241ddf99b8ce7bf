#include "copy_streams.h"

#include <map>

namespace ntrt {

CopyStreams& CopyStreams::of(int device) {
  static std::mutex mutex;
  static auto* const all = new std::map<int, CopyStreams*>;  // for the life of the process
  std::lock_guard lock(mutex);
  auto*& streams = (*all)[device];
  if (!streams) streams = new CopyStreams;
  return *streams;
}

CopyStreams::One& CopyStreams::take() {
  constexpr size_t most = 8;
  std::lock_guard lock(mutex_);
  One* waiting = nullptr;
  for (auto& one : all_) {
    if (one.taken) continue;
    if (!one.last || one.last->is_over()) {
      one.taken = true;
      return one;
    }
    if (!waiting) waiting = &one;
  }
  if (!waiting || all_.size() < most) return all_.emplace_back();
  waiting->taken = true;
  return *waiting;
}

void CopyStreams::give(One& one, std::shared_ptr<Event> event) {
  std::lock_guard lock(mutex_);
  one.last = std::move(event);
  one.taken = false;
}

}  // namespace ntrt
