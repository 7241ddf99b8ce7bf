// The objects TensorRT calls, but for plugins, which are in ../plugin/objects.h.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../core/log.h"
#include "table.h"

namespace ntrt {

// ILogger: passes every line to core/log.h.
class Logger : public Callbacks {
 public:
  explicit Logger(Flavor flavor);
  InterfaceInfo getInterfaceInfo() noexcept { return {"ILogger", 1, 0}; }
  void log(int32_t severity, char const* text) noexcept { log_line(severity, text); }
};

// IErrorRecorder: passes every error to core/log.h with its code. It keeps none, so one serves all objects and threads.
class ErrorRecorder : public Callbacks {
 public:
  ErrorRecorder();
  InterfaceInfo getInterfaceInfo() noexcept { return {"IErrorRecorder", 1, 0}; }
  int32_t getNbErrors() noexcept { return 0; }
  int32_t getErrorCode(int32_t) noexcept { return 0; }
  char const* getErrorDesc(int32_t) noexcept { return ""; }
  bool hasOverflowed() noexcept { return false; }
  void clear() noexcept {}
  bool reportError(int32_t code, char const* text) noexcept;
  int32_t incRefCount() noexcept { return ++users_; }
  int32_t decRefCount() noexcept { return --users_; }

 private:
  std::atomic<int32_t> users_{0};
};

// What a build is doing.
struct ProgressEvent {
  char const* kind;  // "start", "step" or "end"
  std::string phase;
  std::string parent;  // the phase that it is part of; empty for none
  int32_t step;        // steps that are complete
  int32_t steps;
};

// IProgressMonitor. Every phase that starts also ends, if need be when this is destroyed. Returning false from `tell` cancels the
// build at TensorRT's next step.
class ProgressMonitor : public Callbacks {
 public:
  using Tell = std::function<bool(ProgressEvent const&)>;
  explicit ProgressMonitor(Tell tell);
  ~ProgressMonitor();
  InterfaceInfo getInterfaceInfo() noexcept { return {"IProgressMonitor", 1, 0}; }
  void phaseStart(char const* phase, char const* parent, int32_t steps) noexcept;
  bool stepComplete(char const* phase, int32_t step) noexcept;
  void phaseFinish(char const* phase) noexcept;

 private:
  Tell tell_;
  std::mutex mutex_;
  std::vector<ProgressEvent> phases_;  // that have not ended
};

// IOutputAllocator: TensorRT requests device memory for an output whose size depends on the data. RTX has no synchronous variant.
class OutputAllocator : public Callbacks {
 public:
  using Allocate = std::function<void*(uint64_t bytes)>;
  OutputAllocator(Flavor flavor, Allocate allocate);
  InterfaceInfo getInterfaceInfo() noexcept { return {"IOutputAllocator", 1, 0}; }
  void* reallocateOutput(char const* name, void* memory, uint64_t bytes, uint64_t alignment) noexcept;
  void* reallocateOutputAsync(char const* name, void* memory, uint64_t bytes, uint64_t alignment, void* stream) noexcept;
  void notifyShape(char const* name, Dims const& dims) noexcept { shape = dims; }
  Dims shape;

 private:
  Allocate allocate_;
};

// IProfiler: the milliseconds of a layer in one run.
class Profiler : public Callbacks {
 public:
  using Report = std::function<void(char const* layer, float ms)>;
  Profiler(Flavor flavor, Report report);
  InterfaceInfo getInterfaceInfo() noexcept { return {"IProfiler", 1, 0}; }
  void reportLayerTime(char const* layer, float ms) noexcept;

 private:
  Report report_;
};

// IDebugListener: a debug tensor that a run has computed. Its elements are valid until `process` returns; false ends the run.
class DebugListener : public Callbacks {
 public:
  using Process = std::function<bool(void const* elements, int32_t location, int32_t dtype, Dims const& shape, char const* name, void* stream)>;
  explicit DebugListener(Process process);
  InterfaceInfo getInterfaceInfo() noexcept { return {"IDebugListener", 1, 0}; }
  bool processDebugTensor(void const* elements, int32_t location, int32_t dtype, Dims const& shape, char const* name, void* stream) noexcept;

 private:
  Process process_;
};

}  // namespace ntrt
