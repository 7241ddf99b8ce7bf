// Replacing the weights of an engine, and serializing it with them.
#pragma once

#include <napi.h>

namespace ntrt {

// Adds refittable, refit, markStripped, refits, serializeEngine and serializeEngineSync to the addon's exports.
void register_refit(Napi::Env env, Napi::Object exports);

}  // namespace ntrt
