#include <cstring>

#include "../core/handle.h"
#include "../plugin/failure.h"
#include "../tensorrt/callbacks.h"
#include "engine.h"
#include "state.h"

namespace ntrt {

namespace {

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
    // The next run may start once this one has its outputs, before the job itself is freed.
    struct Release {
      ContextState& state;
      ~Release() { state.busy = false; }
    } release{*state_};
    worked_ = true;
    try {
      run();
    } catch (Error const& error) {
      if (error.code != "ERR_CUDA_CONTEXT_LOST") throw;
      lose_device(state_->engine->device, error.what(), state_->engine->plugins);
    }
  }

  void run() {
    auto& s = *state_;
    auto const& api = *s.engine->api;
    auto const& io = s.engine->io;
    auto* context = s.context.get();
    enter_library(&api, "running an engine");
    use_device(s.engine->device);
    for (size_t i = 0; i < io.size(); i++) {
      if (!io[i].input) continue;
      if (!io[i].host) {
        s.device[i].reserve(sizes_[i]);
        s.stream.to_device(s.device[i].get(), s.pinned[i].reserve(sizes_[i]), sizes_[i], "copying an input to the GPU");
      }
      Dims const shape = shapes_[i];
      if (!call<m::ExecutionContext::setInputShape>(api, context, io[i].name.c_str(), shape)) throw Error("ERR_SHAPE", "TensorRT refused the shape of input '" + io[i].name + "'");
    }
    // TensorRT reads the elements of shape tensors in place, in host memory, once it knows all shapes.
    for (size_t i = 0; i < io.size(); i++) {
      if (!io[i].input) continue;
      void* address = io[i].host ? s.pinned[i].reserve(sizes_[i]) : s.device[i].reserve(sizes_[i]);
      if (!call<m::ExecutionContext::setTensorAddress>(api, context, io[i].name.c_str(), address)) throw Error("ERR_RUN", "TensorRT refused input '" + io[i].name + "'");
    }
    infer_shapes();
    allocators_.resize(io.size());
    for (size_t i = 0; i < io.size(); i++) {
      if (!io[i].input) prepare_output(i);
    }
    take_failure();
    if (!call<m::ExecutionContext::enqueueV3>(api, context, s.stream.get())) {
      auto const failure = take_failure();
      CUresult const result = driver().cuStreamSynchronize(s.stream.get());
      if (failure) throw *failure;
      if (is_sticky(result)) check_cuda(result, "running the engine");
      throw Error("ERR_RUN", "TensorRT could not run the engine");
    }
    s.stream.synchronize("running the engine");
    for (size_t i = 0; i < io.size(); i++) {
      if (!io[i].input) fetch_output(i);
    }
    s.stream.synchronize("copying the outputs");
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

  // Once all inputs are set: finds errors that TensorRT would otherwise report as a failed run.
  void infer_shapes() {
    auto& s = *state_;
    std::vector<char const*> missing(s.engine->io.size());
    int32_t const count = call<m::ExecutionContext::inferShapes>(*s.engine->api, s.context.get(), static_cast<int32_t>(missing.size()), missing.data());
    if (count == 0) return;
    if (count < 0) throw Error("ERR_SHAPE", "TensorRT could not infer the shapes of the outputs from these inputs");
    std::string names;
    for (size_t i = 0; i < std::min(missing.size(), static_cast<size_t>(count)); i++) names += (i ? "', '" : "") + std::string(missing[i]);
    throw Error("ERR_SHAPE", "TensorRT needs the shape or the elements of input '" + names + "'");
  }

  // The memory of an output: an in-place operation's output is in its input's memory.
  DeviceBuffer& memory_of(size_t i) {
    int32_t const alias = state_->engine->io[i].alias;
    return state_->device[alias >= 0 ? static_cast<size_t>(alias) : i];
  }

  void prepare_output(size_t i) {
    auto& s = *state_;
    auto const& api = *s.engine->api;
    auto const& tensor = s.engine->io[i];
    char const* name = tensor.name.c_str();
    shapes_[i] = tensor.alias >= 0 ? shapes_[tensor.alias] : call<m::ExecutionContext::getTensorShape>(api, s.context.get(), name);
    bool known = shapes_[i].rank >= 0;
    for (int32_t k = 0; known && k < shapes_[i].rank; k++) known = shapes_[i].d[k] >= 0;
    if (!known) {
      // Its size depends on the data: TensorRT requests memory and reports the shape.
      allocators_[i] = std::make_unique<OutputAllocator>(api.flavor, [&buffer = s.device[i]](uint64_t bytes) { return buffer.reserve(bytes); });
      if (!call<m::ExecutionContext::setOutputAllocator>(api, s.context.get(), name, static_cast<void*>(allocators_[i].get()))) throw Error("ERR_RUN", "TensorRT refused an allocator for output '" + tensor.name + "'");
      return;
    }
    size_t const bytes = byte_size(tensor, shapes_[i]);
    void* address = tensor.host ? s.pinned[i].reserve(bytes) : memory_of(i).reserve(bytes);
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
      s.stream.to_host(output.data.get(), memory_of(i).get(), output.bytes, "copying an output from the GPU");
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

Napi::Value execute(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto state = state_of<ContextState>(argument(info, 0));
    check_not_crashed(*state->engine->api, Lane::run);
    if (state->busy) throw Error("ERR_INTERNAL", "the context is already running");
    auto job = std::make_shared<ExecuteJob>(state);
    auto const& io = state->engine->io;
    auto const feeds = argument(info, 1);
    for (uint32_t k = 0; k < feeds.list().Length(); k++) {
      auto const feed = feeds.item(k);
      auto const name = feed.member("name").text();
      auto data = feed.member("data").bytes();
      std::vector<int64_t> shape;
      auto const dims = feed.member("shape");
      uint32_t const rank = dims.list().Length();
      if (rank > 8) throw Error("ERR_SHAPE", "input '" + name + "' has " + std::to_string(rank) + " dims, TensorRT takes 8 at most");
      for (uint32_t d = 0; d < rank; d++) shape.push_back(static_cast<int64_t>(dims.item(d).size()));
      for (size_t i = 0; i < io.size(); i++) {
        if (io[i].input && io[i].name == name) job->feed(i, shape, data.Data(), data.ByteLength());
      }
    }
    return Job::start(info.Env(), job, Lane::run);
  });
}

}  // namespace ntrt
