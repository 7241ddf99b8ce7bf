#include "streaming.h"

#include <algorithm>
#include <string>

namespace ntrt {

namespace {

// 10.0 counts otherwise: 0 is all weights, -1 TensorRT's choice.
bool is_old(Api const& api) { return !api.has(m::Engine::setWeightStreamingBudgetV2::info); }

}  // namespace

std::optional<WeightStreaming> weight_streaming(Api const& api, Engine* engine) {
  WeightStreaming streaming;
  streaming.size = call<m::Engine::getStreamableWeightsSize>(api, engine);
  if (streaming.size <= 0) return std::nullopt;
  if (is_old(api)) {
    streaming.budget = call<m::Engine::getWeightStreamingBudget>(api, engine);
    if (streaming.budget <= 0) streaming.budget = streaming.size;
    streaming.minimum = streaming.scratch = call<m::Engine::getMinimumWeightStreamingBudget>(api, engine);
  } else {
    streaming.budget = call<m::Engine::getWeightStreamingBudgetV2>(api, engine);
    streaming.scratch = call<m::Engine::getWeightStreamingScratchMemorySize>(api, engine);
  }
  return streaming;
}

void set_weight_budget(Api const& api, Engine* engine, WeightBudget wanted) {
  auto const streaming = weight_streaming(api, engine);
  if (!streaming) throw Error("ERR_UNSUPPORTED", "weightStreamingBudget: the engine has no weights that can be streamed: build it with weightStreaming: true");
  if (!wanted.automatic && wanted.bytes < streaming->minimum) {
    throw Error("ERR_LOAD", "weightStreamingBudget: expected at least " + std::to_string(streaming->minimum) + " bytes, given " + std::to_string(wanted.bytes));
  }
  bool const is_all = wanted.bytes >= streaming->size;
  bool is_set = false;
  if (is_old(api)) {
    is_set = call<m::Engine::setWeightStreamingBudget>(api, engine, wanted.automatic ? int64_t{-1} : is_all ? int64_t{0} : wanted.bytes);
  } else {
    int64_t const bytes = wanted.automatic ? call<m::Engine::getWeightStreamingAutomaticBudget>(api, engine) : std::min(wanted.bytes, streaming->size);
    is_set = call<m::Engine::setWeightStreamingBudgetV2>(api, engine, bytes);
  }
  if (!is_set) {
    std::string const given = wanted.automatic ? "its own choice" : std::to_string(wanted.bytes) + " of " + std::to_string(streaming->size) + " bytes";
    throw Error("ERR_ENGINE", "weightStreamingBudget: TensorRT refused " + given);
  }
}

}  // namespace ntrt
