// What the addon exports; src/tensorrt/binding.ts has the types.
#include <napi.h>

#include "compile/options.h"
#include "compile/routes.h"
#include "compile/timing_cache.h"
#include "core/file_lock.h"
#include "core/handle.h"
#include "core/job.h"
#include "core/unthrowable.h"
#include "cuda/device.h"
#include "isolate/binding.h"
#include "lowering/lower.h"
#include "plugin_binding/binding.h"
#include "plugin_binding/nvrtc.h"
#include "program/program.h"
#include "refit/refit.h"
#include "runtime/context.h"
#include "runtime/engine.h"
#include "runtime/measure.h"
#include "runtime/plan.h"
#include "runtime/run.h"
#include "runtime/tensors.h"
#include "tensorrt/library.h"
#include "weights/weights.h"

namespace ntrt {

namespace {

struct LoadJob : Job {
  std::string path;
  std::shared_ptr<Api const> api;

  void work() override { api = load_library(path); }
  Napi::Value result(Napi::Env env) override {
    auto object = Napi::Object::New(env);
    object.Set("path", api->path);
    object.Set("flavor", flavor_name(api->flavor));
    object.Set("version", release_name(api->release));
    return object;
  }
};

Napi::Value load(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] {
    auto job = std::make_shared<LoadJob>();
    job->path = argument(info, 0).text();
    return Job::start(info.Env(), job, Lane::library);
  });
}

// Sets trt10, trt11 and rtx1: the first release of each flavor that has something, or null.
Napi::Object set_releases(Napi::Object object, Slot const* slots) {
  static char const* const first[] = {"10.0.0", "11.0.0", "1.5.0"};
  for (int i = 0; i < 3; i++) {
    auto const name = flavor_name(static_cast<Flavor>(i));
    if (slots[i].index < 0) {
      object.Set(name, object.Env().Null());
    } else {
      object.Set(name, Napi::String::New(object.Env(), slots[i].since ? release_name(slots[i].since) : first[i]));
    }
  }
  return object;
}

// [{ kind, trt10, trt11, rtx1, decomposed: { trt10, trt11, rtx1 } }]: the first releases that have the kind. `decomposed`: the first
// with the layer itself, where others are composed into it before; null if no composition exists.
Napi::Value layer_table(Napi::CallbackInfo const& info) {
  auto const env = info.Env();
  auto array = Napi::Array::New(env);
  for (auto const& row : layer_kinds()) {
    auto item = set_releases(Napi::Object::New(env), row.method->slots);
    item.Set("kind", row.kind);
    item.Set("decomposed", row.decomposed ? set_releases(Napi::Object::New(env), row.decomposed->slots) : env.Null());
    array.Set(array.Length(), item);
  }
  return array;
}

// [{ name, trt10, trt11, rtx1 }]: the build options that TensorRT is told, and the first releases that take them.
Napi::Value option_table(Napi::CallbackInfo const& info) {
  auto const env = info.Env();
  auto array = Napi::Array::New(env);
  for (auto const& row : option_releases()) {
    auto item = set_releases(Napi::Object::New(env), row.since);
    item.Set("name", row.name);
    array.Set(array.Length(), item);
  }
  return array;
}

struct CudaInfoJob : Job {
  CudaSummary found;

  void work() override { found = cuda_summary(); }
  Napi::Value result(Napi::Env env) override {
    auto object = Napi::Object::New(env);
    object.Set("driver", found.driver.empty() ? env.Null() : Napi::Value(Napi::String::New(env, found.driver)));
    auto devices = Napi::Array::New(env);
    for (auto const& device : found.devices) {
      auto item = Napi::Object::New(env);
      item.Set("name", device.name);
      item.Set("computeCapability", device.compute_capability);
      item.Set("totalMemory", static_cast<double>(device.total_memory));
      devices.Set(devices.Length(), item);
    }
    object.Set("devices", devices);
    if (!found.error.empty()) object.Set("error", found.error);
    return object;
  }
};

Napi::Value cuda_info(Napi::CallbackInfo const& info) {
  return Job::start(info.Env(), std::make_shared<CudaInfoJob>(), Lane::library);
}

// Whoever uses the GPU finds out what is wrong with it.
struct OpenDeviceJob : Job {
  int device = 0;

  void work() override {
    try {
      use_device(device);
    } catch (...) {
    }
  }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }
};

Napi::Value open_device(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] {
    auto job = std::make_shared<OpenDeviceJob>();
    job->device = argument(info, 0).integer();
    return Job::start(info.Env(), job, Lane::engine);
  });
}

// Starts or stops the trace that `traced` returns.
void trace_calls(Napi::CallbackInfo const& info) { trace::set(info[0].As<Napi::Boolean>().Value()); }

Napi::Value traced(Napi::CallbackInfo const& info) {
  auto const env = info.Env();
  auto const list = [&](std::set<std::string> const& texts) {
    auto array = Napi::Array::New(env);
    for (auto const& text : texts) array.Set(array.Length(), text);
    return array;
  };
  auto calls = Napi::Object::New(env);
  for (auto const& [method, arguments] : trace::calls()) calls.Set(method, list(arguments));
  auto object = Napi::Object::New(env);
  object.Set("calls", calls);
  object.Set("enumerators", list(trace::enumerators()));
  return object;
}

Napi::Value swallow(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] { return Napi::Boolean::New(info.Env(), swallow_unthrowable(argument(info, 0).text())); });
}

void shutdown(Napi::CallbackInfo const& info) { cancel_jobs(info.Env()); }

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("loadLibrary", Napi::Function::New<load>(env));
  exports.Set("cudaInfo", Napi::Function::New<cuda_info>(env));
  exports.Set("layerTable", Napi::Function::New<layer_table>(env));
  exports.Set("optionTable", Napi::Function::New<option_table>(env));
  exports.Set("combineTimingCaches", Napi::Function::New<combine_timing_caches>(env));
  exports.Set("buildRoutes", Napi::Function::New<build_routes>(env));
  exports.Set("openDevice", Napi::Function::New<open_device>(env));
  exports.Set("stayAwakeBy", Napi::Function::New<stay_awake_by>(env));
  exports.Set("traceCalls", Napi::Function::New<trace_calls>(env));
  exports.Set("traced", Napi::Function::New<traced>(env));
  exports.Set("swallowUnthrowable", Napi::Function::New<swallow>(env));
  exports.Set("shutdown", Napi::Function::New<shutdown>(env));
  exports.Set("deserialize", Napi::Function::New<deserialize>(env));
  exports.Set("createContext", Napi::Function::New<create_context>(env));
  exports.Set("run", Napi::Function::New<run>(env));
  exports.Set("runSync", Napi::Function::New<run_sync>(env));
  exports.Set("cancelRun", Napi::Function::New<cancel_run>(env));
  exports.Set("bind", Napi::Function::New<bind>(env));
  exports.Set("outputShapes", Napi::Function::New<output_shapes>(env));
  exports.Set("runBound", Napi::Function::New<run_bound>(env));
  exports.Set("runBoundSync", Napi::Function::New<run_bound_sync>(env));
  exports.Set("capture", Napi::Function::New<capture>(env));
  exports.Set("launch", Napi::Function::New<launch>(env));
  exports.Set("launchSync", Napi::Function::New<launch_sync>(env));
  exports.Set("profileRuns", Napi::Function::New<profile>(env));
  exports.Set("measure", Napi::Function::New<measure>(env));
  exports.Set("inferShapes", Napi::Function::New<infer_shapes>(env));
  exports.Set("graphRefused", Napi::Function::New<graph_refused>(env));
  exports.Set("shareEngine", Napi::Function::New<share_engine>(env));
  exports.Set("claimEngine", Napi::Function::New<claim_engine>(env));
  exports.Set("tryLock", Napi::Function::New<try_lock>(env));
  exports.Set("unlock", Napi::Function::New<unlock>(env));
  exports.Set("release", Napi::Function::New<release>(env));
  exports.Set("inspectEngine", Napi::Function::New<inspect_engine>(env));
  exports.Set("runtimeCache", Napi::Function::New<runtime_cache>(env));
  exports.Set("Program", ProgramWrap::define(env));
  register_plugins(env, exports);
  register_weights(env, exports);
  register_nvrtc(env, exports);
  register_isolate(env, exports);
  register_tensors(env, exports);
  register_plans(env, exports);
  register_refit(env, exports);
  return exports;
}

}  // namespace

Napi::Object initialize_addon(Napi::Env env, Napi::Object exports) { return initialize(env, exports); }

}  // namespace ntrt

using ntrt::initialize_addon;
NODE_API_MODULE(node_tensorrt, initialize_addon)
