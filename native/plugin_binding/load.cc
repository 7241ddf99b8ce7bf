#include "load.h"

#include <optional>
#include <set>
#include <tuple>

#include "../plugin/failure.h"
#include "existing.h"
#include "registry.h"

namespace ntrt {

namespace {

struct MissingPlugin {
  std::string printed;
  std::string name;
  std::string version;
  std::string ns;
};

bool ends_with(std::string const& text, std::string const& end) { return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0; }

// The plugin in "Cannot find plugin: NAME, version: V, namespace:NS." TensorRT 10.6 prints the namespace behind the name, too.
std::optional<MissingPlugin> missing_plugin(std::string const& line) {
  constexpr std::string_view begin = "Cannot find plugin: ", version = ", version: ", ns = ", namespace:";
  size_t const at = line.find(begin);
  size_t const to_version = at == std::string::npos ? at : line.find(version, at);
  size_t const to_ns = to_version == std::string::npos ? to_version : line.find(ns, to_version);
  if (to_ns == std::string::npos) return std::nullopt;
  MissingPlugin missing;
  missing.printed = line.substr(at + begin.size(), to_version - at - begin.size());
  missing.version = line.substr(to_version + version.size(), to_ns - to_version - version.size());
  missing.ns = line.substr(to_ns + ns.size());
  size_t const end = missing.ns.find_last_not_of(".) \n");
  missing.ns.resize(end == std::string::npos ? 0 : end + 1);
  missing.name = missing.printed;
  if (!missing.ns.empty() && ends_with(missing.name, missing.ns)) missing.name.resize(missing.name.size() - missing.ns.size());
  return missing;
}

std::optional<MissingPlugin> last_missing(std::vector<std::string> const& lines, size_t from) {
  for (size_t i = lines.size(); i-- > from;) {
    if (auto missing = missing_plugin(lines[i])) return missing;
  }
  return std::nullopt;
}

}  // namespace

Owned<Engine> deserialize_engine(Api const& api, Runtime* runtime, void const* plan, uint64_t size, LogSink const& log) {
  std::set<std::tuple<std::string, std::string, std::string>> provided;
  for (;;) {
    size_t const before = log.errors().size();
    take_failure();
    take_created();
    Owned<Engine> engine(call<m::Runtime::deserializeCudaEngine>(api, runtime, plan, size));
    if (auto const failure = take_failure()) throw *failure;
    if (engine) return engine;
    auto const missing = last_missing(log.errors(), before);
    if (!missing) return engine;
    auto const& [printed, name, version, ns] = *missing;
    // Asked for once more, the name is as it was printed.
    bool provides = false;
    for (auto const& one : {name, printed}) {
      if (provides || !provided.emplace(one, version, ns).second) continue;
      provides = ns == plugin_namespace || load_plugin_for(api, one, version, ns);
      if (provides && ns == plugin_namespace) register_creator(api, one, version, {});
    }
    if (provides) continue;
    throw Error("ERR_PLUGIN_MISSING", "the engine needs plugin '" + name + "' version " + version + (ns.empty() ? "" : " in namespace '" + ns + "'") + ", which TensorRT has no creator of: load the library that has it with loadPluginLibrary()");
  }
}

}  // namespace ntrt
