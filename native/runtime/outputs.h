// What JavaScript gets of a run.
#pragma once

#include "submit.h"

namespace ntrt {

// [{ shape, data?, memory? }] of the outputs, with `debug` tensors where there are.
Napi::Value outputs_of(Napi::Env env, EngineState const& engine, Placements const& placements, Outcome& outcome);

// An ArrayBuffer with the block's first bytes: a copy if there are few, else the block itself, which goes back with the buffer.
Napi::ArrayBuffer buffer_of(Napi::Env env, std::shared_ptr<PinnedBlock> block, size_t bytes);

}  // namespace ntrt
