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

struct AddedProfiles {
  // Names of the inputs from whose elements TensorRT computes shapes.
  std::vector<std::string> shape_inputs;
  // What TensorRT holds of every profile.
  Value::List held;
};

// Adds src/tensorrt/compile/profiles.ts's profiles to a complete network's configuration. Throws ERR_PROFILE where a profile lacks the
// range of an input that decides shapes, or TensorRT refuses one; ERR_BUILD_OPTION where TensorRT holds another.
AddedProfiles add_profiles(Api const& api, Builder* builder, BuilderConfig* config, std::vector<NetworkInput> const& inputs, std::vector<Params> const& profiles);

}  // namespace ntrt
