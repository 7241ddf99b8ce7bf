// What TensorRT tells of its work beside the results: its errors with their codes, the times of layers, debug tensors.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../tensorrt/callbacks.h"

namespace ntrt {

// From now on the object's errors go to the log of the thread that calls it, with TensorRT's codes.
void record_errors(Api const& api, Runtime* runtime);
void record_errors(Api const& api, Engine* engine);
void record_errors(Api const& api, ExecutionContext* context);
void record_errors(Api const& api, Refitter* refitter);

struct LayerTime {
  std::string name;
  double ms;
};

// The mean times of a context's layers in `runs` runs after one to warm up, in the order in which the layers ran. `run` enqueues
// once and waits for the end.
std::vector<LayerTime> profile_runs(Api const& api, ExecutionContext* context, int32_t runs, std::function<void()> const& run);

// [{ name, ms }]
Napi::Array to_js(Napi::Env env, std::vector<LayerTime> const& layers);

struct DebugTensor {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<char> elements;
};

// [{ name, dtype, shape, data: ArrayBuffer }]
Napi::Array to_js(Napi::Env env, std::vector<DebugTensor> const& tensors);

// The debug tensors of a context's runs. It has to outlive the context. A run waits in enqueueV3 for each of them, because
// TensorRT may overwrite their elements right after; so such a context cannot be captured.
class DebugTensors {
 public:
  // Throws ERR_CONTEXT if TensorRT refuses to report them.
  DebugTensors(Api const& api, ExecutionContext* context);
  // Those reported since the last call, in TensorRT's order; on the thread that called enqueueV3. Throws if one could not be copied,
  // which TensorRT may take as no reason to fail.
  std::vector<DebugTensor> take();

 private:
  void add(void const* elements, int32_t location, int32_t dtype, Dims const& shape, char const* name, void* stream);
  Api const& api_;
  std::vector<DebugTensor> tensors_;
  DebugListener listener_;
};

}  // namespace ntrt
