// Tensors that JavaScript holds: in page-locked memory, and on the GPU.
#pragma once

#include <napi.h>

namespace ntrt {

void register_tensors(Napi::Env env, Napi::Object exports);

}  // namespace ntrt
