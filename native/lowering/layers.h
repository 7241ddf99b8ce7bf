// Every kind's lowering function; each is defined in the file of its name.
#pragma once

#include "lower.h"

namespace ntrt {

#define LAYER(KIND, METHOD) Layer* lower_##KIND(Lowering& l, Node const& node);
#include "table.def"
#undef LAYER

}  // namespace ntrt
