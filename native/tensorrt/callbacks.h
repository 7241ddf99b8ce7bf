// What TensorRT calls on us: the logger (both layouts), the progress monitor and the output allocator.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api.h"

namespace ntrt {

enum class Severity { internal_error, error, warning, info, verbose };

// Collects the log lines of one job. Lines that come on a thread with no sink of its own go to the job that builds.
class LogSink {
 public:
  struct Line {
    Severity severity;
    std::string text;
  };
  explicit LogSink(Severity level = Severity::warning) : level_(level) {}
  void add(Severity severity, char const* text);
  // Error and warning lines so far, oldest first.
  std::vector<std::string> errors() const;
  // How many error lines came so far.
  size_t failures() const;
  // Called for every kept line, on whichever thread logs.
  std::function<void(Line const&)> listener;

 private:
  mutable std::mutex mutex_;
  Severity level_;
  std::vector<Line> lines_;
};

// While it lives, this thread's log lines go to `sink`; with `everywhere`, also those of threads without a scope.
class LogScope {
 public:
  LogScope(LogSink& sink, bool everywhere);
  ~LogScope();
  LogScope(LogScope const&) = delete;

 private:
  LogSink* outer_;
  LogSink* outer_everywhere_;
  bool everywhere_;
};

// An ILogger in the flavor's layout; lives as long as the process.
void* make_logger(Flavor flavor);

struct InterfaceInfo {
  char const* kind;
  int32_t major;
  int32_t minor;
};

// IProgressMonitor: the same layout in every flavor. Returning false from `step` cancels the build.
class ProgressMonitor {
 public:
  using Step = std::function<bool(char const* phase, int32_t step, int32_t steps)>;
  explicit ProgressMonitor(Step step) : step_(std::move(step)) {}
  virtual int32_t getAPILanguage() const noexcept;
  virtual InterfaceInfo getInterfaceInfo() const noexcept;
  virtual ~ProgressMonitor() noexcept = default;
  virtual void phaseStart(char const* phase, char const* parent, int32_t steps) noexcept;
  virtual bool stepComplete(char const* phase, int32_t step) noexcept;
  virtual void phaseFinish(char const* phase) noexcept;

 private:
  Step step_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, int32_t>> phases_;
};

// IOutputAllocator: TensorRT asks for device memory for an output whose size only the data tells. RTX has no synchronous variant.
class OutputAllocator {
 public:
  using Allocate = std::function<void*(uint64_t bytes)>;
  static std::unique_ptr<OutputAllocator> make(Flavor flavor, Allocate allocate);
  virtual ~OutputAllocator() = default;
  // The object in TensorRT's layout.
  virtual void* handle() = 0;
  Dims shape;

 protected:
  explicit OutputAllocator(Allocate allocate) : allocate_(std::move(allocate)) {}
  void* reallocate(uint64_t bytes) noexcept;
  Allocate allocate_;
};

}  // namespace ntrt
