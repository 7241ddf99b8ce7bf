#include "engine.h"

#include <atomic>

#include <cstring>

#include "../build/build.h"
#include "../build/held.h"
#include "../build/job.h"
#include "../cuda/memory.h"
#include "../tensorrt/library.h"

namespace ntrt {

namespace {

struct IOTensor {
  std::string name;
  std::string dtype;
  bool input;
  bool host;  // lives in host memory: a shape tensor
  int32_t bits;
  std::vector<int64_t> shape;
  std::vector<std::vector<std::vector<int64_t>>> profiles;  // [profile][min, opt, max][axis], of inputs
};

int32_t bits_of(std::string const& dtype) {
  if (dtype == "float32" || dtype == "int32") return 32;
  if (dtype == "int64") return 64;
  if (dtype == "float16" || dtype == "bfloat16") return 16;
  if (dtype == "int4" || dtype == "float4e2m1") return 4;
  return 8;
}

std::vector<int64_t> to_vector(Dims const& dims) { return {dims.d, dims.d + std::max(0, std::min(dims.rank, 8))}; }

// Shared by its contexts; everything is destroyed with the device current.
struct EngineState {
  std::shared_ptr<Api const> api;
  int device = 0;
  Plan plan;
  Owned<Runtime> runtime;
  Owned<Engine> engine;
  std::vector<IOTensor> io;
  int32_t profiles = 0;

  ~EngineState() {
    try {
      use_device(device);
    } catch (...) {
    }
    engine = Owned<Engine>();
    runtime = Owned<Runtime>();
  }
};

struct ContextState {
  std::shared_ptr<EngineState> engine;
  Owned<ExecutionContext> context;
  CUstream stream = nullptr;
  std::vector<DeviceBuffer> device;
  std::vector<PinnedBuffer> pinned;
  std::atomic<bool> busy{false};

  ~ContextState() {
    try {
      use_device(engine->device);
      context = Owned<ExecutionContext>();
      if (stream) driver().cuStreamDestroy_v2(stream);
      device.clear();
      pinned.clear();
    } catch (...) {
    }
  }
};

Napi::Array numbers(Napi::Env env, std::vector<int64_t> const& values) {
  auto array = Napi::Array::New(env, values.size());
  for (size_t i = 0; i < values.size(); i++) array.Set(static_cast<uint32_t>(i), Napi::Number::New(env, static_cast<double>(values[i])));
  return array;
}

class DeserializeJob : public Job {
 public:
  DeserializeJob(std::string library, Plan plan, int device) : library_(std::move(library)), state_(std::make_shared<EngineState>()) {
    state_->plan = std::move(plan);
    state_->device = device;
  }

  void work() override {
    auto& s = *state_;
    use_device(s.device);
    s.api = load_library(library_);
    void* runtime = s.api->create_runtime(s.api->logger, s.api->release);
    if (reinterpret_cast<uintptr_t>(runtime) < 4096) throw Error("ERR_RUNTIME", "TensorRT could not create a runtime");
    s.runtime = Owned<Runtime>(runtime);
    s.engine = Owned<Engine>(call<m::Runtime::deserializeCudaEngine>(*s.api, s.runtime.get(), s.plan.data, static_cast<uint64_t>(s.plan.size)));
    if (!s.engine) throw Error("ERR_ENGINE", "TensorRT " + release_name(s.api->release) + " could not load the engine: it was built by another release or for another GPU, or it is damaged");
    describe();
  }

  Napi::Value result(Napi::Env env) override {
    auto object = Napi::Object::New(env);
    object.Set("handle", hold(env, state_));
    auto io = Napi::Array::New(env);
    for (auto const& tensor : state_->io) {
      auto item = Napi::Object::New(env);
      item.Set("name", tensor.name);
      item.Set("dtype", tensor.dtype);
      item.Set("input", tensor.input);
      item.Set("shape", numbers(env, tensor.shape));
      auto profiles = Napi::Array::New(env);
      for (auto const& ranges : tensor.profiles) {
        auto profile = Napi::Array::New(env);
        for (auto const& range : ranges) profile.Set(profile.Length(), numbers(env, range));
        profiles.Set(profiles.Length(), profile);
      }
      item.Set("profiles", profiles);
      io.Set(io.Length(), item);
    }
    object.Set("io", io);
    object.Set("flavor", flavor_name(state_->api->flavor));
    object.Set("version", release_name(state_->api->release));
    return object;
  }

 private:
  void describe() {
    auto& s = *state_;
    auto const& api = *s.api;
    auto* engine = s.engine.get();
    s.profiles = call<m::Engine::getNbOptimizationProfiles>(api, engine);
    int32_t const count = call<m::Engine::getNbIOTensors>(api, engine);
    for (int32_t i = 0; i < count; i++) {
      IOTensor tensor;
      tensor.name = call<m::Engine::getIOTensorName>(api, engine, i);
      char const* name = tensor.name.c_str();
      tensor.dtype = dtype_name(api, call<m::Engine::getTensorDataType>(api, engine, name));
      tensor.bits = bits_of(tensor.dtype);
      tensor.input = call<m::Engine::getTensorIOMode>(api, engine, name) == api.enumerator("TensorIOMode", "kINPUT");
      tensor.host = call<m::Engine::getTensorLocation>(api, engine, name) == api.enumerator("TensorLocation", "kHOST");
      tensor.shape = to_vector(call<m::Engine::getTensorShape>(api, engine, name));
      if (tensor.input && !tensor.host) {
        for (int32_t profile = 0; profile < s.profiles; profile++) {
          auto& ranges = tensor.profiles.emplace_back();
          for (char const* selector : {"kMIN", "kOPT", "kMAX"}) {
            ranges.push_back(to_vector(call<m::Engine::getProfileShape>(api, engine, name, profile, api.enumerator("OptProfileSelector", selector))));
          }
        }
      }
      s.io.push_back(std::move(tensor));
    }
  }

  std::string library_;
  std::shared_ptr<EngineState> state_;
};

class ContextJob : public Job {
 public:
  ContextJob(std::shared_ptr<EngineState> engine, int32_t profile) : profile_(profile) { state_->engine = std::move(engine); }

  void work() override {
    auto& s = *state_;
    auto const& api = *s.engine->api;
    use_device(s.engine->device);
    check_cuda(driver().cuStreamCreate(&s.stream, 1 /* CU_STREAM_NON_BLOCKING */), "creating a stream");
    s.context = Owned<ExecutionContext>(
        call<m::Engine::createExecutionContext>(api, s.engine->engine.get(), api.enumerator("ExecutionContextAllocationStrategy", "kSTATIC")));
    if (!s.context) throw Error("ERR_CONTEXT", "TensorRT could not create an execution context");
    if (s.engine->profiles > 1) {
      if (!call<m::ExecutionContext::setOptimizationProfileAsync>(api, s.context.get(), profile_, s.stream)) {
        throw Error("ERR_PROFILE", "TensorRT refused optimization profile " + std::to_string(profile_));
      }
      check_cuda(driver().cuStreamSynchronize(s.stream), "choosing the optimization profile");
    }
    s.device.resize(s.engine->io.size());
    s.pinned.resize(s.engine->io.size());
  }
  Napi::Value result(Napi::Env env) override { return hold(env, state_); }

 private:
  std::shared_ptr<ContextState> state_ = std::make_shared<ContextState>();
  int32_t profile_;
};

class ExecuteJob : public Job {
 public:
  explicit ExecuteJob(std::shared_ptr<ContextState> state) : state_(std::move(state)) {
    shapes_.resize(state_->engine->io.size());
    sizes_.resize(state_->engine->io.size());
    state_->busy = true;
  }
  ~ExecuteJob() override {
    if (!worked_) state_->busy = false;
  }

  // On the event loop: the caller may change the array once run() has returned its promise.
  void feed(size_t index, std::vector<int64_t> const& shape, void const* data, size_t bytes) {
    use_device(state_->engine->device);
    std::memcpy(state_->pinned[index].reserve(bytes), data, bytes);
    shapes_[index].rank = static_cast<int32_t>(shape.size());
    for (size_t i = 0; i < shape.size(); i++) shapes_[index].d[i] = shape[i];
    sizes_[index] = bytes;
  }

  void work() override {
    // The next run may start once this one has its outputs, before the job itself is gone.
    struct Release {
      ContextState& state;
      ~Release() { state.busy = false; }
    } release{*state_};
    worked_ = true;
    auto& s = *state_;
    auto const& api = *s.engine->api;
    auto const& io = s.engine->io;
    auto* context = s.context.get();
    use_device(s.engine->device);
    for (size_t i = 0; i < io.size(); i++) {
      if (!io[i].input) continue;
      char const* name = io[i].name.c_str();
      void* host = s.pinned[i].reserve(sizes_[i]);
      void* address = host;
      if (!io[i].host) {
        address = s.device[i].reserve(sizes_[i]);
        check_cuda(driver().cuMemcpyHtoDAsync_v2(s.device[i].address(), host, sizes_[i], s.stream), "copying an input to the GPU");
      }
      Dims const shape = shapes_[i];
      if (!call<m::ExecutionContext::setInputShape>(api, context, name, shape)) throw Error("ERR_SHAPE", "TensorRT refused the shape of input '" + io[i].name + "'");
      if (!call<m::ExecutionContext::setTensorAddress>(api, context, name, address)) throw Error("ERR_RUN", "TensorRT refused input '" + io[i].name + "'");
    }
    allocators_.resize(io.size());
    for (size_t i = 0; i < io.size(); i++) {
      if (!io[i].input) prepare_output(i);
    }
    if (!call<m::ExecutionContext::enqueueV3>(api, context, s.stream)) {
      driver().cuStreamSynchronize(s.stream);
      throw Error("ERR_RUN", "TensorRT could not run the engine");
    }
    check_cuda(driver().cuStreamSynchronize(s.stream), "running the engine");
    for (size_t i = 0; i < io.size(); i++) {
      if (!io[i].input) fetch_output(i);
    }
    check_cuda(driver().cuStreamSynchronize(s.stream), "copying the outputs");
  }

  Napi::Value result(Napi::Env env) override {
    auto array = Napi::Array::New(env);
    for (auto& output : outputs_) {
      auto item = Napi::Object::New(env);
      item.Set("name", output.name);
      item.Set("dtype", output.dtype);
      item.Set("shape", numbers(env, output.shape));
      void* data = output.data.release();
      item.Set("data", Napi::ArrayBuffer::New(env, data, output.bytes, [](Napi::Env, void* bytes) { std::free(bytes); }));
      array.Set(array.Length(), item);
    }
    return array;
  }

 private:
  struct Output {
    std::string name;
    std::string dtype;
    std::vector<int64_t> shape;
    std::unique_ptr<void, decltype(&std::free)> data{nullptr, std::free};
    size_t bytes = 0;
  };

  static size_t byte_size(IOTensor const& tensor, Dims const& shape) {
    size_t count = 1;
    for (int32_t k = 0; k < shape.rank; k++) count *= static_cast<size_t>(shape.d[k]);
    return (count * static_cast<size_t>(tensor.bits) + 7) / 8;
  }

  void prepare_output(size_t i) {
    auto& s = *state_;
    auto const& api = *s.engine->api;
    auto const& tensor = s.engine->io[i];
    char const* name = tensor.name.c_str();
    shapes_[i] = call<m::ExecutionContext::getTensorShape>(api, s.context.get(), name);
    bool known = shapes_[i].rank >= 0;
    for (int32_t k = 0; known && k < shapes_[i].rank; k++) known = shapes_[i].d[k] >= 0;
    if (!known) {
      // Its size depends on the data: TensorRT asks for memory and tells the shape.
      allocators_[i] = OutputAllocator::make(api.flavor, [&buffer = s.device[i]](uint64_t bytes) { return buffer.reserve(bytes); });
      if (!call<m::ExecutionContext::setOutputAllocator>(api, s.context.get(), name, allocators_[i]->handle())) throw Error("ERR_RUN", "TensorRT refused an allocator for output '" + tensor.name + "'");
      return;
    }
    size_t const bytes = byte_size(tensor, shapes_[i]);
    void* address = tensor.host ? s.pinned[i].reserve(bytes) : s.device[i].reserve(bytes);
    if (!call<m::ExecutionContext::setTensorAddress>(api, s.context.get(), name, address)) throw Error("ERR_RUN", "TensorRT refused output '" + tensor.name + "'");
  }

  void fetch_output(size_t i) {
    auto& s = *state_;
    auto const& tensor = s.engine->io[i];
    if (allocators_[i]) {
      shapes_[i] = allocators_[i]->shape;
      call<m::ExecutionContext::setOutputAllocator>(*s.engine->api, s.context.get(), tensor.name.c_str(), static_cast<void*>(nullptr));
    }
    Output output;
    output.name = tensor.name;
    output.dtype = tensor.dtype;
    output.shape = to_vector(shapes_[i]);
    output.bytes = byte_size(tensor, shapes_[i]);
    output.data.reset(std::malloc(output.bytes + 1));
    if (!output.data) throw std::bad_alloc();
    if (tensor.host) {
      std::memcpy(output.data.get(), s.pinned[i].reserve(output.bytes), output.bytes);
    } else if (output.bytes) {
      check_cuda(driver().cuMemcpyDtoHAsync_v2(output.data.get(), s.device[i].address(), output.bytes, s.stream), "copying an output from the GPU");
    }
    outputs_.push_back(std::move(output));
  }

  std::shared_ptr<ContextState> state_;
  bool worked_ = false;
  std::vector<Dims> shapes_;
  std::vector<size_t> sizes_;
  std::vector<std::unique_ptr<OutputAllocator>> allocators_;
  std::vector<Output> outputs_;
};

}  // namespace

Napi::Value deserialize(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Plan plan;
    if (info[1].IsExternal()) {
      plan = *state_of<Plan>(info[1]);
    } else {
      auto bytes = info[1].As<Napi::Uint8Array>();
      plan.size = bytes.ByteLength();
      plan.owner = std::shared_ptr<void>(std::malloc(plan.size + 1), std::free);
      if (!plan.owner) throw std::bad_alloc();
      std::memcpy(plan.owner.get(), bytes.Data(), plan.size);
      plan.data = plan.owner.get();
    }
    auto job = std::make_shared<DeserializeJob>(info[0].As<Napi::String>().Utf8Value(), std::move(plan), info[2].As<Napi::Number>().Int32Value());
    return Job::start(info.Env(), job, Job::Lane::run);
  });
}

Napi::Value create_context(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto job = std::make_shared<ContextJob>(state_of<EngineState>(info[0]), info[1].As<Napi::Number>().Int32Value());
    return Job::start(info.Env(), job, Job::Lane::run);
  });
}

Napi::Value execute(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto state = state_of<ContextState>(info[0]);
    if (state->busy) throw Error("ERR_INTERNAL", "the context is running already");
    auto job = std::make_shared<ExecuteJob>(state);
    auto const& io = state->engine->io;
    auto feeds = info[1].As<Napi::Array>();
    for (uint32_t k = 0; k < feeds.Length(); k++) {
      auto feed = feeds.Get(k).As<Napi::Object>();
      auto const name = feed.Get("name").As<Napi::String>().Utf8Value();
      auto data = feed.Get("data").As<Napi::Uint8Array>();
      std::vector<int64_t> shape;
      auto dims = feed.Get("shape").As<Napi::Array>();
      for (uint32_t d = 0; d < dims.Length() && d < 8; d++) shape.push_back(dims.Get(d).As<Napi::Number>().Int64Value());
      for (size_t i = 0; i < io.size(); i++) {
        if (io[i].input && io[i].name == name) job->feed(i, shape, data.Data(), data.ByteLength());
      }
    }
    return Job::start(info.Env(), job, Job::Lane::run);
  });
}

Napi::Value plan_bytes(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const plan = state_of<Plan>(info[0]);
    auto buffer = Napi::ArrayBuffer::New(info.Env(), plan->size);
    std::memcpy(buffer.Data(), plan->data, plan->size);
    return buffer;
  });
}

}  // namespace ntrt
