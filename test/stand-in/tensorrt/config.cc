#include "config.h"

#include <sstream>

namespace standin {

namespace {

NAMED(VOptimizationProfile);
NAMED(VBuilderConfig);
NAMED(VTimingCache);

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
void* timing_cache(void* f, void const* data, uint64_t size) {
  (void)f;
  auto cache = std::make_unique<TimingCache>();
  cache->owner = TimingCache::here();
  if (size == 0) return static_cast<Handle*>(cache.release());
  std::istringstream text(std::string(static_cast<char const*>(data), size));
  std::string tag, end;
  std::getline(text, tag);
  std::getline(text, cache->owner);
  for (std::string line; std::getline(text, line);) {
    if (end == "end") end = "more";
    if (line == "end") {
      end = line;
      continue;
    }
    size_t const tab = line.find('\t');
    if (tab == std::string::npos) break;
    cache->entries[line.substr(0, tab)] = std::atoi(line.c_str() + tab);
  }
  if (tag != "stand-in timing cache" || end != "end") {
    log(warning, "The timing cache has a wrong header or is damaged: an empty one is used.");
    cache->entries.clear();
    cache->owner = TimingCache::here();
  }
  return static_cast<Handle*>(cache.release());
}
TimingCache* cache_of(void const* handle) { return static_cast<TimingCache*>(static_cast<Handle*>(const_cast<void*>(handle))); }
bool fits(TimingCache const& cache, std::string const& owner, bool ignore) {
  if (cache.owner == owner || ignore) return true;
  log(error, "Timing cache of " + cache.owner + ", here is " + owner + ": Error Code 3: API Usage Error (verification failed)");
  return false;
}
bool set_timing_cache(void* f, void const* cache, bool ignore) {
  if (!fits(*cache_of(cache), TimingCache::here(), ignore)) return false;
  config(f).timing_cache = cache_of(cache);
  return true;
}
void const* get_timing_cache(void* f) { return config(f).timing_cache ? static_cast<Handle*>(config(f).timing_cache) : nullptr; }
bool combine(void* f, void const* other, bool ignore) {
  auto& cache = self<TimingCache>(f);
  if (!fits(*cache_of(other), cache.owner, ignore)) return false;
  cache.entries.insert(cache_of(other)->entries.begin(), cache_of(other)->entries.end());
  return true;
}
bool reset_cache(void* f) { return self<TimingCache>(f).entries.clear(), true; }
void* serialize_cache(void* f) { return host_memory(self<TimingCache>(f).serialize()); }
bool set_sources(void* f, uint32_t sources) {
  if (sources >> (RELEASE < 110000 ? 5 : 2)) return log(error, "Error Code 3: API Usage Error (invalid tactic sources)"), false;
  return config(f).sources = sources, true;
}
uint32_t get_sources(void* f) { return config(f).sources; }
bool set_tiling(void* f, int32_t level) { return config(f).tiling = level, true; }
bool set_l2(void* f, int64_t bytes) { return config(f).l2 = bytes, true; }
int64_t get_l2(void* f) { return config(f).l2; }
// As TensorRT's documentation shows it.
constexpr char routes[] = R"({"tuner_version": "2.19.15", "tuner_options": [{"option": "-conv_use_long_w", "allowed_values": "-conv_use_long_w=[on|off]", "default_value": "on", "help": "Convert Conv."}]})";
bool set_route(void* f, char const* route) { return config(f).route = route, true; }
char const* get_route(void* f) { return config(f).route.c_str(); }
char const* all_routes(void*) { return routes; }
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
       at(s::getMaxNbTactics, &get<&Config::tactics>), at(s::setEngineCapability, &set<&Config::capability>), at(s::getEngineCapability, &get<&Config::capability>), at(s::setRuntimePlatform, &set<&Config::platform>),
       at(s::getRuntimePlatform, &get<&Config::platform>), at(s::setTacticSources, &set_sources), at(s::getTacticSources, &get_sources), at(s::setTilingOptimizationLevel, &set_tiling),
       at(s::getTilingOptimizationLevel, &get<&Config::tiling>), at(s::setL2LimitForTiling, &set_l2), at(s::getL2LimitForTiling, &get_l2), at(s::setBuildRoute, &set_route), at(s::getBuildRoute, &get_route),
       at(s::getAllBuildRoutes, &all_routes), at(s::createTimingCache, &timing_cache), at(s::setTimingCache, &set_timing_cache), at(s::getTimingCache, &get_timing_cache)});
  return made;
}
void* const* cache_methods() {
  namespace s = slot::VTimingCache;
  static void* const* const made = table<VTimingCacheName>({at(s::serialize, &serialize_cache), at(s::combine, &combine), at(s::reset, &reset_cache)});
  return made;
}

}  // namespace

// The profile belongs to the builder; it is never freed here.
OptimizationProfile::OptimizationProfile() : Handle(child_table(), profile_methods()) {}
TimingCache::TimingCache() : Handle(handle_table<TimingCache>(), cache_methods()) {}
std::string TimingCache::here() { return std::to_string(RELEASE) + " " + environment("STANDIN_CAPABILITY"); }
std::string TimingCache::serialize() const {
  std::string text = "stand-in timing cache\n" + owner + "\n";
  for (auto const& [key, tactic] : entries) text += key + "\t" + std::to_string(tactic) + "\n";
  return text + "end\n";
}
Config::Config() : Handle(handle_table<Config>(), config_methods()) {}

}  // namespace standin
