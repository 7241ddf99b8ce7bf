// Build options, by src/tensorrt/compile/options.ts's names.
#pragma once

#include "../lowering/lower.h"

namespace ntrt {

// Sets what is given; what is absent stays at TensorRT's own default. Throws where TensorRT refuses one, with the option's name.
void apply_options(Api const& api, BuilderConfig* config, Params const& given, LogSink const& log);

}  // namespace ntrt
