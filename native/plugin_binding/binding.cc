#include "binding.h"

#include "../core/log.h"
#include "../plugin/failure.h"
#include "existing_binding.h"
#include "native_plugin.h"

namespace ntrt {

void register_plugins(Napi::Env env, Napi::Object exports) {
  set_plugin_log(log_line);
  exports.Set("launchRecipe", Napi::Function::New<launch_recipe>(env));
  exports.Set("pluginCreators", Napi::Function::New<plugin_creators>(env));
  exports.Set("loadPluginLibrary", Napi::Function::New<load_plugin_library>(env));
  exports.Set("loadedPlugins", Napi::Function::New<loaded_plugins>(env));
  exports.Set("describePlugin", Napi::Function::New<describe_plugin>(env));
  exports.Set("evaluateRecipe", Napi::Function::New<evaluate_recipe>(env));
}

}  // namespace ntrt
