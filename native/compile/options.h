// Build options, by their names in src/tensorrt/compile/options/types.ts.
#pragma once

#include "../lowering/lower.h"

namespace ntrt {

// Sets the given options; the others keep TensorRT's defaults. Throws an error with the option's name if TensorRT refuses one:
// ERR_UNSUPPORTED, with the release that has it, or ERR_BUILD_OPTION.
void apply_options(Api const& api, Builder* builder, BuilderConfig* config, Params const& given, LogSink const& log);

// An option that TensorRT is told, and the first release of each flavor that takes it: a slot of -1 means none.
struct OptionReleases {
  char const* name;
  Slot since[3];
};
std::vector<OptionReleases> option_releases();

// A number, whichever type it has.
double real_of(Value const& value);

}  // namespace ntrt
