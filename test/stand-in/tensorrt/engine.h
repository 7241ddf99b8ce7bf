// ICudaEngine and IExecutionContext.
#pragma once

#include <atomic>
#include <memory>

#include "cuda.h"
#include "plugin.h"
#include "recorder.h"
#include "registry.h"

namespace standin {

struct Engine : Handle {
  Plan plan;
  std::vector<std::unique_ptr<Plugin>> plugins;  // null for other layers
  std::map<std::string, std::vector<int32_t>> narrow;  // what getProfileTensorValues returned
  Recorder recorder;
  std::atomic<int> contexts{0};
  std::atomic<int> pending{0};  // enqueues that the GPU works on
  int64_t budget = 0;  // of weights on the GPU
  explicit Engine(Recorder const* above);
  ~Engine();
  // Bytes that contexts need, for any profile.
  int64_t memory_size() const;
  int64_t streamable() const;
  // The alias that TensorRT reports from 10.15 on: an output of the network that a plugin writes in place of an input of the network.
  int32_t alias_of(int32_t output) const;
};

// Null, with a reason in the log, if the bytes are no engine of this release or a creator is missing.
Engine* deserialize(std::string const& bytes, Registry* registry, Recorder const* recorder);
Handle* make_context(Engine& engine, int32_t strategy);
// STANDIN_AUX_STREAMS: how many streams each engine could use beside the caller's.
int32_t nb_aux_streams();

// compute.cc
double element(void const* data, int32_t type, int64_t index);
void compute(PlanLayer const& layer, Dims const& shape, int32_t from_type, void const* from, int32_t to_type, void* to);

}  // namespace standin
