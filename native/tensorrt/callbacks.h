// The objects TensorRT calls: the logger, the progress monitor and the output allocator. Plugins are in ../plugin/objects.h.
#pragma once

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

// IProgressMonitor. Returning false from `step` cancels the build.
class ProgressMonitor : public Callbacks {
 public:
  using Step = std::function<bool(char const* phase, int32_t step, int32_t steps)>;
  explicit ProgressMonitor(Step step);
  InterfaceInfo getInterfaceInfo() noexcept { return {"IProgressMonitor", 1, 0}; }
  void phaseStart(char const* phase, char const* parent, int32_t steps) noexcept;
  bool stepComplete(char const* phase, int32_t step) noexcept;
  void phaseFinish(char const* phase) noexcept;

 private:
  Step step_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, int32_t>> phases_;
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

}  // namespace ntrt
