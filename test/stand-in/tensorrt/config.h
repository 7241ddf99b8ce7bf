// IBuilderConfig and IOptimizationProfile.
#pragma once

#include <memory>
#include <set>

#include "plan.h"

namespace standin {

struct OptimizationProfile : Handle {
  Profile ranges;
  std::map<std::string, std::vector<int32_t>> narrow[3];  // what getShapeValues returned
  OptimizationProfile();
};

// An IHostMemory with these bytes.
void* host_memory(std::string bytes);

// What was measured, by tactic's key. Of one GPU and one release.
struct TimingCache : Handle {
  std::map<std::string, int32_t> entries;
  std::string owner;  // "10.6.0 9.0"
  TimingCache();
  std::string serialize() const;
  static std::string here();
};

struct Config : Handle {
  std::set<int32_t> flags{6};  // kTF32 is on
  std::map<int32_t, bool> previews;
  std::map<int32_t, uint64_t> pools{{0, uint64_t{1} << 30}};
  std::vector<OptimizationProfile*> profiles;
  std::vector<std::string> libraries;
  int32_t timings = 1, level = 3, verbosity = 0, hardware = 0, streams = -1, tactics = -1, capability = 0, platform = 0, tiling = 0;
  int64_t l2 = -1;
  uint32_t sources = RELEASE < 110000 ? 24 : 3;  // edge mask and JIT convolutions
  std::string route;
  void* monitor = nullptr;
  TimingCache* timing_cache = nullptr;  // the caller's
  Config();
};

}  // namespace standin
