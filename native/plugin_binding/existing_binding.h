// The addon's functions for plugins that others wrote; src/plugin/binding.ts has the types.
#pragma once

#include <napi.h>

namespace ntrt {

// pluginCreators(library)
Napi::Value plugin_creators(Napi::CallbackInfo const& info);
// loadPluginLibrary(library, path or null)
Napi::Value load_plugin_library(Napi::CallbackInfo const& info);
// loadedPlugins(library)
Napi::Value loaded_plugins(Napi::CallbackInfo const& info);
// describePlugin(library, request): waits for the plugin, which runs on a thread of its own.
Napi::Value describe_plugin(Napi::CallbackInfo const& info);

}  // namespace ntrt
