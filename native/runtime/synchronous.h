// Work on a context that JavaScript's thread does itself and waits for.
#pragma once

#include "context.h"

namespace ntrt {

// Waits for earlier calls with the context, or with the tensors of `placements`, to be submitted, and calls `work`. A crash of TensorRT in it is thrown as ERR_TENSORRT_CRASHED.
void synchronously(Napi::Env env, ContextState& context, Placements const& placements, bool with_buffers, std::function<void(RunBuffers*)> const& work);

}  // namespace ntrt
