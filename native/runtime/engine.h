// A deserialized engine and its execution contexts.
#pragma once

#include <napi.h>

namespace ntrt {

// deserialize(library, plan or bytes, device) → Promise of an engine handle: { handle, inputs, outputs, profiles, layers }.
Napi::Value deserialize(Napi::CallbackInfo const& info);
// createContext(engine handle, profile) → Promise of a context handle.
Napi::Value create_context(Napi::CallbackInfo const& info);
// execute(context handle, [{ name, shape, data }]) → Promise of [{ name, dtype, shape, data: ArrayBuffer }]; one at a time per context.
Napi::Value execute(Napi::CallbackInfo const& info);
// inspectEngine(engine handle) → Promise of TensorRT's JSON text.
Napi::Value inspect_engine(Napi::CallbackInfo const& info);
// plan bytes as a new ArrayBuffer.
Napi::Value plan_bytes(Napi::CallbackInfo const& info);

}  // namespace ntrt
