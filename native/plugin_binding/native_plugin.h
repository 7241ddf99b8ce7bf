// Plugins as they come from JavaScript; src/plugin/binding.ts has the types.
#pragma once

#include <napi.h>

#include "../core/js.h"
#include "../plugin/definition.h"

namespace ntrt {

// A NativePlugin; its bytes are copied.
PluginParts read_native_plugin(Given const& given);

// evaluateRecipe(bytes, dims by input, elements by input) → its values, in native integers.
Napi::Value evaluate_recipe(Napi::CallbackInfo const& info);
// launchRecipe(device, plugin, [{ shape, data }], tactic) → Promise of [{ shape, data }]: its kernels without TensorRT.
Napi::Value launch_recipe(Napi::CallbackInfo const& info);

}  // namespace ntrt
