// Build options and profiles as TensorRT holds them, read through its getters. This code does not know how they were set.
#pragma once

#include <string>
#include <vector>

#include "../program/graph.h"

namespace ntrt {

// Every option that this release has a getter for, by its name in src/tensorrt/compile/options/types.ts. Throws ERR_BUILD_OPTION if a given
// option differs from what TensorRT holds.
Value::Object read_options(Api const& api, Builder* builder, BuilderConfig* config, Network* network, Params const& given);

// The ranges that a profile holds for the requested inputs, without `values` that decide no shape. Throws likewise.
Value read_profile(Api const& api, OptimizationProfile* profile, size_t index, Params const& asked, std::vector<std::string> const& deciding);

}  // namespace ntrt
