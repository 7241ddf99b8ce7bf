#include "memory_strategy.h"

namespace ntrt {

namespace {

template <class Setter, class Getter>
void set_strategy(Api const& api, RuntimeConfig* config, char const* type, std::string const& value, char const* option) {
  if (value.empty()) return;
  int32_t const wanted = api.enumerator(type, value);
  call<Setter>(api, config, wanted);
  int32_t const held = call<Getter>(api, config);
  if (held != wanted) throw Error("ERR_CONTEXT", std::string(option) + ": asked for " + value + ", TensorRT holds " + api.spelling(type, held));
}

void set_cache(Api const& api, CreatedContext& created, std::vector<uint8_t> const& bytes) {
  auto* config = created.config.get();
  created.cache = Owned<RuntimeCache>(call<m::RuntimeConfig::createRuntimeCache>(api, config));
  auto* cache = created.cache.get();
  if (!cache) throw Error("ERR_CONTEXT", "TensorRT could not create a runtime cache");
  if (!bytes.empty() && !call<m::RuntimeCache::deserialize>(api, cache, static_cast<void const*>(bytes.data()), uint64_t{bytes.size()})) {
    throw Error("ERR_CONTEXT", "TensorRT refused the runtime cache: it is damaged, or of another release or GPU");
  }
  if (!call<m::RuntimeConfig::setRuntimeCache>(api, config, static_cast<RuntimeCache const*>(cache))) throw Error("ERR_CONTEXT", "TensorRT refused the runtime cache");
}

void set_rtx(Api const& api, CreatedContext& created, RtxOptions const& rtx) {
  namespace c = m::RuntimeConfig;
  auto* config = created.config.get();
  set_strategy<c::setCudaGraphStrategy, c::getCudaGraphStrategy>(api, config, "CudaGraphStrategy", rtx.cuda_graph_strategy, "cudaGraphStrategy");
  set_strategy<c::setDynamicShapesKernelSpecializationStrategy, c::getDynamicShapesKernelSpecializationStrategy>(
      api, config, "DynamicShapesKernelSpecializationStrategy", rtx.dynamic_shapes_specialization, "dynamicShapesKernelSpecialization");
  if (rtx.cache) set_cache(api, created, *rtx.cache);
}

// Before the context is created: the message names the release that has the option.
void require_rtx(Api const& api, RtxOptions const& rtx) {
  namespace c = m::RuntimeConfig;
  auto const require = [&](bool is_given, MethodInfo const& method) {
    if (is_given && !api.has(method)) throw_unsupported(api, method);
  };
  require(!rtx.cuda_graph_strategy.empty(), c::setCudaGraphStrategy::info);
  require(!rtx.dynamic_shapes_specialization.empty(), c::setDynamicShapesKernelSpecializationStrategy::info);
  require(rtx.cache.has_value(), c::createRuntimeCache::info);
}

}  // namespace

CreatedContext create_execution_context(Api const& api, Engine* engine, MemoryStrategy strategy, RtxOptions const& rtx) {
  static constexpr char const* names[] = {"kSTATIC", "kON_PROFILE_CHANGE", "kUSER_MANAGED"};
  int32_t const allocation = api.enumerator("ExecutionContextAllocationStrategy", names[static_cast<int>(strategy)]);
  require_rtx(api, rtx);
  CreatedContext created;
  if (api.has(m::Engine::createRuntimeConfig::info)) {
    created.config = Owned<RuntimeConfig>(call<m::Engine::createRuntimeConfig>(api, engine));
    auto* config = created.config.get();
    if (!config) throw Error("ERR_CONTEXT", "TensorRT could not create a runtime configuration");
    call<m::RuntimeConfig::setExecutionContextAllocationStrategy>(api, config, allocation);
    set_rtx(api, created, rtx);
    created.context = Owned<ExecutionContext>(call<m::Engine::createExecutionContextWithRuntimeConfig>(api, engine, config));
  } else {
    created.context = Owned<ExecutionContext>(call<m::Engine::createExecutionContext>(api, engine, allocation));
  }
  if (!created.context) throw Error("ERR_CONTEXT", "TensorRT could not create an execution context");
  return created;
}

std::vector<uint8_t> runtime_cache_bytes(Api const& api, CreatedContext const& created) {
  if (!created.cache) throw Error("ERR_CONTEXT", "runtimeCache: the context was made without rtx.runtimeCache");
  Owned<HostMemory> const memory(call<m::RuntimeCache::serialize>(api, created.cache.get()));
  if (!memory) throw Error("ERR_CONTEXT", "TensorRT could not serialize the runtime cache");
  auto const* bytes = static_cast<uint8_t const*>(call<m::HostMemory::data>(api, memory.get()));
  return {bytes, bytes + call<m::HostMemory::size>(api, memory.get())};
}

std::vector<int64_t> memory_sizes(Api const& api, Engine* engine) {
  bool const is_wide = api.has(m::Engine::getDeviceMemorySizeForProfileV2::info);
  std::vector<int64_t> sizes(static_cast<size_t>(call<m::Engine::getNbOptimizationProfiles>(api, engine)));
  for (size_t i = 0; i < sizes.size(); i++) {
    auto const profile = static_cast<int32_t>(i);
    sizes[i] = is_wide ? call<m::Engine::getDeviceMemorySizeForProfileV2>(api, engine, profile)
                       : static_cast<int64_t>(call<m::Engine::getDeviceMemorySizeForProfile>(api, engine, profile));
  }
  return sizes;
}

void give_memory(Api const& api, ExecutionContext* context, void* memory, int64_t bytes) {
  if (api.has(m::ExecutionContext::setDeviceMemoryV2::info)) {
    call<m::ExecutionContext::setDeviceMemoryV2>(api, context, memory, bytes);
  } else {
    call<m::ExecutionContext::setDeviceMemory>(api, context, memory);
  }
}

}  // namespace ntrt
