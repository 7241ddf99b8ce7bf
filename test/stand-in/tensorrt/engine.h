// ICudaEngine and IExecutionContext.
#pragma once

#include <memory>

#include "cuda.h"
#include "plugin.h"
#include "registry.h"

namespace standin {

struct Engine : Handle {
  Plan plan;
  std::vector<std::unique_ptr<Plugin>> plugins;  // null for other layers
  std::map<std::string, std::vector<int32_t>> narrow;  // what getProfileTensorValues returned
  Engine();
  // The alias that TensorRT reports from 10.15 on: an output of the network that a plugin writes in place of an input of the network.
  int32_t alias_of(int32_t output) const;
};

// Null, with a reason in the log, if the bytes are no engine of this release or a creator is missing.
Engine* deserialize(std::string const& bytes, Registry* registry);
Handle* make_context(Engine& engine);

// compute.cc
double element(void const* data, int32_t type, int64_t index);
void compute(PlanLayer const& layer, Dims const& shape, int32_t from_type, void const* from, int32_t to_type, void* to);

}  // namespace standin
