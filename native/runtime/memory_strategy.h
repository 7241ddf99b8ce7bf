// Creating execution contexts, and the GPU memory that their activations take.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../tensorrt/api.h"

namespace ntrt {

enum class MemoryStrategy {
  own,      // the most that any profile needs, allocated with the context
  profile,  // what the current profile needs, allocated when it changes
  given,    // none: `give_memory` provides it before every run
};

// What only TensorRT-RTX has. Enumerators as the IR spells them.
struct RtxOptions {
  std::string cuda_graph_strategy;             // "disabled", "whole_graph_capture"; empty: TensorRT's default
  std::string dynamic_shapes_specialization;   // "lazy", "eager", "none"; empty: TensorRT's default
  std::optional<std::vector<uint8_t>> cache;   // compiled kernels of an earlier process, or none yet
};

// A context, and what it was made with, which stays until the context is gone.
struct CreatedContext {
  Owned<RuntimeCache> cache;
  Owned<RuntimeConfig> config;
  Owned<ExecutionContext> context;
};

// Throws ERR_CONTEXT, and ERR_UNSUPPORTED for options of TensorRT-RTX on another library.
CreatedContext create_execution_context(Api const& api, Engine* engine, MemoryStrategy strategy, RtxOptions const& rtx = {});

// The kernels that TensorRT-RTX has compiled so far. Throws ERR_CONTEXT if the context was made without a cache.
std::vector<uint8_t> runtime_cache_bytes(Api const& api, CreatedContext const& created);

// Bytes of activation memory that a run needs at most, by profile. They depend on the budget for streamed weights.
std::vector<int64_t> memory_sizes(Api const& api, Engine* engine);

// For a context of the strategy `given`. The memory is in use until the run ends.
void give_memory(Api const& api, ExecutionContext* context, void* memory, int64_t bytes);

}  // namespace ntrt
