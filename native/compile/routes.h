// Build routes.
#pragma once

#include <napi.h>

namespace ntrt {

// buildRoutes(library): a promise of TensorRT's JSON; see NativeBinding.
Napi::Value build_routes(Napi::CallbackInfo const& info);

}  // namespace ntrt
