// The state of an engine and its execution contexts.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "../compile/build.h"
#include "../core/job.h"
#include "../cuda/device.h"
#include "../cuda/memory.h"
#include "../cuda/stream.h"

namespace ntrt {

// [profile][min, opt, max][axis or element]
using Ranges = std::vector<std::vector<std::vector<int64_t>>>;

struct IOTensor {
  std::string name;
  std::string dtype;
  bool input;
  bool host;  // in host memory: a shape tensor
  int32_t bits;
  std::vector<int64_t> shape;
  Ranges profiles;  // shapes, of inputs in device memory
  Ranges values;    // elements, of inputs in host memory
  int32_t alias = -1;  // the input whose memory an output shares
};

// Shared by its contexts; everything is destroyed with the device current.
struct EngineState {
  static constexpr char handle_kind[] = "an engine";
  std::shared_ptr<Api const> api;
  int device = 0;
  Plan plan;
  Owned<Runtime> runtime;
  Owned<Engine> engine;
  std::vector<IOTensor> io;
  int32_t profiles = 0;
  std::vector<std::string> plugins;  // our own: "plugin 'RmsNorm' in layer 'norm1'"

  ~EngineState() {
    try {
      use_device(device);
    } catch (...) {
    }
    engine = Owned<Engine>();
    runtime = Owned<Runtime>();
  }
};

struct ContextState {
  static constexpr char handle_kind[] = "an execution context";
  std::shared_ptr<EngineState> engine;
  Owned<ExecutionContext> context;
  Stream stream;
  std::vector<DeviceBuffer> device;
  std::vector<PinnedBuffer> pinned;
  std::atomic<bool> busy{false};

  ~ContextState() {
    try {
      use_device(engine->device);
      context = Owned<ExecutionContext>();
      stream = Stream();
      device.clear();
      pinned.clear();
    } catch (...) {
    }
  }
};

std::vector<int64_t> to_vector(Dims const& dims);

}  // namespace ntrt
