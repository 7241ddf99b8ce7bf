#include "callbacks.h"

#include <algorithm>

namespace ntrt {

Logger::Logger(Flavor flavor) : Callbacks(table_of<Logger>(flavor)) {}

namespace {

// The numbers are the same in all flavors.
char const* error_code_name(int32_t code) {
#define ENUM(NAME, VALUE, TRT10, TRT11, RTX1) \
  if (std::string_view(#NAME) == "ErrorCode" && parse_slot(TRT10).index == code) return #VALUE;
#include "enums.def"
#undef ENUM
  return "";
}

}  // namespace

ErrorRecorder::ErrorRecorder() : Callbacks(table_of<ErrorRecorder>()) {}

bool ErrorRecorder::reportError(int32_t code, char const* text) noexcept {
  log_error(error_code_name(code), text);
  return true;  // the call has failed
}

ProgressMonitor::ProgressMonitor(Tell tell) : Callbacks(table_of<ProgressMonitor>()), tell_(std::move(tell)) {}

ProgressMonitor::~ProgressMonitor() {
  while (!phases_.empty()) phaseFinish(std::string(phases_.back().phase).c_str());
}

// TensorRT calls from several threads. Events are told in the order in which phases change, so under the lock.
void ProgressMonitor::phaseStart(char const* phase, char const* parent, int32_t steps) noexcept {
  try {
    std::lock_guard lock(mutex_);
    tell_(phases_.emplace_back(ProgressEvent{"start", phase, parent ? parent : "", 0, steps}));
  } catch (...) {
  }
}

bool ProgressMonitor::stepComplete(char const* phase, int32_t step) noexcept {
  try {
    std::lock_guard lock(mutex_);
    auto const last = std::find_if(phases_.rbegin(), phases_.rend(), [&](auto const& event) { return event.phase == phase; });
    if (last == phases_.rend()) return tell_({"step", phase, "", step + 1, step + 1});
    last->step = step + 1;
    return tell_({"step", last->phase, last->parent, last->step, last->steps});
  } catch (...) {
    return false;
  }
}

void ProgressMonitor::phaseFinish(char const* phase) noexcept {
  try {
    std::lock_guard lock(mutex_);
    auto const last = std::find_if(phases_.rbegin(), phases_.rend(), [&](auto const& event) { return event.phase == phase; });
    if (last == phases_.rend()) return;
    ProgressEvent event = std::move(*last);
    event.kind = "end";
    phases_.erase(std::next(last).base());
    tell_(event);
  } catch (...) {
  }
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

Profiler::Profiler(Flavor flavor, Report report) : Callbacks(table_of<Profiler>(flavor)), report_(std::move(report)) {}

void Profiler::reportLayerTime(char const* layer, float ms) noexcept {
  try {
    report_(layer, ms);
  } catch (...) {
    // Running out of memory for a name must not end the process.
  }
}

DebugListener::DebugListener(Process process) : Callbacks(table_of<DebugListener>()), process_(std::move(process)) {}

bool DebugListener::processDebugTensor(void const* elements, int32_t location, int32_t dtype, Dims const& shape, char const* name, void* stream) noexcept {
  try {
    return process_(elements, location, dtype, shape, name, stream);
  } catch (...) {
    return false;
  }
}

}  // namespace ntrt
