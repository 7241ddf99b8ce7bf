// What builds in other processes need of the addon; src/tensorrt/isolate/binding.ts has the types.
#pragma once

#include <napi.h>

namespace ntrt {

void register_isolate(Napi::Env env, Napi::Object exports);

}  // namespace ntrt
