// Deserialized engines.
#pragma once

#include <napi.h>

namespace ntrt {

// deserialize(library, plan or bytes, device, allow code of its own, budget for weights or 'automatic' or undefined) → Promise of
// { handle, io, device, profiles, memorySizes, weightStreaming?, library, flavor, version, size }
Napi::Value deserialize(Napi::CallbackInfo const& info);
// shareEngine(engine handle) → token; claimEngine(token) → as deserialize, for the same engine, in any thread
Napi::Value share_engine(Napi::CallbackInfo const& info);
Napi::Value claim_engine(Napi::CallbackInfo const& info);
// inspectEngine(engine handle) → Promise of TensorRT's JSON text.
Napi::Value inspect_engine(Napi::CallbackInfo const& info);
// runtimeCache(context handle) → Promise of an ArrayBuffer: the kernels that TensorRT-RTX has compiled.
Napi::Value runtime_cache(Napi::CallbackInfo const& info);

}  // namespace ntrt
