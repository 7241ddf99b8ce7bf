#include "registry.h"

#include <dlfcn.h>

#include <mutex>
#include <set>
#include <tuple>

namespace ntrt {

PluginRegistry* plugin_registry(Api const& api) {
  void* const library = dlopen(api.path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  auto const get = library ? reinterpret_cast<PluginRegistry* (*)()>(dlsym(library, "getPluginRegistry")) : nullptr;
  PluginRegistry* const registry = get ? get() : nullptr;
  if (library) dlclose(library);  // it stays loaded, see library.h
  if (!registry) throw Error("ERR_PLUGIN", api.path + " has no plugin registry");
  return registry;
}

void register_creator(Api const& api, std::string const& name, std::string const& version, std::vector<Recipe::Attribute> const& attributes) {
  static auto* const mutex = new std::mutex;
  static auto* const registered = new std::set<std::tuple<Api const*, std::string, std::string>>;
  auto* const registry = plugin_registry(api);
  std::lock_guard lock(*mutex);
  if (registered->count({&api, name, version})) return;
  auto* const creator = new PluginCreator(name, version, attributes);
  if (!call<m::PluginRegistry::registerCreator>(api, registry, static_cast<void*>(creator), plugin_namespace)) {
    delete creator;
    if (!call<m::PluginRegistry::getCreator>(api, registry, name.c_str(), version.c_str(), plugin_namespace)) {
      throw Error("ERR_PLUGIN", "TensorRT refused the creator of plugin '" + name + "' version " + version);
    }
  }
  registered->emplace(&api, name, version);
}

}  // namespace ntrt
