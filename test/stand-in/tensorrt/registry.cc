#include "registry.h"

#include <dlfcn.h>

#include <algorithm>
#include <mutex>

#include "plugin.h"

namespace standin {

// Its table is the object's own: there is no handle.
class Registry {
 public:
  explicit Registry(Registry* parent);
  struct Row {
    void* creator;
    std::string interface, name, version, space;  // `space`: as given
  };

  void* const* table_;
  Registry* parent;
  bool search_parent = true;
  std::vector<Row> rows;
  std::vector<void*> listed;
  std::mutex mutex;
};

namespace {

NAMED(IPluginRegistry);
NAMED(ILoggerFinder);

Registry& of(void* object) { return *static_cast<Registry*>(object); }

bool is_v3(std::string const& kind) { return kind == "PLUGIN CREATOR_V3ONE"; }

// Interface, name, version and the creator's own namespace.
Registry::Row describe(void* creator) {
  Registry::Row row;
  row.creator = creator;
  row.interface = info_of(creator).kind;
  auto const text = [&](int v3, int v1) {
    char const* const found = invoke<char const*>(creator, is_v3(row.interface) ? v3 : v1);
    if (!found) die("a creator gave a null text");
    return std::string(found);
  };
  if (!is_v3(row.interface) && row.interface != "PLUGIN CREATOR_V1") die("a creator says it is " + row.interface);
  row.name = text(slot::IPluginCreatorV3One::getPluginName, slot::IPluginCreator::getPluginName);
  row.version = text(slot::IPluginCreatorV3One::getPluginVersion, slot::IPluginCreator::getPluginVersion);
  row.space = text(slot::IPluginCreatorV3One::getPluginNamespace, slot::IPluginCreator::getPluginNamespace);
  return row;
}

bool register_creator(void* object, void* creator, char const* space) {
  auto row = describe(creator);
  std::string const own = row.space;
  if (!is_v3(row.interface)) invoke<void>(creator, slot::IPluginCreator::setPluginNamespace, space);
  row.space = space;
  std::lock_guard lock(of(object).mutex);
  auto& rows = of(object).rows;
  bool const known = std::any_of(rows.begin(), rows.end(), [&](auto const& one) { return one.interface == row.interface && one.name == row.name && one.version == row.version && one.space == row.space; });
  Line("tensorrt", "registerCreator").text("name", row.name).text("version", row.version).text("namespace", space).text("own", own).flag("result", !known).flag("global", &of(object) == global_registry());
  if (known) return false;
  rows.push_back(row);
  return true;
}

// The namespace given and the one the creator says must both be the one asked for.
void* search(Registry& registry, std::string const& name, std::string const& version, std::string const& space, bool v1_only) {
  {
    std::lock_guard lock(registry.mutex);
    for (auto const& row : registry.rows) {
      if (v1_only && is_v3(row.interface)) continue;
      if (row.name == name && row.version == version && row.space == space && describe(row.creator).space == space) return row.creator;
    }
  }
  return registry.parent && registry.search_parent ? search(*registry.parent, name, version, space, v1_only) : nullptr;
}

void* get_creator(void* object, char const* name, char const* version, char const* space) { return find_creator(&of(object), name, version, space); }
void* get_v1_creator(void* object, char const* name, char const* version, char const* space) { return search(of(object), name, version, space, true); }

void* const* list(Registry& registry, int32_t* count, bool recursive, bool v1_only) {
  registry.listed.clear();
  for (Registry* one = &registry; one; one = recursive ? one->parent : nullptr) {
    for (auto const& row : one->rows) {
      if (!v1_only || !is_v3(row.interface)) registry.listed.push_back(row.creator);
    }
  }
  *count = static_cast<int32_t>(registry.listed.size());
  return registry.listed.data();
}
void* const* all_creators(void* object, int32_t* count) { return list(of(object), count, false, false); }
void* const* all_creators_recursive(void* object, int32_t* count) { return list(of(object), count, true, false); }
void* const* v1_creators(void* object, int32_t* count) { return list(of(object), count, false, true); }

bool deregister(void* object, void* creator) {
  std::lock_guard lock(of(object).mutex);
  auto& rows = of(object).rows;
  auto const found = std::find_if(rows.begin(), rows.end(), [&](auto const& row) { return row.creator == creator; });
  Line("tensorrt", "deregisterCreator").flag("result", found != rows.end());
  if (found == rows.end()) return false;
  rows.erase(found);
  return true;
}

void* the_logger = nullptr;
void* find_logger(void*) { return the_logger; }
int32_t language(void*) { return 0; }
InterfaceInfo finder_info(void*) { return {"ILoggerFinder", 1, 0}; }

void* logger_finder() {
  static void* const* const made = RELEASE < 110000 ? table<ILoggerFinderName>({at(0, &find_logger)}) : table<ILoggerFinderName>({at(0, &language), at(1, &finder_info), at(4, &find_logger)});
  static void* const* object = made;
  return &object;
}

void* load_library(void* object, char const* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    log(error, std::string("IPluginRegistry::loadLibrary: Error Code 3: API Usage Error (Unable to load library: ") + dlerror() + ")");
    return nullptr;
  }
  auto const creators = reinterpret_cast<void* const* (*)(int32_t&)>(dlsym(library, "getCreators"));
  auto const set_finder = reinterpret_cast<void (*)(void*)>(dlsym(library, "setLoggerFinder"));
  if (!creators) {
    log(error, "IPluginRegistry::loadLibrary: Error Code 3: API Usage Error (getCreators is not exported)");
    return nullptr;
  }
  if (set_finder) set_finder(logger_finder());
  int32_t count = 0;
  void* const* const all = creators(count);
  for (int i = 0; i < count; i++) register_creator(object, all[i], describe(all[i]).space.c_str());
  return library;
}
void deregister_library(void* object, void* library) {
  auto const creators = reinterpret_cast<void* const* (*)(int32_t&)>(dlsym(library, "getCreators"));
  int32_t count = 0;
  void* const* const all = creators(count);
  for (int i = 0; i < count; i++) deregister(object, all[i]);
}
bool searches_parent(void* object) { return of(object).search_parent; }
void search_parent(void* object, bool on) { of(object).search_parent = on; }
void set_recorder(void*, void*) {}
void* get_recorder(void*) { return nullptr; }

void* const* methods() {
  namespace s = slot::IPluginRegistry;
  static void* const* const made = table<IPluginRegistryName>(
      {at(s::registerCreatorV1, &register_creator), at(s::getPluginCreatorList, &v1_creators), at(s::getPluginCreator, &get_v1_creator), at(s::deregisterCreatorV1, &deregister), at(s::registerCreator, &register_creator),
       at(s::getAllCreators, &all_creators), at(s::getAllCreatorsRecursive, &all_creators_recursive), at(s::getCreator, &get_creator), at(s::deregisterCreator, &deregister), at(s::loadLibrary, &load_library),
       at(s::deregisterLibrary, &deregister_library), at(s::isParentSearchEnabled, &searches_parent), at(s::setParentSearchEnabled, &search_parent), at(s::setErrorRecorder, &set_recorder), at(s::getErrorRecorder, &get_recorder)});
  return made;
}

}  // namespace

Registry::Registry(Registry* parent) : table_(methods()), parent(parent) {}

Registry* global_registry() {
  static auto* const registry = new Registry(nullptr);
  return registry;
}
Registry* make_registry() { return new Registry(global_registry()); }
void free_registry(Registry* registry) { delete registry; }

void* find_creator(Registry* registry, std::string const& name, std::string const& version, std::string const& space) {
  void* const found = search(*registry, name, version, space, false);
  if (!found) log(error, "IPluginRegistry::getCreator: Error Code 4: API Usage Error (Cannot find plugin: " + name + space + ", version: " + version + ", namespace:" + space + ".)");
  return found;
}

void set_logger(void* logger) { the_logger = logger; }
void log(Severity severity, std::string const& text) {
  Line("tensorrt", "log").number("severity", severity).text("text", text);
  constexpr int slot = RELEASE < 110000 ? slot::ILogger10::log : slot::ILogger11::log;
  if (the_logger) invoke<void>(the_logger, slot, static_cast<int32_t>(severity), text.c_str());
}

}  // namespace standin
