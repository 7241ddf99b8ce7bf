// Memory layouts of inputs and outputs.
#pragma once

#include "../program/graph.h"

namespace ntrt {

// Allows the given formats, by names of inputs and outputs, and reads them back: returns what TensorRT holds. Throws
// ERR_BUILD_OPTION if it is something else, ERR_UNSUPPORTED if this release has no such format.
Value::Object allow_formats(Api const& api, Network* network, Value::Object const& formats);

}  // namespace ntrt
