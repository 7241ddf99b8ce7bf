// binding.ts's BuildReport.
#pragma once

#include <napi.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "../lowering/read_back.h"
#include "build.h"

namespace ntrt {

struct Report {
  Plan plan;
  std::string flavor;
  std::string version;
  double lower_ms = 0;
  double build_ms = 0;
  std::vector<std::string> shape_inputs;
  Value::Object options;
  std::optional<std::string> timing_cache;
  // Of an engine that may be refitted.
  std::deque<Lowering::Constant> constants;
  // Of a build that only lowers.
  std::optional<std::vector<Lowering::Record>> layers;
  // Where the network was read back.
  std::optional<std::vector<HeldLayer>> held;
  Lowering::Names names;
};

// `log`: TensorRT's warnings and errors.
Napi::Object to_js(Napi::Env env, Report const& report, std::vector<std::string> const& log);

}  // namespace ntrt
