// Streaming weights from host memory, in engines built with `weightStreaming`.
#pragma once

#include <cstdint>
#include <optional>

#include "../tensorrt/api.h"

namespace ntrt {

struct WeightStreaming {
  int64_t size = 0;     // bytes of all weights that can be streamed
  int64_t budget = 0;   // bytes of them that stay on the GPU
  int64_t minimum = 0;  // of the budget
  int64_t scratch = 0;  // bytes that every context takes in addition
};

struct WeightBudget {
  int64_t bytes = 0;
  bool automatic = false;  // as much as there is free GPU memory
};

// Nothing if no weights of the engine can be streamed.
std::optional<WeightStreaming> weight_streaming(Api const& api, Engine* engine);

// Before the first context exists. Bytes beyond the size are as good as the size. Throws ERR_UNSUPPORTED, ERR_LOAD and ERR_ENGINE.
void set_weight_budget(Api const& api, Engine* engine, WeightBudget budget);

}  // namespace ntrt
