#include "../core/handle.h"
#include "../cuda/heap.h"
#include "../plugin/failure.h"
#include "context.h"

namespace ntrt {

namespace {

enum class ActivationMemory { own, profile, shared, given };

struct Options {
  int32_t profile = 0;
  int32_t in_flight = 1;
  int32_t graphs = 0;
  ActivationMemory memory = ActivationMemory::own;
  std::shared_ptr<DeviceMemory> given;
  int32_t priority = 0;
  int32_t auxiliary = -1;  // TensorRT's own
  bool debug = false;
  RtxOptions rtx;
};

class ContextCreation : public Job {
 public:
  ContextCreation(std::shared_ptr<EngineState> engine, Options options) : options_(std::move(options)) { state_->engine = std::move(engine); }

  void work() override {
    auto& s = *state_;
    auto const& api = *s.engine->api;
    for (auto const& tensor : s.engine->io) {
      if (tensor.format == "linear") continue;
      throw Error("ERR_UNSUPPORTED", std::string(tensor.input ? "input '" : "output '") + tensor.name + "' has the format " + tensor.format + " in memory: contexts of this package take linear tensors only");
    }
    enter_library(&api, "creating an execution context");
    use_device(s.engine->device);
    s.compute = Stream::create(options_.priority);
    if (options_.in_flight > 1) {
      s.in = Stream::create(options_.priority);
      s.out = Stream::create(options_.priority);
    }
    create();
    if (s.engine->profiles > 1) {
      if (!call<m::ExecutionContext::setOptimizationProfileAsync>(api, s.handle(), options_.profile, s.compute.get())) {
        throw Error("ERR_PROFILE", "TensorRT refused optimization profile " + std::to_string(options_.profile));
      }
      s.compute.synchronize("choosing the optimization profile");
    }
    set_memory();
    set_auxiliary_streams();
    s.graphs.limit = static_cast<size_t>(options_.graphs);
    size_t const count = s.engine->io.size();
    s.run_buffers.resize(static_cast<size_t>(options_.in_flight));
    for (auto& one : s.run_buffers) one.device.resize(count);
    s.applied.forget(count);
    s.allocators.resize(count);
  }

  Napi::Value result(Napi::Env env) override {
    auto object = Napi::Object::New(env);
    object.Set("memorySize", static_cast<double>(state_->memory_size));
    object.Set("handle", make_handle(env, state_));
    return object;
  }

 private:
  void create() {
    auto& s = *state_;
    auto const& api = *s.engine->api;
    take_failure();
    auto const strategy = options_.memory == ActivationMemory::own       ? MemoryStrategy::own
                          : options_.memory == ActivationMemory::profile ? MemoryStrategy::profile
                                                                         : MemoryStrategy::given;
    try {
      s.created = create_execution_context(api, s.engine->engine.get(), strategy, options_.rtx);
    } catch (Error const& error) {
      auto const failure = take_failure();
      if (!failure) {
        require_memory(error.what());
        throw;
      }
      throw Error(error.code, std::string(error.what()) + ": " + failure->what());
    }
    record_errors(api, s.handle());
    if (options_.debug) s.debug = std::make_unique<DebugTensors>(api, s.handle());
  }

  // Bytes of activations: of the profile that needs most, and of the context's.
  std::pair<size_t, size_t> activation_sizes() const {
    auto const& engine = *state_->engine;
    auto const sizes = memory_sizes(*engine.api, engine.engine.get());
    size_t const profile = static_cast<size_t>(options_.profile);
    int64_t most = 0;
    for (int64_t const size : sizes) most = std::max(most, size);
    return {static_cast<size_t>(most), static_cast<size_t>(profile < sizes.size() ? sizes[profile] : most)};
  }

  // Throws ERR_OUT_OF_MEMORY if TensorRT cannot have found room for its activations.
  void require_memory(std::string const& error) const {
    if (options_.memory != ActivationMemory::own && options_.memory != ActivationMemory::profile) return;
    auto const [most, needed] = activation_sizes();
    size_t const asked = options_.memory == ActivationMemory::own ? most : needed;
    int const device = state_->engine->device;
    Heap::Use const use = Heap::of(device).use();
    if (use.free >= asked) return;
    throw Error("ERR_OUT_OF_MEMORY", error + ": it asked for " + std::to_string(asked) + " bytes of memory of GPU " + std::to_string(device) + ", " + std::to_string(use.free) + " of " + std::to_string(use.total) + " are free");
  }

  void set_memory() {
    auto& s = *state_;
    auto const& api = *s.engine->api;
    auto const [most, needed] = activation_sizes();
    s.memory_size = options_.memory == ActivationMemory::own ? most : needed;
    if (options_.memory == ActivationMemory::given) {
      require_room();
      s.activations = options_.given;
    }
    if (options_.memory == ActivationMemory::shared) {
      std::lock_guard lock(s.engine->shared_mutex);
      if (!s.engine->shared) s.engine->shared = DeviceMemory::allocate(s.engine->device, most, nullptr);
      s.activations = s.engine->shared;
    }
    if (s.activations) give_memory(api, s.handle(), s.activations->get(), static_cast<int64_t>(s.activations->bytes()));
  }

  void require_room() const {
    auto const& given = *options_.given;
    if (given.device() != state_->engine->device) {
      throw Error("ERR_CONTEXT", "memory: the tensor is on GPU " + std::to_string(given.device()) + ", the engine on GPU " + std::to_string(state_->engine->device));
    }
    if (given.bytes() < state_->memory_size) {
      throw Error("ERR_CONTEXT", "memory: the profile needs " + std::to_string(state_->memory_size) + " bytes, the tensor holds " + std::to_string(given.bytes()));
    }
  }

  void set_auxiliary_streams() {
    auto& s = *state_;
    if (options_.auxiliary < 0) return;
    std::vector<CUstream> streams;
    for (int32_t i = 0; i < options_.auxiliary; i++) {
      s.auxiliary.push_back(Stream::create(options_.priority));
      streams.push_back(s.auxiliary.back().get());
    }
    call<m::ExecutionContext::setAuxStreams>(*s.engine->api, s.handle(), streams.data(), static_cast<int32_t>(streams.size()));
  }

  std::shared_ptr<ContextState> state_ = make_released_later<ContextState>();
  Options const options_;
};

bool has(Given const& given, char const* key) { return !given.object().Get(key).IsUndefined(); }

RtxOptions read_rtx(Given const& given) {
  RtxOptions rtx;
  if (has(given, "cudaGraphStrategy")) rtx.cuda_graph_strategy = given.member("cudaGraphStrategy").text();
  if (has(given, "dynamicShapesKernelSpecialization")) rtx.dynamic_shapes_specialization = given.member("dynamicShapesKernelSpecialization").text();
  if (has(given, "runtimeCache")) {
    auto const bytes = given.member("runtimeCache").bytes();
    rtx.cache.emplace(bytes.Data(), bytes.Data() + bytes.ByteLength());
  }
  return rtx;
}

Options read_options(Given const& given) {
  Options options;
  options.profile = given.member("profile").integer();
  options.in_flight = std::max(1, given.member("inFlight").integer());
  options.graphs = given.member("graphs").integer();
  options.priority = given.member("priority").integer();
  if (has(given, "auxStreams")) options.auxiliary = given.member("auxStreams").integer();
  if (has(given, "debug")) options.debug = given.member("debug").flag();
  if (has(given, "rtx")) options.rtx = read_rtx(given.member("rtx"));
  auto const memory = given.member("memory");
  if (!memory.value().IsString()) {
    options.memory = ActivationMemory::given;
    options.given = state_of<DeviceMemory>(memory);
    return options;
  }
  auto const name = memory.text();
  if (name == "profile") options.memory = ActivationMemory::profile;
  if (name == "shared") options.memory = ActivationMemory::shared;
  return options;
}

}  // namespace

Napi::Value create_context(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto job = std::make_shared<ContextCreation>(state_of<EngineState>(argument(info, 0)), read_options(argument(info, 1)));
    return Job::start(info.Env(), job, Lane::engine);
  });
}

}  // namespace ntrt
