#include "config.h"

namespace standin {

namespace {

NAMED(VOptimizationProfile);
NAMED(VBuilderConfig);

OptimizationProfile& profile(void* f) { return self<OptimizationProfile>(f); }
bool set_dims(void* f, char const* input, int32_t which, Dims const& dims) { return profile(f).ranges[input].dims[which] = dims, true; }
Dims get_dims(void* f, char const* input, int32_t which) {
  Dims none;
  none.rank = -1;
  auto const found = profile(f).ranges.find(input);
  return found == profile(f).ranges.end() ? none : found->second.dims[which];
}
bool set_values(void* f, char const* input, int32_t which, int32_t const* values, int32_t count) { return profile(f).ranges[input].values[which].assign(values, values + count), true; }
bool set_values64(void* f, char const* input, int32_t which, int64_t const* values, int32_t count) { return profile(f).ranges[input].values[which].assign(values, values + count), true; }
int32_t nb_values(void* f, char const* input) { return static_cast<int32_t>(profile(f).ranges[input].values[0].size()); }
int32_t const* get_values(void* f, char const* input, int32_t which) {
  auto const& values = profile(f).ranges[input].values[which];
  auto& narrow = profile(f).narrow[which][input];
  narrow.assign(values.begin(), values.end());
  return narrow.data();
}
int64_t const* get_values64(void* f, char const* input, int32_t which) { return profile(f).ranges[input].values[which].data(); }
bool set_extra_memory(void*, float) { return true; }
bool is_valid(void*) { return true; }

void* const* profile_methods() {
  namespace s = slot::VOptimizationProfile;
  static void* const* const made = table<VOptimizationProfileName>(
      {at(s::setDimensions, &set_dims), at(s::getDimensions, &get_dims), at(s::setShapeValues, &set_values), at(s::getNbShapeValues, &nb_values), at(s::getShapeValues, &get_values), at(s::setShapeValuesV2, &set_values64),
       at(s::getShapeValuesV2, &get_values64), at(s::setExtraMemoryTarget, &set_extra_memory), at(s::isValid, &is_valid)});
  return made;
}

Config& config(void* f) { return self<Config>(f); }
void set_flag(void* f, int32_t flag) { config(f).flags.insert(flag); }
void clear_flag(void* f, int32_t flag) { config(f).flags.erase(flag); }
bool get_flag(void* f, int32_t flag) { return config(f).flags.count(flag); }
int32_t add_profile(void* f, void* handle) {
  auto* const given = static_cast<OptimizationProfile*>(static_cast<Handle*>(handle));
  config(f).profiles.push_back(given);
  return static_cast<int32_t>(config(f).profiles.size()) - 1;
}
int32_t nb_profiles(void* f) { return static_cast<int32_t>(config(f).profiles.size()); }
void set_pool(void* f, int32_t pool, uint64_t size) { config(f).pools[pool] = size; }
uint64_t get_pool(void* f, int32_t pool) { return config(f).pools[pool]; }
void set_preview(void* f, int32_t feature, bool on) { config(f).previews[feature] = on; }
bool get_preview(void* f, int32_t feature) { return config(f).previews[feature]; }
void set_monitor(void* f, void* monitor) { config(f).monitor = monitor; }
void set_libraries(void* f, char const* const* paths, int32_t count) { config(f).libraries.assign(paths, paths + count); }
char const* get_library(void* f, int32_t i) { return config(f).libraries.at(i).c_str(); }
int32_t nb_libraries(void* f) { return static_cast<int32_t>(config(f).libraries.size()); }
template <auto member>
void set(void* f, int32_t value) {
  config(f).*member = value;
}
template <auto member>
int32_t get(void* f) {
  return config(f).*member;
}
bool set_streams(void* f, int32_t value) { return config(f).streams = value, true; }

void* const* config_methods() {
  namespace s = slot::VBuilderConfig;
  static void* const* const made = table<VBuilderConfigName>(
      {at(s::setFlag, &set_flag), at(s::clearFlag, &clear_flag), at(s::getFlag, &get_flag), at(s::addOptimizationProfile, &add_profile), at(s::getNbOptimizationProfiles, &nb_profiles), at(s::setMemoryPoolLimit, &set_pool),
       at(s::getMemoryPoolLimit, &get_pool), at(s::setPreviewFeature, &set_preview), at(s::getPreviewFeature, &get_preview), at(s::setProgressMonitor, &set_monitor), at(s::setPluginsToSerialize, &set_libraries),
       at(s::getPluginToSerialize, &get_library), at(s::getNbPluginsToSerialize, &nb_libraries), at(s::setAvgTimingIterations, &set<&Config::timings>), at(s::getAvgTimingIterations, &get<&Config::timings>),
       at(s::setBuilderOptimizationLevel, &set<&Config::level>), at(s::getBuilderOptimizationLevel, &get<&Config::level>), at(s::setProfilingVerbosity, &set<&Config::verbosity>),
       at(s::getProfilingVerbosity, &get<&Config::verbosity>), at(s::setHardwareCompatibilityLevel, &set<&Config::hardware>), at(s::getHardwareCompatibilityLevel, &get<&Config::hardware>),
       at(s::setMaxAuxStreams, &set<&Config::streams>), at(s::setMaxAuxStreamsV11, &set_streams), at(s::getMaxAuxStreams, &get<&Config::streams>), at(s::setMaxNbTactics, &set<&Config::tactics>),
       at(s::getMaxNbTactics, &get<&Config::tactics>)});
  return made;
}

}  // namespace

// The profile belongs to the builder; it is never freed here.
OptimizationProfile::OptimizationProfile() : Handle(child_table(), profile_methods()) {}
Config::Config() : Handle(handle_table<Config>(), config_methods()) {}

}  // namespace standin
