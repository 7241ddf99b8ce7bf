#include "read_options.h"

#include <algorithm>

#include "../lowering/read_back.h"

namespace ntrt {

namespace {

void compare(std::string const& option, Value const& asked, Value const& held) {
  if (!is_same(asked, held, false)) throw Error("ERR_BUILD_OPTION", "build option " + option + ": asked for " + describe(asked) + ", TensorRT holds " + describe(held));
}

class Reader {
 public:
  Reader(Api const& api, BuilderConfig* config, Params const& given) : api_(api), config_(config), given_(given) {}

  template <class M, class... A>
  auto get(A... args) {
    return call<M>(api_, config_, args...);
  }

  Value::Object read() {
    using namespace m;
    flag("tf32", "kTF32");
    flag("refit", "kREFIT");
    flag("refitIdentical", "kREFIT_IDENTICAL");
    flag("stripPlan", "kSTRIP_PLAN");
    flag("versionCompatible", "kVERSION_COMPATIBLE");
    flag("excludeLeanRuntime", "kEXCLUDE_LEAN_RUNTIME");
    flag("sparseWeights", "kSPARSE_WEIGHTS");
    flag("strictNans", "kSTRICT_NANS");
    flag("weightStreaming", "kWEIGHT_STREAMING");
    flag("directIO", "kDIRECT_IO");
    flag("debug", "kDEBUG");
    flag("disableTimingCache", "kDISABLE_TIMING_CACHE");
    keep("workspace", number(static_cast<double>(get<BuilderConfig::getMemoryPoolLimit>(api_.untraced_enumerator("MemoryPoolType", "kWORKSPACE")))));
    keep("optimizationLevel", number(get<BuilderConfig::getBuilderOptimizationLevel>()));
    keep("avgTimingIterations", number(get<BuilderConfig::getAvgTimingIterations>()));
    if (api_.has(BuilderConfig::getMaxNbTactics::info)) keep("maxTactics", number(get<BuilderConfig::getMaxNbTactics>()));
    keep("maxAuxStreams", number(get<BuilderConfig::getMaxAuxStreams>()));
    keep("profilingVerbosity", text(api_.spelling("ProfilingVerbosity", get<BuilderConfig::getProfilingVerbosity>())));
    if (api_.flavor == Flavor::rtx1) {
      keep("computeCapabilities", compute_capabilities());
    } else {
      keep("pluginsToSerialize", plugins());
      keep("hardwareCompatibility", text(api_.spelling("HardwareCompatibilityLevel", get<BuilderConfig::getHardwareCompatibilityLevel>())));
    }
    return std::move(held_);
  }

 private:
  void keep(char const* option, Value value) {
    if (given_.has(option)) compare(option, given_.value(option), value);
    held_.emplace_back(option, std::move(value));
  }
  void flag(char const* option, char const* name) {
    int32_t value = 0;
    try {
      value = api_.untraced_enumerator("BuilderFlag", name);
    } catch (Error const& error) {
      if (error.code != "ERR_UNSUPPORTED") throw;
      return;  // not in this release, which refused it before
    }
    keep(option, {get<m::BuilderConfig::getFlag>(value)});
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
  ntrt::BuilderConfig* config_;
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

Value::Object read_options(Api const& api, BuilderConfig* config, Params const& given) { return Reader(api, config, given).read(); }

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
