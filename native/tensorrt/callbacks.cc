#include "callbacks.h"

#include <algorithm>

namespace ntrt {

namespace {

thread_local LogSink* thread_sink = nullptr;
std::mutex everywhere_mutex;
LogSink* everywhere_sink = nullptr;

void dispatch(int32_t severity, char const* text) noexcept {
  try {
    auto level = static_cast<Severity>(std::clamp(severity, 0, 4));
    if (thread_sink) {
      thread_sink->add(level, text);
      return;
    }
    std::lock_guard lock(everywhere_mutex);
    if (everywhere_sink) everywhere_sink->add(level, text);
  } catch (...) {
    // A line lost for want of memory must not end the process.
  }
}

// trt10: { log, D1, D0 }
struct Logger10 {
  virtual void log(int32_t severity, char const* text) noexcept { dispatch(severity, text); }
  virtual ~Logger10() = default;
};

// trt11 and rtx1: { getAPILanguage, getInterfaceInfo, D1, D0, log }
struct Logger11 {
  virtual int32_t getAPILanguage() const noexcept { return 0; }
  virtual InterfaceInfo getInterfaceInfo() const noexcept { return {"ILogger", 1, 0}; }
  virtual ~Logger11() = default;
  virtual void log(int32_t severity, char const* text) noexcept { dispatch(severity, text); }
};

}  // namespace

void LogSink::add(Severity severity, char const* text) {
  if (severity > level_) return;
  Line line{severity, text ? text : ""};
  {
    std::lock_guard lock(mutex_);
    if (lines_.size() < 10000) lines_.push_back(line);
  }
  if (listener) listener(line);
}

size_t LogSink::failures() const {
  std::lock_guard lock(mutex_);
  return std::count_if(lines_.begin(), lines_.end(), [](Line const& line) { return line.severity <= Severity::error; });
}

std::vector<std::string> LogSink::errors() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (auto const& line : lines_) {
    if (line.severity <= Severity::warning) texts.push_back(line.text);
  }
  return texts;
}

LogScope::LogScope(LogSink& sink, bool everywhere) : outer_(thread_sink), outer_everywhere_(nullptr), everywhere_(everywhere) {
  thread_sink = &sink;
  if (everywhere_) {
    std::lock_guard lock(everywhere_mutex);
    outer_everywhere_ = everywhere_sink;
    everywhere_sink = &sink;
  }
}

LogScope::~LogScope() {
  thread_sink = outer_;
  if (everywhere_) {
    std::lock_guard lock(everywhere_mutex);
    everywhere_sink = outer_everywhere_;
  }
}

void* make_logger(Flavor flavor) {
  return flavor == Flavor::trt10 ? static_cast<void*>(new Logger10) : static_cast<void*>(new Logger11);
}

int32_t ProgressMonitor::getAPILanguage() const noexcept { return 0; }
InterfaceInfo ProgressMonitor::getInterfaceInfo() const noexcept { return {"IProgressMonitor", 1, 0}; }

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

namespace {

// trt10 and trt11: { getAPILanguage, getInterfaceInfo, D1, D0, reallocateOutput, reallocateOutputAsync, notifyShape }
struct Allocator10 {
  virtual int32_t getAPILanguage() const noexcept { return 0; }
  virtual InterfaceInfo getInterfaceInfo() const noexcept { return {"IOutputAllocator", 1, 0}; }
  virtual ~Allocator10() = default;
  virtual void* reallocateOutput(char const*, void*, uint64_t bytes, uint64_t) noexcept { return reallocate(bytes); }
  virtual void* reallocateOutputAsync(char const*, void*, uint64_t bytes, uint64_t, void*) noexcept { return reallocate(bytes); }
  virtual void notifyShape(char const*, Dims const& dims) noexcept { notify(dims); }
  std::function<void*(uint64_t)> reallocate;
  std::function<void(Dims const&)> notify;
};

// rtx1: { getAPILanguage, getInterfaceInfo, D1, D0, reallocateOutputAsync, notifyShape }
struct AllocatorRtx {
  virtual int32_t getAPILanguage() const noexcept { return 0; }
  virtual InterfaceInfo getInterfaceInfo() const noexcept { return {"IOutputAllocator", 1, 0}; }
  virtual ~AllocatorRtx() = default;
  virtual void* reallocateOutputAsync(char const*, void*, uint64_t bytes, uint64_t, void*) noexcept { return reallocate(bytes); }
  virtual void notifyShape(char const*, Dims const& dims) noexcept { notify(dims); }
  std::function<void*(uint64_t)> reallocate;
  std::function<void(Dims const&)> notify;
};

template <class Layout>
class AllocatorOf : public OutputAllocator {
 public:
  explicit AllocatorOf(Allocate allocate) : OutputAllocator(std::move(allocate)) {
    layout_.reallocate = [this](uint64_t bytes) { return reallocate(bytes); };
    layout_.notify = [this](Dims const& dims) { shape = dims; };
  }
  void* handle() override { return &layout_; }

 private:
  Layout layout_;
};

}  // namespace

void* OutputAllocator::reallocate(uint64_t bytes) noexcept {
  try {
    return allocate_(bytes);
  } catch (...) {
    return nullptr;  // TensorRT reports the failure
  }
}

std::unique_ptr<OutputAllocator> OutputAllocator::make(Flavor flavor, Allocate allocate) {
  if (flavor == Flavor::rtx1) return std::make_unique<AllocatorOf<AllocatorRtx>>(std::move(allocate));
  return std::make_unique<AllocatorOf<Allocator10>>(std::move(allocate));
}

}  // namespace ntrt
