#include "creators.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "../core/exit_hook.h"
#include "../tensorrt/table.h"
#include "open_beside.h"
#include "registry.h"

namespace ntrt {

namespace {

PluginRegistry* registry_of(Api const& api) {
  if (api.flavor == Flavor::rtx1) throw Error("ERR_UNSUPPORTED", api.product + " has no plugin layers; TensorRT 10 and 11 have them");
  return plugin_registry(api);
}

template <class Creator>
void read(Api const& api, CreatorInfo& info) {
  auto const text = [](char const* given) { return std::string(given ? given : ""); };
  info.name = text(call<typename Creator::getPluginName>(api, info.creator));
  info.version = text(call<typename Creator::getPluginVersion>(api, info.creator));
  info.space = text(call<typename Creator::getPluginNamespace>(api, info.creator));
}

struct V1 {
  using getPluginName = m::PluginCreator::getPluginName;
  using getPluginVersion = m::PluginCreator::getPluginVersion;
  using getPluginNamespace = m::PluginCreator::getPluginNamespace;
};
struct V3 {
  using getPluginName = m::PluginCreatorV3One::getPluginName;
  using getPluginVersion = m::PluginCreatorV3One::getPluginVersion;
  using getPluginNamespace = m::PluginCreatorV3One::getPluginNamespace;
};

// TensorRT's own creators for its builder, which write to stderr when they are asked for fields.
bool is_internal(CreatorKey const& key) {
  return key.space.empty() && (key.name == "MyelinWeightsTransformPlugin" || (key.name.rfind("Cask", 0) == 0 && key.name.find("WeightsTransformerPlugin") != std::string::npos));
}

// Pointers of creators, to tell which ones a library brought.
std::vector<ForeignCreator*> creator_list(Api const& api) {
  int32_t count = 0;
  void* const* const list = call<m::PluginRegistry::getAllCreators>(api, registry_of(api), &count);
  std::vector<ForeignCreator*> creators;
  for (int32_t i = 0; list && i < count; i++) creators.push_back(static_cast<ForeignCreator*>(list[i]));
  return creators;
}

std::vector<CreatorInfo> only(std::vector<CreatorInfo> creators, std::vector<ForeignCreator*> const& wanted) {
  auto const others = [&](CreatorInfo const& one) { return std::find(wanted.begin(), wanted.end(), one.creator) == wanted.end(); };
  creators.erase(std::remove_if(creators.begin(), creators.end(), others), creators.end());
  return creators;
}

std::vector<ForeignCreator*> added(std::vector<ForeignCreator*> before, Api const& api) {
  auto now = creator_list(api);
  auto const old = [&](ForeignCreator* one) { return std::find(before.begin(), before.end(), one) != before.end(); };
  now.erase(std::remove_if(now.begin(), now.end(), old), now.end());
  return now;
}

// Which creators each library brought, by TensorRT and real path. Libraries stay loaded, as TensorRT does.
struct Loaded {
  std::mutex mutex;
  std::map<std::pair<Api const*, std::string>, std::vector<ForeignCreator*>> libraries;
};
Loaded& loaded() {
  static auto* instance = new Loaded;
  return *instance;
}

// What was loaded, in order. Nobody holds this lock for long, which JavaScript's thread takes.
struct Order {
  std::mutex mutex;
  std::vector<std::pair<std::string, std::string>> libraries;
};
Order& order() {
  static auto* instance = new Order;
  return *instance;
}
void note(Api const& api, std::string path) {
  std::lock_guard lock(order().mutex);
  order().libraries.emplace_back(api.path, std::move(path));
}

// A thread that stopped while it loaded a library holds the loader's lock, and ours.
void check_loader() {
  if (has_crashed(Lane::plugin)) throw Error("ERR_TENSORRT_CRASHED", "no more plugin libraries can be loaded in this process, because one crashed; start another process");
}

[[noreturn]] void refuse(std::string const& path, std::string const& reason) { throw Error("ERR_PLUGIN_LIBRARY", path + ": " + reason); }

// Plugin libraries are often not linked with libnvinfer.
void* open(Api const& api, std::string const& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string reason = handle ? "" : dlerror();
  if (!handle && reason.find("undefined symbol") != std::string::npos) {
    handle = open_beside(path, api.path);
    char const* const why = handle ? nullptr : dlerror();
    if (why) reason = why;
  }
  if (!handle) refuse(path, "expected a shared library with plugins; it could not be loaded: " + reason);
  catch_exit(handle);
  return handle;
}

// libnvinfer_plugin.so.10 in the folder of libnvinfer, or by the loader's path.
std::string nvidia_plugins(Api const& api) {
  auto const slash = api.path.rfind('/');
  std::string const folder = slash == std::string::npos ? "" : api.path.substr(0, slash + 1);
  std::string const name = "libnvinfer_plugin.so." + std::to_string(api.release / 10000);
  for (auto const& file : {name, name + release_name(api.release).substr(std::to_string(api.release / 10000).size())}) {
    struct stat found;
    if (stat((folder + file).c_str(), &found) == 0) return folder + file;
  }
  return name;
}

}  // namespace

std::string describe(CreatorKey const& key) {
  return "'" + key.name + "' version " + key.version + (key.space.empty() ? "" : " in namespace '" + key.space + "'");
}

std::vector<CreatorInfo> plugin_creators(Api const& api) {
  std::vector<CreatorInfo> all;
  for (ForeignCreator* creator : creator_list(api)) {
    char const* const kind = creator ? call<m::PluginCreatorInterface::getInterfaceInfo>(api, creator).kind : nullptr;
    if (!kind) continue;
    CreatorInfo info;
    info.creator = creator;
    info.is_v3 = std::strcmp(kind, "PLUGIN CREATOR_V3ONE") == 0;
    if (info.is_v3) {
      read<V3>(api, info);
    } else if (std::strcmp(kind, "PLUGIN CREATOR_V1") == 0) {
      read<V1>(api, info);
    } else {
      continue;  // the table is another one
    }
    all.push_back(std::move(info));
  }
  return all;
}

std::vector<CreatorField> fields_of(Api const& api, CreatorInfo const& creator) {
  std::vector<CreatorField> fields;
  if (is_internal(creator)) return fields;
  PluginFieldCollection const* list = creator.is_v3 ? call<m::PluginCreatorV3One::getFieldNames>(api, creator.creator) : call<m::PluginCreator::getFieldNames>(api, creator.creator);
  for (int32_t i = 0; list && list->fields && i < list->count; i++) {
    if (list->fields[i].name) fields.push_back({list->fields[i].name, list->fields[i].type, list->fields[i].length});
  }
  return fields;
}

namespace {

CreatorInfo const* look_up(std::vector<CreatorInfo> const& creators, CreatorKey const& key) {
  auto const is_it = [&](CreatorInfo const& one) { return one.name == key.name && one.version == key.version && one.space == key.space; };
  auto const found = std::find_if(creators.begin(), creators.end(), is_it);
  return found == creators.end() ? nullptr : &*found;
}

}  // namespace

CreatorInfo find_creator(Api const& api, CreatorKey const& key) {
  auto creators = plugin_creators(api);
  CreatorInfo const* found = look_up(creators, key);
  std::string reason;
  if (!found && key.space.empty()) {
    try {
      load_nvidia_plugins(api);
      creators = plugin_creators(api);
      found = look_up(creators, key);
    } catch (Error const& error) {
      reason = std::string("; ") + error.what();
    }
  }
  if (found) return *found;
  std::string others;
  for (auto const& one : creators) {
    if (one.name == key.name) others += (others.empty() ? "" : ", ") + describe(one);
  }
  throw Error("ERR_PLUGIN_MISSING", api.product + " has no plugin creator " + describe(key) + (others.empty() ? "" : "; it has " + others) +
                                        "; load the library that has it with loadPluginLibrary(path)" + reason);
}

std::vector<CreatorInfo> load_nvidia_plugins(Api const& api) {
  check_loader();
  std::string const path = nvidia_plugins(api);
  std::lock_guard lock(loaded().mutex);
  auto const key = std::pair(&api, std::string("libnvinfer_plugin"));
  auto found = loaded().libraries.find(key);
  if (found == loaded().libraries.end()) {
    auto const before = creator_list(api);
    void* const handle = open(api, path);
    auto const initialize = reinterpret_cast<bool (*)(void*, char const*)>(dlsym(handle, "initLibNvInferPlugins"));
    if (!initialize) refuse(path, "it does not export initLibNvInferPlugins");
    if (!initialize(api.logger, "")) refuse(path, "initLibNvInferPlugins failed");
    auto creators = added(before, api);
    if (creators.empty()) refuse(path, "it registered no creator with " + api.product + " at " + api.path + "; is another TensorRT of this major release loaded in this process?");
    found = loaded().libraries.emplace(key, std::move(creators)).first;
    note(api, "");
  }
  return only(plugin_creators(api), found->second);
}

std::vector<std::string> loaded_plugin_libraries(std::string const& tensorrt) {
  std::lock_guard lock(order().mutex);
  std::vector<std::string> paths;
  for (auto const& [library, path] : order().libraries) {
    if (library == tensorrt) paths.push_back(path);
  }
  return paths;
}

std::vector<CreatorInfo> load_plugin_library(Api const& api, std::string const& path) {
  check_loader();
  char resolved[PATH_MAX];
  if (!realpath(path.c_str(), resolved)) refuse(path, std::string("expected a shared library with plugins: ") + std::strerror(errno));
  std::string const real = resolved;
  if (auto const base = real.substr(real.rfind('/') + 1); base.rfind("libnvinfer_plugin.so", 0) == 0) {
    char beside[PATH_MAX];
    if (realpath(nvidia_plugins(api).c_str(), beside) && real == beside) return load_nvidia_plugins(api);
  }
  std::lock_guard lock(loaded().mutex);
  auto const key = std::pair(&api, real);
  auto found = loaded().libraries.find(key);
  if (found == loaded().libraries.end()) {
    auto const before = creator_list(api);
    void* const handle = open(api, real);  // creators of REGISTER_TENSORRT_PLUGIN register themselves now
    bool const exports = dlsym(handle, "getCreators") || dlsym(handle, "getPluginCreators");
    void* const taken = exports ? call<m::PluginRegistry::loadLibrary>(api, registry_of(api), real.c_str()) : nullptr;
    auto creators = added(before, api);
    if (creators.empty()) {
      if (!exports) refuse(real, "expected a plugin library: it exports no getCreators, and registers no creator when it is loaded");
      if (!taken) refuse(real, api.product + " took none of its creators; other creators may have their names and versions");
      refuse(real, "its getCreators has no creators");
    }
    found = loaded().libraries.emplace(key, std::move(creators)).first;
    note(api, real);
  }
  return only(plugin_creators(api), found->second);
}

bool load_plugin_for(Api const& api, std::string const& name, std::string const& version, std::string const& space) {
  try {
    find_creator(api, {name, version, space});
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace ntrt
