#include "read_options.h"

#include <algorithm>
#include <optional>

#include "../lowering/read_back.h"
#include "builder.h"

namespace ntrt {

namespace {

void compare(std::string const& option, Value const& asked, Value const& held) {
  if (!is_same(asked, held, false)) throw Error("ERR_BUILD_OPTION", "build option " + option + ": asked for " + describe(asked) + ", TensorRT holds " + describe(held));
}

class Reader {
 public:
  Reader(Api const& api, Builder* builder, BuilderConfig* config, Network* network, Params const& given) : api_(api), builder_(builder), config_(config), network_(network), given_(given) {}

  template <class M, class... A>
  auto get(A... args) {
    return call<M>(api_, config_, args...);
  }

  Value::Object read() {
    namespace C = m::BuilderConfig;
    flag("tf32", "kTF32");
    flag("refit", "kREFIT");
    flag("refitIdentical", "kREFIT_IDENTICAL");
    if (auto const set = flag_of("kREFIT_INDIVIDUAL")) keep("refitIndividual", *set ? marked_weights() : Value{Value::List{}});
    flag("stripPlan", "kSTRIP_PLAN");
    flag("versionCompatible", "kVERSION_COMPATIBLE");
    flag("excludeLeanRuntime", "kEXCLUDE_LEAN_RUNTIME");
    flag("sparseWeights", "kSPARSE_WEIGHTS");
    flag("strictNans", "kSTRICT_NANS");
    flag("weightStreaming", "kWEIGHT_STREAMING");
    flag("directIO", "kDIRECT_IO");
    flag("debug", "kDEBUG");
    flag("disableTimingCache", "kDISABLE_TIMING_CACHE");
    flag("disableCompilationCache", "kDISABLE_COMPILATION_CACHE");
    flag("errorOnTimingCacheMiss", "kERROR_ON_TIMING_CACHE_MISS");
    flag("editableTimingCache", "kEDITABLE_TIMING_CACHE");
    flag("monitorMemory", "kMONITOR_MEMORY");
    flag("distributiveIndependence", "kDISTRIBUTIVE_INDEPENDENCE");
    keep("workspace", pool("workspace"));
    keep_given("memoryPools", pools());
    keep("optimizationLevel", number(get<C::getBuilderOptimizationLevel>()));
    keep("avgTimingIterations", number(get<C::getAvgTimingIterations>()));
    if (api_.has(C::getMaxNbTactics::info)) keep("maxTactics", number(get<C::getMaxNbTactics>()));
    keep("maxAuxStreams", number(get<C::getMaxAuxStreams>()));
    keep("maxThreads", number(call<m::Builder::getMaxThreads>(api_, builder_)));
    keep("profilingVerbosity", text(api_.spelling("ProfilingVerbosity", get<C::getProfilingVerbosity>())));
    keep("engineCapability", text(api_.spelling("EngineCapability", get<C::getEngineCapability>())));
    if (api_.has(C::getRuntimePlatform::info)) keep("runtimePlatform", text(api_.spelling("RuntimePlatform", get<C::getRuntimePlatform>())));
    keep_set("tacticSources", tactic_sources());
    keep_given("previewFeatures", previews());
    if (api_.has(C::getTilingOptimizationLevel::info)) {
      keep("tilingOptimizationLevel", text(api_.spelling("TilingOptimizationLevel", get<C::getTilingOptimizationLevel>())));
      keep("l2LimitForTiling", number(static_cast<double>(get<C::getL2LimitForTiling>())));
    }
    if (api_.has(C::getBuildRoute::info)) {
      char const* const route = get<C::getBuildRoute>();
      keep("buildRoute", text(is_null(route) ? "" : route));
    }
    if (api_.flavor == Flavor::rtx1) {
      keep("computeCapabilities", compute_capabilities());
    } else {
      keep("pluginsToSerialize", plugins());
      keep("hardwareCompatibility", text(api_.spelling("HardwareCompatibilityLevel", get<C::getHardwareCompatibilityLevel>())));
    }
    return std::move(held_);
  }

 private:
  void keep(char const* option, Value value) {
    if (given_.has(option)) compare(option, given_.value(option), value);
    held_.emplace_back(option, std::move(value));
  }
  // An object of which some entries may be given.
  void keep_given(char const* option, Value::Object values) {
    if (given_.has(option)) {
      for (auto const& [name, asked] : std::get<Value::Object>(given_.value(option).data)) {
        auto const held = std::find_if(values.begin(), values.end(), [&, &name = name](auto const& entry) { return entry.first == name; });
        compare(std::string(option) + "." + name, asked, held == values.end() ? Value{} : held->second);
      }
    }
    held_.emplace_back(option, Value{std::move(values)});
  }
  // A list whose order means nothing.
  void keep_set(char const* option, std::vector<std::string> values) {
    auto const list = [](std::vector<std::string> texts) {
      std::sort(texts.begin(), texts.end());
      texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
      Value::List all;
      for (auto& one : texts) all.push_back({std::move(one)});
      return Value{std::move(all)};
    };
    Value held = list(std::move(values));
    if (given_.has(option)) compare(option, list(given_.texts(option)), held);
    held_.emplace_back(option, std::move(held));
  }
  std::optional<int32_t> value_of(char const* enumeration, char const* name) {
    try {
      return api_.untraced_enumerator(enumeration, name);
    } catch (Error const& error) {
      if (error.code != "ERR_UNSUPPORTED") throw;
      return std::nullopt;  // not in this release, which refused it before
    }
  }
  std::optional<bool> flag_of(char const* name) {
    auto const value = value_of("BuilderFlag", name);
    return value ? std::optional(get<m::BuilderConfig::getFlag>(*value)) : std::nullopt;
  }
  void flag(char const* option, char const* name) {
    if (auto const set = flag_of(name)) keep(option, {*set});
  }
  Value pool(char const* name) { return number(static_cast<double>(get<m::BuilderConfig::getMemoryPoolLimit>(api_.untraced_enumerator("MemoryPoolType", name)))); }
  Value::Object pools() {
    Value::Object all;
    for (char const* name : {"workspace", "dla_managed_sram", "dla_local_dram", "dla_global_dram", "tactic_dram", "tactic_shared_memory"}) all.emplace_back(name, pool(name));
    return all;
  }
  bool is_asked_for(char const* option, std::string_view name) const {
    if (!given_.has(option)) return false;
    auto const asked = given_.value(option);
    auto const& entries = std::get<Value::Object>(asked.data);
    return std::any_of(entries.begin(), entries.end(), [name](auto const& entry) { return entry.first == name; });
  }
  Value::Object previews() {
    Value::Object all;
    for (char const* name : {"profile_sharing_0806", "aliased_plugin_io_10_03", "runtime_activation_resize_10_10", "multidevice_runtime_10_16"}) {
      // Whoever asks for the first, which is deprecated, gets a warning of TensorRT 10.
      if (name == std::string_view("profile_sharing_0806") && !is_asked_for("previewFeatures", name)) continue;
      if (auto const feature = value_of("PreviewFeature", name)) all.emplace_back(name, Value{get<m::BuilderConfig::getPreviewFeature>(*feature)});
    }
    return all;
  }
  std::vector<std::string> tactic_sources() {
    std::vector<std::string> list;
    uint32_t const sources = get<m::BuilderConfig::getTacticSources>();
    for (int32_t i = 0; i < 32; i++) {
      if (sources >> i & 1) list.push_back(api_.spelling("TacticSource", i));
    }
    return list;
  }
  // Those that were asked for.
  Value marked_weights() {
    Value::List list;
    if (!given_.has("refitIndividual")) return {std::move(list)};
    for (auto& name : given_.texts("refitIndividual")) {
      if (call<m::Network::areWeightsMarkedRefittable>(api_, network_, name.c_str())) list.push_back({std::move(name)});
    }
    return {std::move(list)};
  }
  Value plugins() {
    Value::List list;
    int32_t const count = get<m::BuilderConfig::getNbPluginsToSerialize>();
    for (int32_t i = 0; i < count; i++) list.push_back(text(get<m::BuilderConfig::getPluginToSerialize>(i)));
    return {std::move(list)};
  }
  Value compute_capabilities() {
    Value::List list;
    int32_t const count = get<m::BuilderConfig::getNbComputeCapabilities>();
    for (int32_t i = 0; i < count; i++) {
      std::string const name = api_.spelling("ComputeCapability", get<m::BuilderConfig::getComputeCapability>(i));
      list.push_back(name.compare(0, 2, "sm") == 0 ? number(std::stoi(name.substr(2))) : text(name));
    }
    return {std::move(list)};
  }

  Api const& api_;
  Builder* builder_;
  BuilderConfig* config_;
  Network* network_;
  Params const& given_;
  Value::Object held_;
};

Value elements(Api const& api, OptimizationProfile* profile, char const* input, int32_t which) {
  int32_t const count = call<m::OptimizationProfile::getNbShapeValues>(api, profile, input);
  Value::List list;
  if (api.has(m::OptimizationProfile::getShapeValuesV2::info)) {
    int64_t const* const values = call<m::OptimizationProfile::getShapeValuesV2>(api, profile, input, which);
    for (int32_t i = 0; values && i < count; i++) list.push_back(number(static_cast<double>(values[i])));
  } else {
    int32_t const* const values = call<m::OptimizationProfile::getShapeValues>(api, profile, input, which);
    for (int32_t i = 0; values && i < count; i++) list.push_back(number(values[i]));
  }
  return {std::move(list)};
}

}  // namespace

Value::Object read_options(Api const& api, Builder* builder, BuilderConfig* config, Network* network, Params const& given) { return Reader(api, builder, config, network, given).read(); }

Value read_profile(Api const& api, OptimizationProfile* profile, size_t index, Params const& asked, std::vector<std::string> const& deciding) {
  Value::Object inputs;
  for (auto const& [name, range] : asked.entries()) {
    bool const is_values = range.has("values");
    if (range.has("dim") || (is_values && std::find(deciding.begin(), deciding.end(), name) == deciding.end())) continue;
    Value::Object bounds;
    for (char const* bound : {"min", "opt", "max"}) {
      int32_t const which = api.untraced_enumerator("OptProfileSelector", bound);
      Dims const dims = is_values ? Dims{} : call<m::OptimizationProfile::getDimensions>(api, profile, name.c_str(), which);
      Value held = is_values ? elements(api, profile, name.c_str(), which) : numbers(dims.d, dims.rank);
      compare("profiles[" + std::to_string(index) + "], " + bound + " of input '" + name + "'", range.value(bound), held);
      bounds.emplace_back(bound, std::move(held));
    }
    inputs.emplace_back(name, Value{std::move(bounds)});
  }
  return {std::move(inputs)};
}

}  // namespace ntrt
