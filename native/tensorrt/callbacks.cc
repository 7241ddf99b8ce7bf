#include "callbacks.h"

#include <algorithm>

namespace ntrt {

Logger::Logger(Flavor flavor) : Callbacks(table_of<Logger>(flavor)) {}

ProgressMonitor::ProgressMonitor(Step step) : Callbacks(table_of<ProgressMonitor>()), step_(std::move(step)) {}

void ProgressMonitor::phaseStart(char const* phase, char const*, int32_t steps) noexcept {
  try {
    std::lock_guard lock(mutex_);
    phases_.emplace_back(phase, steps);
  } catch (...) {
  }
}

bool ProgressMonitor::stepComplete(char const* phase, int32_t step) noexcept {
  try {
    int32_t steps = 0;
    {
      std::lock_guard lock(mutex_);
      for (auto const& [name, count] : phases_) {
        if (name == phase) steps = count;
      }
    }
    return step_(phase, step, steps);
  } catch (...) {
    return false;
  }
}

void ProgressMonitor::phaseFinish(char const* phase) noexcept {
  std::lock_guard lock(mutex_);
  auto last = std::find_if(phases_.rbegin(), phases_.rend(), [&](auto const& entry) { return entry.first == phase; });
  if (last != phases_.rend()) phases_.erase(std::next(last).base());
}

OutputAllocator::OutputAllocator(Flavor flavor, Allocate allocate) : Callbacks(table_of<OutputAllocator>(flavor)), allocate_(std::move(allocate)) {}

void* OutputAllocator::reallocateOutput(char const*, void*, uint64_t bytes, uint64_t) noexcept {
  try {
    return allocate_(bytes);
  } catch (...) {
    return nullptr;  // TensorRT reports the failure
  }
}

void* OutputAllocator::reallocateOutputAsync(char const* name, void* memory, uint64_t bytes, uint64_t alignment, void*) noexcept {
  return reallocateOutput(name, memory, bytes, alignment);
}

}  // namespace ntrt
