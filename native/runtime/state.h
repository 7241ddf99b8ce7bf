// The state of an engine.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "../compile/build.h"
#include "../core/job.h"
#include "../cuda/device.h"
#include "../cuda/device_memory.h"
#include "../cuda/memory.h"
#include "gate.h"
#include "streaming.h"

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
  std::string format = "linear";  // or another one that a profile has
  int32_t alias = -1;  // of an output: the input whose memory it shares; of an input: the output that shares its memory

  // Throws ERR_SHAPE if there are more than memory can hold.
  size_t byte_size(Dims const& dims) const;
};

// What an engine computes with: the weights it was built with or refitted to, none yet (its plan was stripped of them), or some of
// each, after a refit that failed.
enum class WeightsState { whole, missing, mixed };

// Shared by its contexts, of several threads too; everything is destroyed with the device current.
struct EngineState {
  static constexpr char handle_kind[] = "an engine";
  std::shared_ptr<Api const> api;
  int device = 0;
  Plan plan;
  Owned<Runtime> runtime;
  Owned<Engine> engine;
  std::vector<IOTensor> io;
  int32_t profiles = 0;
  std::vector<int64_t> memory_sizes;  // bytes of activations, by profile
  std::optional<WeightStreaming> streaming;
  std::vector<std::string> plugins;  // our own: "plugin 'RmsNorm' in layer 'norm1'"
  // Activation memory of contexts that take turns, made with the first of them.
  std::mutex shared_mutex;
  std::shared_ptr<DeviceMemory> shared;
  RefitGate gate;
  std::mutex refit_mutex;  // of whoever must not meet a refit at work, nor wait for runs
  std::atomic<WeightsState> weights{WeightsState::whole};
  std::atomic<int64_t> refits{0};

  // Throws ERR_ENGINE_WEIGHTS unless the weights are whole.
  void require_weights() const;

  ~EngineState() {
    try {
      use_device(device);
    } catch (...) {
    }
    engine = Owned<Engine>();
    runtime = Owned<Runtime>();
  }
};

std::vector<int64_t> to_vector(Dims const& dims);
// Whether the rank and all sizes are.
bool is_known(Dims const& dims);
// Of an element, by the IR's dtype.
int32_t bits_of(std::string const& dtype);

}  // namespace ntrt
