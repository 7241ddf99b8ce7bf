// Build options, by their names in src/tensorrt/compile/options.ts.
#pragma once

#include "../lowering/lower.h"

namespace ntrt {

// Sets the given options; the others keep TensorRT's defaults. Throws an error with the option's name if TensorRT refuses one.
void apply_options(Api const& api, BuilderConfig* config, Params const& given, LogSink const& log);

}  // namespace ntrt
