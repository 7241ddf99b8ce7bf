#include "engine.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <random>

#include "../core/handle.h"
#include "../lowering/lower.h"
#include "../plugin/failure.h"
#include "../plugin_binding/load.h"
#include "../tensorrt/library.h"
#include "memory_strategy.h"
#include "observe.h"
#include "plan.h"
#include "state.h"

namespace ntrt {

std::vector<int64_t> to_vector(Dims const& dims) { return {dims.d, dims.d + std::max(0, std::min(dims.rank, 8))}; }

bool is_known(Dims const& dims) {
  return dims.rank >= 0 && std::all_of(dims.d, dims.d + dims.rank, [](int64_t size) { return size >= 0; });
}

int32_t bits_of(std::string const& dtype) {
  if (dtype == "float32" || dtype == "int32") return 32;
  if (dtype == "int64") return 64;
  if (dtype == "float16" || dtype == "bfloat16") return 16;
  if (dtype == "int4" || dtype == "float4e2m1") return 4;
  return 8;
}

void EngineState::require_weights() const {
  switch (weights.load()) {
    case WeightsState::whole: return;
    case WeightsState::missing: throw Error("ERR_ENGINE_WEIGHTS", "the engine's plan was stripped of its weights: give it some by engine.refit(weights), or loadEngine(path, { weights })");
    default: throw Error("ERR_ENGINE_WEIGHTS", "a refit failed after it had begun, so the engine may have some old and some new weights: refit it with all weights, or load it again");
  }
}

namespace {

Napi::Array to_js(Napi::Env env, Ranges const& given) {
  auto profiles = Napi::Array::New(env);
  for (auto const& bounds : given) {
    auto profile = Napi::Array::New(env);
    for (auto const& bound : bounds) profile.Set(profile.Length(), numbers(env, bound));
    profiles.Set(profiles.Length(), profile);
  }
  return profiles;
}

Napi::Object to_js(Napi::Env env, WeightStreaming const& streaming) {
  auto object = Napi::Object::New(env);
  object.Set("size", static_cast<double>(streaming.size));
  object.Set("budget", static_cast<double>(streaming.budget));
  object.Set("minimum", static_cast<double>(streaming.minimum));
  object.Set("scratch", static_cast<double>(streaming.scratch));
  return object;
}

// What JavaScript gets of an engine.
Napi::Value describe_engine(Napi::Env env, std::shared_ptr<EngineState> const& state) {
  auto object = Napi::Object::New(env);
  object.Set("handle", make_handle(env, state));
  auto io = Napi::Array::New(env);
  for (auto const& tensor : state->io) {
    auto item = Napi::Object::New(env);
    item.Set("name", tensor.name);
    item.Set("dtype", tensor.dtype);
    item.Set("input", tensor.input);
    item.Set("host", tensor.host);
    item.Set("format", tensor.format);
    item.Set("alias", tensor.input ? -1 : tensor.alias);
    item.Set("shape", numbers(env, tensor.shape));
    item.Set("profiles", to_js(env, tensor.profiles));
    item.Set("values", to_js(env, tensor.values));
    io.Set(io.Length(), item);
  }
  object.Set("io", io);
  object.Set("device", state->device);
  object.Set("profiles", state->profiles);
  object.Set("memorySizes", numbers(env, state->memory_sizes));
  if (state->streaming) object.Set("weightStreaming", to_js(env, *state->streaming));
  object.Set("library", state->api->path);
  object.Set("flavor", flavor_name(state->api->flavor));
  object.Set("version", release_name(state->api->release));
  object.Set("plan", make_handle(env, std::make_shared<Plan>(state->plan)));
  object.Set("size", static_cast<double>(state->plan.size));
  return object;
}

// Engines that other threads may use, by token.
struct Shares {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<EngineState>> engines;

  static Shares& all() {
    static auto* const instance = new Shares;
    return *instance;
  }
};

class DeserializeJob : public Job {
 public:
  DeserializeJob(std::string library, Plan plan, int device, bool allow_code, std::optional<WeightBudget> budget) : library_(std::move(library)), allow_code_(allow_code), budget_(budget), state_(make_released_later<EngineState>()) {
    state_->plan = std::move(plan);
    state_->device = device;
  }

  void work() override {
    auto& s = *state_;
    use_device(s.device);
    s.api = load_library(library_);
    enter_library(s.api.get(), "loading an engine");
    void* runtime = s.api->create_runtime(s.api->logger, s.api->release);
    if (reinterpret_cast<uintptr_t>(runtime) < 4096) throw Error("ERR_RUNTIME", "TensorRT could not create a runtime");
    s.runtime = Owned<Runtime>(runtime);
    record_errors(*s.api, s.runtime.get());
    if (allow_code_) call<m::Runtime::setEngineHostCodeAllowed>(*s.api, s.runtime.get(), true);
    {
      Plan const plan = aligned(s.plan);
      s.engine = deserialize_engine(*s.api, s.runtime.get(), plan.data, plan.size, log);
    }
    s.plugins = take_created();
    // A page that vanished was zeros.
    if (!is_intact(s.plan)) throw Error("ERR_ENGINE_FILE", "the file was changed while the engine was loaded: load it again, and replace files in use by renaming");
    if (!s.engine && carries_code()) {
      throw Error("ERR_HOST_CODE", "the engine brings code of its own (a lean runtime or plugin libraries), which was not allowed to run: if you trust it, use loadEngine(file, { allowHostCode: true })");
    }
    if (!s.engine) throw Error("ERR_ENGINE", "TensorRT " + release_name(s.api->release) + " could not load the engine: it was built by another release or for another GPU, or it is damaged");
    record_errors(*s.api, s.engine.get());
    s.streaming = weight_streaming(*s.api, s.engine.get());
    if (budget_) {
      set_weight_budget(*s.api, s.engine.get(), *budget_);
      s.streaming = weight_streaming(*s.api, s.engine.get());
    }
    s.memory_sizes = memory_sizes(*s.api, s.engine.get());
    describe();
  }

  Napi::Value result(Napi::Env env) override { return describe_engine(env, state_); }

 private:
  // Whether TensorRT says that it may not run what the engine brings.
  bool carries_code() const {
    auto const lines = log.errors();
    return !allow_code_ && std::any_of(lines.begin(), lines.end(), [](std::string const& line) { return line.find("HostCodeAllowed") != std::string::npos; });
  }

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
      for (int32_t profile = 0; tensor.format == "linear" && profile < s.profiles; profile++) {
        tensor.format = api.spelling("TensorFormat", call<m::Engine::getTensorFormatV2>(api, engine, name, profile));
      }
      for (int32_t profile = 0; tensor.input && profile < s.profiles; profile++) {
        auto& bounds = (tensor.host ? tensor.values : tensor.profiles).emplace_back();
        for (char const* selector : {"kMIN", "kOPT", "kMAX"}) {
          int32_t const which = api.enumerator("OptProfileSelector", selector);
          bounds.push_back(tensor.host ? values_of(tensor, profile, which) : to_vector(call<m::Engine::getProfileShape>(api, engine, name, profile, which)));
        }
      }
      s.io.push_back(std::move(tensor));
    }
    if (!api.has(m::Engine::getAliasedInputTensor::info)) return;
    for (auto& output : s.io) {
      char const* alias = output.input ? nullptr : call<m::Engine::getAliasedInputTensor>(api, engine, output.name.c_str());
      for (size_t i = 0; alias && i < s.io.size(); i++) {
        if (!s.io[i].input || s.io[i].name != alias) continue;
        output.alias = static_cast<int32_t>(i);
        s.io[i].alias = static_cast<int32_t>(&output - s.io.data());
      }
    }
  }

  // A bound of a shape tensor's elements; empty if the engine has none.
  std::vector<int64_t> values_of(IOTensor const& tensor, int32_t profile, int32_t which) {
    auto const& api = *state_->api;
    auto* engine = state_->engine.get();
    char const* name = tensor.name.c_str();
    int64_t count = 1;
    for (int64_t size : tensor.shape) count *= std::max<int64_t>(size, 0);
    if (api.has(m::Engine::getProfileTensorValuesV2::info)) {
      auto const* values = call<m::Engine::getProfileTensorValuesV2>(api, engine, name, profile, which);
      return values ? std::vector<int64_t>(values, values + count) : std::vector<int64_t>();
    }
    auto const* values = call<m::Engine::getProfileTensorValues>(api, engine, name, profile, which);
    return values ? std::vector<int64_t>(values, values + count) : std::vector<int64_t>();
  }

  std::string library_;
  bool allow_code_;
  std::optional<WeightBudget> budget_;
  std::shared_ptr<EngineState> state_;
};

class InspectJob : public Job {
 public:
  explicit InspectJob(std::shared_ptr<EngineState> engine) : engine_(std::move(engine)) {}

  void work() override {
    auto const& api = *engine_->api;
    enter_library(&api, "inspecting an engine");
    use_device(engine_->device);
    Owned<EngineInspector> inspector(call<m::Engine::createEngineInspector>(api, engine_->engine.get()));
    char const* json = inspector ? call<m::EngineInspector::getEngineInformation>(api, inspector.get(), api.enumerator("LayerInformationFormat", "kJSON")) : nullptr;
    if (!json) throw Error("ERR_ENGINE", "TensorRT could not inspect the engine");
    json_ = json;
  }
  Napi::Value result(Napi::Env env) override { return Napi::String::New(env, json_); }

 private:
  std::shared_ptr<EngineState> engine_;
  std::string json_;
};

}  // namespace

Napi::Value deserialize(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Plan plan;
    if (!info[1].IsTypedArray()) {
      plan = *state_of<Plan>(argument(info, 1));
    } else {
      auto bytes = argument(info, 1).bytes();
      plan = copied(bytes.Data(), bytes.ByteLength());
    }
    std::optional<WeightBudget> budget;
    if (info[4].IsString()) {
      budget = WeightBudget{0, true};
    } else if (!info[4].IsUndefined()) {
      budget = WeightBudget{static_cast<int64_t>(argument(info, 4).size()), false};
    }
    auto job = std::make_shared<DeserializeJob>(argument(info, 0).text(), std::move(plan), argument(info, 2).integer(), argument(info, 3).flag(), budget);
    return Job::start(info.Env(), job, Lane::engine);
  });
}

Napi::Value share_engine(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const state = state_of<EngineState>(argument(info, 0));
    auto& shares = Shares::all();
    std::lock_guard lock(shares.mutex);
    for (auto one = shares.engines.begin(); one != shares.engines.end();) one = one->second.expired() ? shares.engines.erase(one) : std::next(one);
    for (auto const& [token, engine] : shares.engines) {
      if (engine.lock() == state) return Napi::String::New(info.Env(), token);
    }
    static std::random_device random;
    std::string token;
    for (int i = 0; i < 4; i++) token += std::to_string(random()) + '-';
    shares.engines[token] = state;
    return Napi::String::New(info.Env(), token);
  });
}

Napi::Value claim_engine(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto& shares = Shares::all();
    std::shared_ptr<EngineState> state;
    {
      std::lock_guard lock(shares.mutex);
      auto const found = shares.engines.find(argument(info, 0).text());
      if (found != shares.engines.end()) state = found->second.lock();
    }
    if (!state) throw Error("ERR_DISPOSED", "the shared engine was disposed, or is of another process");
    return describe_engine(info.Env(), state);
  });
}

Napi::Value inspect_engine(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Job::start(info.Env(), std::make_shared<InspectJob>(state_of<EngineState>(argument(info, 0))), Lane::engine);
  });
}

}  // namespace ntrt
