// Optimization profiles: the shapes of inputs, and the elements of inputs that decide shapes.
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
  // Names of the inputs whose elements TensorRT computes shapes from.
  std::vector<std::string> shape_inputs;
  // Every profile as TensorRT holds it.
  Value::List held;
};

// Adds src/tensorrt/compile/profiles.ts's profiles to a complete network's configuration. Throws ERR_PROFILE if a profile lacks the
// range of an input that decides shapes, or TensorRT refuses one; ERR_BUILD_OPTION if TensorRT holds something else.
AddedProfiles add_profiles(Api const& api, Builder* builder, BuilderConfig* config, std::vector<NetworkInput> const& inputs, std::vector<Params> const& profiles);

}  // namespace ntrt
