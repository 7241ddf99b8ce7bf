// Optimization profiles: shapes of inputs, and elements of those that decide shapes.
#pragma once

#include <string>
#include <vector>

#include "../program/graph.h"

namespace ntrt {

struct NetworkInput {
  ValueType const* type;
  Tensor* tensor;
};

// Adds src/tensorrt/compile/profiles.ts's profiles to a complete network's configuration. Returns the names of the inputs from whose
// elements TensorRT computes shapes. Throws ERR_PROFILE where a profile lacks their range, or TensorRT refuses one.
std::vector<std::string> add_profiles(Api const& api, Builder* builder, BuilderConfig* config, std::vector<NetworkInput> const& inputs, std::vector<Params> const& profiles);

}  // namespace ntrt
