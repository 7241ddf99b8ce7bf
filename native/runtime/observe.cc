#include "observe.h"

#include <cstring>
#include <unordered_map>

#include "../core/js.h"
#include "../cuda/driver.h"
#include "../lowering/lower.h"
#include "../plugin/failure.h"
#include "state.h"

namespace ntrt {

namespace {

// Never freed: TensorRT's objects keep it.
void* error_recorder() {
  static auto* const recorder = new ErrorRecorder;
  return recorder;
}

}  // namespace

void record_errors(Api const& api, Runtime* runtime) { call<m::Runtime::setErrorRecorder>(api, runtime, error_recorder()); }
void record_errors(Api const& api, Engine* engine) { call<m::Engine::setErrorRecorder>(api, engine, error_recorder()); }
void record_errors(Api const& api, ExecutionContext* context) { call<m::ExecutionContext::setErrorRecorder>(api, context, error_recorder()); }
void record_errors(Api const& api, Refitter* refitter) { call<m::Refitter::setErrorRecorder>(api, refitter, error_recorder()); }

std::vector<LayerTime> profile_runs(Api const& api, ExecutionContext* context, int32_t runs, std::function<void()> const& run) {
  run();
  std::vector<LayerTime> layers;
  std::unordered_map<std::string, size_t> places;
  Profiler profiler(api.flavor, [&](char const* layer, float ms) {
    auto const [place, is_new] = places.emplace(layer, layers.size());
    if (is_new) layers.push_back({layer, 0});
    layers[place->second].ms += ms;
  });
  struct Attached {
    Api const& api;
    ExecutionContext* context;
    ~Attached() { call<m::ExecutionContext::setProfiler>(api, context, static_cast<void*>(nullptr)); }
  } attached{api, context};
  call<m::ExecutionContext::setProfiler>(api, context, static_cast<void*>(&profiler));
  for (int32_t i = 0; i < runs; i++) run();
  for (auto& layer : layers) layer.ms /= runs;
  return layers;
}

Napi::Array to_js(Napi::Env env, std::vector<LayerTime> const& layers) {
  auto array = Napi::Array::New(env);
  for (auto const& [name, ms] : layers) {
    auto item = Napi::Object::New(env);
    item.Set("name", name);
    item.Set("ms", ms);
    array.Set(array.Length(), item);
  }
  return array;
}

DebugTensors::DebugTensors(Api const& api, ExecutionContext* context)
    : api_(api), listener_([this](void const* elements, int32_t location, int32_t dtype, Dims const& shape, char const* name, void* stream) {
        return guard_callback([name] { return std::string("debug tensor '") + name + "'"; }, false, [&] {
          add(elements, location, dtype, shape, name, stream);
          return true;
        });
      }) {
  bool const is_set = call<m::ExecutionContext::setDebugListener>(api, context, static_cast<void*>(&listener_)) &&
                      call<m::ExecutionContext::setAllTensorsDebugState>(api, context, true);
  if (!is_set) throw Error("ERR_CONTEXT", "TensorRT refused to report debug tensors");
}

std::vector<DebugTensor> DebugTensors::take() {
  auto tensors = std::exchange(tensors_, {});
  if (auto const failure = take_failure()) throw *failure;
  return tensors;
}

void DebugTensors::add(void const* elements, int32_t location, int32_t dtype, Dims const& shape, char const* name, void* stream) {
  DebugTensor tensor{name, dtype_name(api_, dtype), to_vector(shape), {}};
  int64_t bits = bits_of(tensor.dtype);
  for (int64_t size : tensor.shape) bits *= size;
  tensor.elements.resize(static_cast<size_t>((bits + 7) / 8));
  if (location == api_.untraced_enumerator("TensorLocation", "kHOST")) {
    std::memcpy(tensor.elements.data(), elements, tensor.elements.size());
  } else if (!tensor.elements.empty()) {
    check_cuda(driver().cuMemcpyDtoHAsync_v2(tensor.elements.data(), reinterpret_cast<CUdeviceptr>(elements), tensor.elements.size(), stream), "copying a debug tensor");
    check_cuda(driver().cuStreamSynchronize(stream), "copying a debug tensor");
  }
  tensors_.push_back(std::move(tensor));
}

Napi::Array to_js(Napi::Env env, std::vector<DebugTensor> const& tensors) {
  auto array = Napi::Array::New(env);
  for (auto const& tensor : tensors) {
    auto item = Napi::Object::New(env);
    item.Set("name", tensor.name);
    item.Set("dtype", tensor.dtype);
    item.Set("shape", numbers(env, tensor.shape));
    auto data = Napi::ArrayBuffer::New(env, tensor.elements.size());
    if (!tensor.elements.empty()) std::memcpy(data.Data(), tensor.elements.data(), tensor.elements.size());
    item.Set("data", data);
    array.Set(array.Length(), item);
  }
  return array;
}

}  // namespace ntrt
