// Build options and profiles as TensorRT holds them, read through its getters. It knows nothing of how they were set.
#pragma once

#include <string>
#include <vector>

#include "../program/graph.h"

namespace ntrt {

// Every option that this release has a getter for, by src/tensorrt/compile/options.ts's names. Throws ERR_BUILD_OPTION where one that
// was given is not what TensorRT holds.
Value::Object read_options(Api const& api, BuilderConfig* config, Params const& given);

// The ranges that a profile holds of the inputs it was asked for, those of `values` aside that decide no shape. Throws likewise.
Value read_profile(Api const& api, OptimizationProfile* profile, size_t index, Params const& asked, std::vector<std::string> const& deciding);

}  // namespace ntrt
