// The part of the addon for plugins; src/plugin/binding.ts has the types.
#pragma once

#include <napi.h>

namespace ntrt {

void register_plugins(Napi::Env env, Napi::Object exports);

}  // namespace ntrt
