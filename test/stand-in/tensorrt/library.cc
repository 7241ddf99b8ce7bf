// The stand-in's exported functions, IBuilder and IRuntime. It follows what was seen of TensorRT 10.6 (../shared/plugins-10.6.md).
#include <dlfcn.h>

#include <algorithm>

#include "build.h"
#include "engine.h"
#include "refit.h"

namespace standin {

size_t size_of(int32_t type) {
  constexpr size_t sizes[] = {4, 2, 1, 4, 1, 1, 1, 2, 8, 1};
  if (type < 0 || type > 9) die("dtype " + std::to_string(type));
  return sizes[type];
}

std::string text_of(Dims const& dims) {
  std::string out;
  for (int i = 0; i < dims.rank; i++) out += (i ? "," : "") + std::to_string(dims.d[i]);
  return "[" + out + "]";
}

Cuda const& cuda() {
  static Cuda const* const loaded = [] {
    void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) die(std::string("no driver: ") + dlerror());
    auto* const c = new Cuda;
#define LOAD(NAME) c->NAME = reinterpret_cast<decltype(c->NAME)>(dlsym(library, #NAME))
    LOAD(cuInit), LOAD(cuDeviceGet), LOAD(cuDevicePrimaryCtxRetain), LOAD(cuCtxSetCurrent), LOAD(cuCtxGetCurrent), LOAD(cuMemAlloc_v2), LOAD(cuMemFree_v2), LOAD(cuStreamCreate), LOAD(cuStreamDestroy_v2), LOAD(cuStreamSynchronize), LOAD(standin_submit);
    LOAD(cuStreamWaitEvent), LOAD(cuEventCreate), LOAD(cuEventRecord), LOAD(cuEventDestroy_v2);
#undef LOAD
    c->cuInit(0);
    return c;
  }();
  return *loaded;
}

bool on_stream(void* stream, std::function<void()> work, std::vector<void*> uses) {
  using Work = std::function<void()>;
  std::erase_if(uses, [](void* address) { return !is_device(address); });
  auto const run = [](void* data) { (*static_cast<Work*>(data))(); };
  auto const release = [](void* data) { delete static_cast<Work*>(data); };
  return cuda().standin_submit(stream, run, release, new Work(std::move(work)), uses.data(), uses.size()) == 0;
}

bool has_context() {
  void* context = nullptr;
  cuda().cuCtxGetCurrent(&context);
  return context;
}
void need_context() {
  if (has_context()) return;
  void* context = nullptr;
  cuda().cuDevicePrimaryCtxRetain(&context, 0);
  cuda().cuCtxSetCurrent(context);
}

void* Memory::reserve(size_t bytes) {
  if (address_ && (bytes == 0 || bytes > size_)) cuda().cuMemFree_v2(std::exchange(address_, 0));
  if (!address_ && bytes && cuda().cuMemAlloc_v2(&address_, size_ = bytes)) address_ = 0;
  return get();
}

namespace {

NAMED(VHostMemory);
NAMED(VBuilder);
NAMED(VRuntime);

struct HostMemory : Handle {
  std::string bytes;
  explicit HostMemory(std::string bytes);
};
void* memory_data(void* f) { return self<HostMemory>(f).bytes.data(); }
uint64_t memory_size(void* f) { return self<HostMemory>(f).bytes.size(); }
void* const* memory_methods() {
  static void* const* const made = table<VHostMemoryName>({at(slot::VHostMemory::data, &memory_data), at(slot::VHostMemory::size, &memory_size)});
  return made;
}
HostMemory::HostMemory(std::string bytes) : Handle(handle_table<HostMemory>(), memory_methods()), bytes(std::move(bytes)) {}

struct Builder : Handle {
  Registry* registry = make_registry();
  int32_t threads = 1;
  Builder();
  ~Builder() { free_registry(registry); }
};
void* create_config(void*) { return static_cast<Handle*>(new Config); }
void* create_network(void*, uint32_t) { return static_cast<Handle*>(new Network); }
void* create_profile(void*) { return static_cast<Handle*>(new OptimizationProfile); }
void* build_serialized(void*, void* network, void* config) {
  auto bytes = build(*static_cast<Network*>(static_cast<Handle*>(network)), *static_cast<Config*>(static_cast<Handle*>(config)));
  return bytes ? host_memory(std::move(*bytes)) : nullptr;
}
bool is_supported(void*, void*, void*) { return true; }
bool set_threads(void*, int32_t) { return true; }
bool set_max_threads(void* f, int32_t threads) { return self<Builder>(f).threads = threads, true; }
int32_t get_max_threads(void* f) { return self<Builder>(f).threads; }
void* builder_registry(void* f) { return self<Builder>(f).registry; }
void* const* builder_methods() {
  namespace s = slot::VBuilder;
  static void* const* const made = table<VBuilderName>({at(s::createBuilderConfig, &create_config), at(s::createNetworkV2, &create_network), at(s::createOptimizationProfile, &create_profile), at(s::buildSerializedNetwork, &build_serialized),
                                                        at(s::isNetworkSupported, &is_supported), at(s::setMaxThreads, &set_max_threads), at(s::getMaxThreads, &get_max_threads), at(s::getPluginRegistry, &builder_registry)});
  return made;
}
Builder::Builder() : Handle(handle_table<Builder>(), builder_methods()) {}

struct Runtime : Handle {
  Registry* registry = make_registry();
  Recorder recorder;
  bool host_code = false;
  Runtime();
  ~Runtime() { free_registry(registry); }
};
void* deserialize_engine(void* f, void const* data, uint64_t size) {
  Line("tensorrt", "deserializeCudaEngine").number("bytes", static_cast<int64_t>(size));
  // All pages are read, as by TensorRT, and not copied: zeros far behind a plan are no part of it.
  auto const* const bytes = static_cast<char const*>(data);
  size_t used = size;
  while (used > 0 && bytes[used - 1] == 0) used--;
  Engine* const engine = deserialize(std::string(bytes, std::min<size_t>(size, used + 4096)), self<Runtime>(f).registry, &self<Runtime>(f).recorder);
  return engine ? static_cast<Handle*>(engine) : nullptr;
}
void allow_host_code(void* f, bool allowed) { self<Runtime>(f).host_code = allowed; }
bool host_code_allowed(void* f) { return self<Runtime>(f).host_code; }
void set_recorder(void* f, void* recorder) { self<Runtime>(f).recorder.set(recorder); }
void* get_recorder(void* f) { return self<Runtime>(f).recorder.get(); }
void* runtime_registry(void* f) { return self<Runtime>(f).registry; }
void* const* runtime_methods() {
  namespace s = slot::VRuntime;
  static void* const* const made = table<VRuntimeName>({at(s::deserializeCudaEngine, &deserialize_engine), at(s::setMaxThreads, &set_threads), at(s::setEngineHostCodeAllowed, &allow_host_code), at(s::getEngineHostCodeAllowed, &host_code_allowed),
                                                        at(s::getPluginRegistry, &runtime_registry), at(s::setErrorRecorder, &set_recorder), at(s::getErrorRecorder, &get_recorder)});
  return made;
}
Runtime::Runtime() : Handle(handle_table<Runtime>(), runtime_methods()) {}

}  // namespace

void* host_memory(std::string bytes) { return static_cast<Handle*>(new HostMemory(std::move(bytes))); }

}  // namespace standin

extern "C" {

int32_t getInferLibVersion() { return RELEASE; }
void* createInferBuilder_INTERNAL(void* logger, int32_t version) {
  if (version / 10000 != RELEASE / 10000) return nullptr;
  set_logger(logger);
  need_context();
  return static_cast<Handle*>(new Builder);
}
void* createInferRuntime_INTERNAL(void* logger, int32_t version) {
  if (version / 10000 != RELEASE / 10000) return nullptr;
  set_logger(logger);
  return static_cast<Handle*>(new Runtime);
}
void* createInferRefitter_INTERNAL(void* engine, void* logger, int32_t version) {
  if (version / 10000 != RELEASE / 10000) return nullptr;
  set_logger(logger);
  return make_refitter(*static_cast<Engine*>(static_cast<Handle*>(engine)));
}
void* getPluginRegistry() { return global_registry(); }
void* getBuilderPluginRegistry(int32_t) { return global_registry(); }
}
