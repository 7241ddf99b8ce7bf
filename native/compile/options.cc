#include "options.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ntrt {

namespace {

class Options {
 public:
  Options(Api const& api, BuilderConfig* config, Params const& given, LogSink const& log) : api_(api), config_(config), given_(given), log_(log) {}

  template <class M, class... A>
  auto call(A... args) {
    return ntrt::call<M>(api_, config_, args...);
  }
  // Most setters return nothing: a refusal shows only in TensorRT's log.
  template <class F>
  void set(char const* option, F&& apply) {
    if (!given_.has(option)) return;
    size_t const before = log_.failures();
    try {
      apply();
      require(log_.failures() == before);
    } catch (Error const& error) {
      throw Error(error.code, std::string("build option ") + option + ": " + error.what());
    }
  }
  static void require(bool accepted) {
    if (!accepted) throw Error("ERR_BUILD_OPTION", "TensorRT refused it");
  }
  int32_t number(char const* option) const { return static_cast<int32_t>(given_.integer(option)); }
  int32_t enumerator(char const* name, char const* option) const { return api_.enumerator(name, given_.text(option)); }

  void apply() {
    static constexpr std::pair<char const*, char const*> flags[] = {
        {"tf32", "kTF32"},
        {"refit", "kREFIT"},
        {"stripPlan", "kSTRIP_PLAN"},
        {"versionCompatible", "kVERSION_COMPATIBLE"},
        {"sparseWeights", "kSPARSE_WEIGHTS"},
        {"strictNans", "kSTRICT_NANS"},
        {"weightStreaming", "kWEIGHT_STREAMING"},
        {"debug", "kDEBUG"},
        {"excludeLeanRuntime", "kEXCLUDE_LEAN_RUNTIME"},
        {"refitIdentical", "kREFIT_IDENTICAL"},
        {"disableTimingCache", "kDISABLE_TIMING_CACHE"},
        {"directIO", "kDIRECT_IO"},
    };
    using namespace m;
    for (auto const& entry : flags) {
      set(entry.first, [&, flag = entry.second, option = entry.first] {
        int32_t const value = api_.enumerator("BuilderFlag", flag);
        if (given_.flag(option)) {
          call<BuilderConfig::setFlag>(value);
        } else {
          call<BuilderConfig::clearFlag>(value);
        }
      });
    }
    set("workspace", [&] { call<BuilderConfig::setMemoryPoolLimit>(api_.enumerator("MemoryPoolType", "kWORKSPACE"), static_cast<uint64_t>(given_.real("workspace"))); });
    set("optimizationLevel", [&] { call<BuilderConfig::setBuilderOptimizationLevel>(number("optimizationLevel")); });
    set("avgTimingIterations", [&] { call<BuilderConfig::setAvgTimingIterations>(number("avgTimingIterations")); });
    set("maxTactics", [&] { call<BuilderConfig::setMaxNbTactics>(number("maxTactics")); });
    set("profilingVerbosity", [&] { call<BuilderConfig::setProfilingVerbosity>(enumerator("ProfilingVerbosity", "profilingVerbosity")); });
    set("hardwareCompatibility", [&] {
      if (api_.flavor == Flavor::rtx1) throw Error("ERR_UNSUPPORTED", "TensorRT-RTX takes computeCapabilities instead");
      call<BuilderConfig::setHardwareCompatibilityLevel>(enumerator("HardwareCompatibilityLevel", "hardwareCompatibility"));
    });
    set("pluginsToSerialize", [&] {
      if (api_.flavor == Flavor::rtx1) throw Error("ERR_UNSUPPORTED", "TensorRT-RTX has no plugin layers");
      std::vector<char const*> paths;
      auto const given = given_.texts("pluginsToSerialize");
      for (auto const& path : given) {
        if (access(path.c_str(), R_OK) != 0) throw Error("ERR_BUILD_OPTION", path + " cannot be read: " + std::strerror(errno));
        paths.push_back(path.c_str());
      }
      call<BuilderConfig::setPluginsToSerialize>(paths.data(), static_cast<int32_t>(paths.size()));
    });
    set("maxAuxStreams", [&] {
      if (api_.flavor == Flavor::trt10) {
        call<BuilderConfig::setMaxAuxStreams>(number("maxAuxStreams"));
      } else {
        require(call<BuilderConfig::setMaxAuxStreamsV11>(number("maxAuxStreams")));
      }
    });
    set("computeCapabilities", [&] {
      auto const list = given_.integers("computeCapabilities");
      require(call<BuilderConfig::setNbComputeCapabilities>(static_cast<int32_t>(list.size())));
      for (size_t i = 0; i < list.size(); i++) {
        require(call<BuilderConfig::setComputeCapability>(api_.enumerator("ComputeCapability", "kSM" + std::to_string(list[i])), static_cast<int32_t>(i)));
      }
    });
  }

 private:
  Api const& api_;
  ntrt::BuilderConfig* config_;
  Params const& given_;
  LogSink const& log_;
};

}  // namespace

void apply_options(Api const& api, BuilderConfig* config, Params const& given, LogSink const& log) { Options(api, config, given, log).apply(); }

}  // namespace ntrt
