#include "gate.h"

#include <utility>

namespace ntrt {

bool RefitGate::enter(Call again) {
  std::lock_guard lock(mutex_);
  if (is_working_ || !refits_.empty()) {
    waiting_.push_back(std::move(again));
    return false;
  }
  running_++;
  return true;
}

void RefitGate::enter() {
  std::unique_lock lock(mutex_);
  opened_.wait(lock, [&] { return !is_working_ && refits_.empty(); });
  running_++;
}

void RefitGate::leave() {
  Call alone;
  {
    std::lock_guard lock(mutex_);
    running_--;
    alone = next();
  }
  if (alone) alone();
}

void RefitGate::close(Call alone) {
  Call ready;
  {
    std::lock_guard lock(mutex_);
    refits_.push_back(std::move(alone));
    ready = next();
  }
  if (ready) ready();
}

// The refit whose turn it is; the mutex is held.
RefitGate::Call RefitGate::next() {
  if (running_ > 0 || is_working_ || refits_.empty()) return nullptr;
  Call alone = std::move(refits_.front());
  refits_.pop_front();
  is_working_ = true;
  return alone;
}

void RefitGate::open() {
  std::vector<Call> waiting;
  Call alone;
  {
    std::lock_guard lock(mutex_);
    is_working_ = false;
    alone = next();
    if (!alone) waiting.swap(waiting_);
    if (!alone) opened_.notify_all();
  }
  if (alone) return alone();
  for (auto const& again : waiting) again();
}

}  // namespace ntrt
