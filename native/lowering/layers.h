// The lowering function of every kind, defined in the file named after the kind.
#pragma once

#include "lower.h"

namespace ntrt {

#define LAYER(KIND, METHOD) Layer* lower_##KIND(Lowering& l, Node const& node);
#define DECOMPOSED(KIND, METHOD, NEWEST) LAYER(KIND, METHOD)
#define BEYOND_TRT10(KIND, METHOD) LAYER(KIND, METHOD)
#include "table.def"
#undef LAYER
#undef DECOMPOSED
#undef BEYOND_TRT10

}  // namespace ntrt
