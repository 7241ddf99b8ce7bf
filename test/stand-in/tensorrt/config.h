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

struct Config : Handle {
  std::set<int32_t> flags{6};  // kTF32 is on
  std::map<int32_t, bool> previews;
  std::map<int32_t, uint64_t> pools{{0, uint64_t{1} << 30}};
  std::vector<OptimizationProfile*> profiles;
  std::vector<std::string> libraries;
  int32_t timings = 1, level = 3, verbosity = 0, hardware = 0, streams = -1, tactics = -1;
  void* monitor = nullptr;
  Config();
};

}  // namespace standin
