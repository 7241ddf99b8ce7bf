// nvrtcVersion and compileKernel; src/plugin/binding.ts has the types.
#pragma once

#include <napi.h>

namespace ntrt {

void register_nvrtc(Napi::Env env, Napi::Object exports);

}  // namespace ntrt
