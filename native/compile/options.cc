#include "options.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "../tensorrt/library.h"

namespace ntrt {

double real_of(Value const& value) {
  if (auto const* whole = std::get_if<int64_t>(&value.data)) return static_cast<double>(*whole);
  return std::get<double>(value.data);
}

namespace {

void require(bool accepted) {
  if (!accepted) throw Error("ERR_BUILD_OPTION", "TensorRT refused it");
}

// What an option is set on.
struct Target {
  Api const& api;
  ntrt::Builder* builder;
  ntrt::BuilderConfig* config;
  Params const& given;

  // Calls a method of the configuration.
  template <class M, class... A>
  auto set(A... args) const {
    return call<M>(api, config, args...);
  }
  int32_t number(char const* option) const { return static_cast<int32_t>(given.integer(option)); }
  int32_t enumerator(char const* enumeration, char const* option) const { return api.enumerator(enumeration, given.text(option)); }
};

// One build option.
struct Option {
  char const* name;
  void (*set)(Target const&, Option const&);
  // TensorRT's setter; where it has two, the one of the other flavors is second.
  MethodInfo const* methods[2];
  // The enumerator that came with a later release than the setter.
  char const* enumeration = nullptr;
  char const* enumerator = nullptr;
  // Why TensorRT-RTX does not take it, though it has the setter.
  char const* not_rtx = nullptr;
};

void set_flag(Target const& t, Option const& option) {
  int32_t const flag = t.api.enumerator("BuilderFlag", option.enumerator);
  if (t.given.flag(option.name)) {
    t.set<m::BuilderConfig::setFlag>(flag);
  } else {
    t.set<m::BuilderConfig::clearFlag>(flag);
  }
}
constexpr Option flag(char const* name, char const* enumerator) { return {name, set_flag, {&m::BuilderConfig::setFlag::info}, "BuilderFlag", enumerator}; }

// Names in `refitIndividual` are marked in the network, see build.cc.
void set_individual(Target const& t, Option const&) { t.set<m::BuilderConfig::setFlag>(t.api.enumerator("BuilderFlag", "kREFIT_INDIVIDUAL")); }

template <class M>
void set_number(Target const& t, Option const& option) {
  t.set<M>(t.number(option.name));
}

template <class M>
void set_enumerator(Target const& t, Option const& option) {
  t.set<M>(t.enumerator(option.enumeration, option.name));
}

void set_pool(Target const& t, std::string const& pool, Value const& bytes) { t.set<m::BuilderConfig::setMemoryPoolLimit>(t.api.enumerator("MemoryPoolType", pool), static_cast<uint64_t>(real_of(bytes))); }
void set_workspace(Target const& t, Option const&) { set_pool(t, "workspace", t.given.value("workspace")); }
void set_pools(Target const& t, Option const&) {
  for (auto const& [pool, bytes] : std::get<Value::Object>(t.given.value("memoryPools").data)) set_pool(t, pool, bytes);
}

void set_streams(Target const& t, Option const&) {
  if (t.api.flavor == Flavor::trt10) {
    t.set<m::BuilderConfig::setMaxAuxStreams>(t.number("maxAuxStreams"));
  } else {
    require(t.set<m::BuilderConfig::setMaxAuxStreamsV11>(t.number("maxAuxStreams")));
  }
}

void set_threads(Target const& t, Option const&) { require(call<m::Builder::setMaxThreads>(t.api, t.builder, t.number("maxThreads"))); }

void set_tactic_sources(Target const& t, Option const&) {
  uint32_t sources = 0;
  for (auto const& source : t.given.texts("tacticSources")) sources |= 1u << t.api.enumerator("TacticSource", source);
  require(t.set<m::BuilderConfig::setTacticSources>(sources));
}

void set_previews(Target const& t, Option const&) {
  for (auto const& [feature, on] : std::get<Value::Object>(t.given.value("previewFeatures").data)) {
    t.set<m::BuilderConfig::setPreviewFeature>(t.api.enumerator("PreviewFeature", feature), std::get<bool>(on.data));
  }
}

void set_tiling(Target const& t, Option const& option) { require(t.set<m::BuilderConfig::setTilingOptimizationLevel>(t.enumerator(option.enumeration, option.name))); }
void set_l2(Target const& t, Option const& option) { require(t.set<m::BuilderConfig::setL2LimitForTiling>(t.given.integer(option.name))); }
void set_route(Target const& t, Option const& option) { require(t.set<m::BuilderConfig::setBuildRoute>(t.given.text(option.name).c_str())); }

void set_plugins(Target const& t, Option const&) {
  std::vector<char const*> paths;
  auto const given = t.given.texts("pluginsToSerialize");
  for (auto const& path : given) {
    if (access(path.c_str(), R_OK) != 0) throw Error("ERR_BUILD_OPTION", path + " cannot be read: " + std::strerror(errno));
    paths.push_back(path.c_str());
  }
  t.set<m::BuilderConfig::setPluginsToSerialize>(static_cast<char const* const*>(paths.data()), static_cast<int32_t>(paths.size()));
}

void set_capabilities(Target const& t, Option const&) {
  auto const list = t.given.integers("computeCapabilities");
  require(t.set<m::BuilderConfig::setNbComputeCapabilities>(static_cast<int32_t>(list.size())));
  for (size_t i = 0; i < list.size(); i++) {
    require(t.set<m::BuilderConfig::setComputeCapability>(t.api.enumerator("ComputeCapability", "kSM" + std::to_string(list[i])), static_cast<int32_t>(i)));
  }
}

constexpr Option options[] = {
    flag("tf32", "kTF32"),
    flag("refit", "kREFIT"),
    flag("stripPlan", "kSTRIP_PLAN"),
    flag("versionCompatible", "kVERSION_COMPATIBLE"),
    flag("sparseWeights", "kSPARSE_WEIGHTS"),
    flag("strictNans", "kSTRICT_NANS"),
    flag("weightStreaming", "kWEIGHT_STREAMING"),
    flag("debug", "kDEBUG"),
    flag("excludeLeanRuntime", "kEXCLUDE_LEAN_RUNTIME"),
    flag("refitIdentical", "kREFIT_IDENTICAL"),
    {"refitIndividual", set_individual, {&m::Network::markWeightsRefittable::info}, "BuilderFlag", "kREFIT_INDIVIDUAL"},
    flag("disableTimingCache", "kDISABLE_TIMING_CACHE"),
    flag("disableCompilationCache", "kDISABLE_COMPILATION_CACHE"),
    flag("errorOnTimingCacheMiss", "kERROR_ON_TIMING_CACHE_MISS"),
    flag("editableTimingCache", "kEDITABLE_TIMING_CACHE"),
    flag("directIO", "kDIRECT_IO"),
    flag("monitorMemory", "kMONITOR_MEMORY"),
    flag("distributiveIndependence", "kDISTRIBUTIVE_INDEPENDENCE"),
    {"workspace", set_workspace, {&m::BuilderConfig::setMemoryPoolLimit::info}},
    {"memoryPools", set_pools, {&m::BuilderConfig::setMemoryPoolLimit::info}},
    {"optimizationLevel", set_number<m::BuilderConfig::setBuilderOptimizationLevel>, {&m::BuilderConfig::setBuilderOptimizationLevel::info}},
    {"avgTimingIterations", set_number<m::BuilderConfig::setAvgTimingIterations>, {&m::BuilderConfig::setAvgTimingIterations::info}},
    {"maxTactics", set_number<m::BuilderConfig::setMaxNbTactics>, {&m::BuilderConfig::setMaxNbTactics::info}},
    {"maxAuxStreams", set_streams, {&m::BuilderConfig::setMaxAuxStreams::info, &m::BuilderConfig::setMaxAuxStreamsV11::info}},
    {"maxThreads", set_threads, {&m::Builder::setMaxThreads::info}},
    {"profilingVerbosity", set_enumerator<m::BuilderConfig::setProfilingVerbosity>, {&m::BuilderConfig::setProfilingVerbosity::info}, "ProfilingVerbosity"},
    {"hardwareCompatibility", set_enumerator<m::BuilderConfig::setHardwareCompatibilityLevel>, {&m::BuilderConfig::setHardwareCompatibilityLevel::info}, "HardwareCompatibilityLevel", nullptr,
     "TensorRT-RTX takes computeCapabilities instead"},
    {"computeCapabilities", set_capabilities, {&m::BuilderConfig::setComputeCapability::info}},
    {"runtimePlatform", set_enumerator<m::BuilderConfig::setRuntimePlatform>, {&m::BuilderConfig::setRuntimePlatform::info}, "RuntimePlatform"},
    {"engineCapability", set_enumerator<m::BuilderConfig::setEngineCapability>, {&m::BuilderConfig::setEngineCapability::info}, "EngineCapability"},
    {"tacticSources", set_tactic_sources, {&m::BuilderConfig::setTacticSources::info}},
    {"previewFeatures", set_previews, {&m::BuilderConfig::setPreviewFeature::info}},
    {"tilingOptimizationLevel", set_tiling, {&m::BuilderConfig::setTilingOptimizationLevel::info}, "TilingOptimizationLevel"},
    {"l2LimitForTiling", set_l2, {&m::BuilderConfig::setL2LimitForTiling::info}},
    {"buildRoute", set_route, {&m::BuilderConfig::setBuildRoute::info}},
    {"pluginsToSerialize", set_plugins, {&m::BuilderConfig::setPluginsToSerialize::info}, nullptr, nullptr, "TensorRT-RTX has no plugin layers"},
};

// The later of two; absent if one is.
Slot both(Slot a, Slot b) {
  if (a.index < 0 || b.index < 0) return {};
  return a.since > b.since ? a : b;
}

}  // namespace

void apply_options(Api const& api, ntrt::Builder* builder, ntrt::BuilderConfig* config, Params const& given, LogSink const& log) {
  Target const target{api, builder, config, given};
  for (auto const& option : options) {
    if (!given.has(option.name)) continue;
    size_t const before = log.failures();
    try {
      if (api.flavor == Flavor::rtx1 && option.not_rtx) throw Error("ERR_UNSUPPORTED", option.not_rtx);
      option.set(target, option);
      // Most setters return nothing: a refusal shows only in TensorRT's log.
      require(log.failures() == before);
    } catch (Error const& error) {
      throw Error(error.code, std::string("build option ") + option.name + ": " + error.what());
    }
  }
}

std::vector<OptionReleases> option_releases() {
  std::vector<OptionReleases> all;
  for (auto const& option : options) {
    OptionReleases row{option.name, {}};
    for (int i = 0; i < 3; i++) {
      if (i == static_cast<int>(Flavor::rtx1) && option.not_rtx) continue;
      row.since[i] = option.methods[0]->slots[i];
      if (row.since[i].index < 0 && option.methods[1]) row.since[i] = option.methods[1]->slots[i];
      if (option.enumerator) row.since[i] = both(row.since[i], enumerator_slots(option.enumeration, option.enumerator)[i]);
      // That release is refused.
      if (row.since[i].since == 100800) row.since[i].since = 100900;
    }
    all.push_back(row);
  }
  return all;
}

}  // namespace ntrt
