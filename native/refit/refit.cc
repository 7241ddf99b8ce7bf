#include "refit.h"

#include <algorithm>
#include <thread>

#include "../core/handle.h"
#include "../cuda/device.h"
#include "../program/program.h"
#include "../weights/weights.h"
#include "refitter.h"

namespace ntrt {

namespace {

class ListJob : public Job {
 public:
  explicit ListJob(std::shared_ptr<EngineState> engine) : engine_(std::move(engine)) {}

  void work() override {
    enter_library(engine_->api.get(), "listing an engine's weights");
    use_device(engine_->device);
    weights_ = EngineRefitter(*engine_).all();
  }

  Napi::Value result(Napi::Env env) override {
    auto array = Napi::Array::New(env, weights_.size());
    for (size_t i = 0; i < weights_.size(); i++) {
      Napi::HandleScope scope(env);
      auto item = Napi::Object::New(env);
      item.Set("name", weights_[i].name);
      item.Set("dtype", weights_[i].dtype.empty() ? env.Undefined() : Napi::Value(Napi::String::New(env, weights_[i].dtype)));
      item.Set("count", static_cast<double>(weights_[i].count));
      array.Set(static_cast<uint32_t>(i), item);
    }
    return array;
  }

 private:
  std::shared_ptr<EngineState> engine_;
  std::vector<EngineRefitter::Named> weights_;
};

// Works while no run of the engine is on its way.
class RefitJob : public Job {
 public:
  // `whole`: these are all weights, not just some.
  RefitJob(std::shared_ptr<EngineState> engine, std::vector<Weight> weights, bool whole, bool validates) : engine_(std::move(engine)), weights_(std::move(weights)), whole_(whole), validates_(validates) {}

  // On the event loop.
  void begin() {
    engine_->gate.close([self = std::static_pointer_cast<RefitJob>(shared_from_this())] {
      self->has_gate_ = true;
      if (self->is_over_) return self->open();
      try {
        self->post();
      } catch (...) {
        self->end(std::current_exception());
      }
    });
  }

  void work() override {
    auto& engine = *engine_;
    enter_library(engine.api.get(), "refitting an engine");
    use_device(engine.device);
    std::lock_guard const apart(engine.refit_mutex);
    EngineRefitter refitter(engine);
    refitter.configure(static_cast<int32_t>(std::clamp(std::thread::hardware_concurrency(), 1u, 16u)), validates_);
    for (auto const& weight : weights_) refitter.set(weight);
    missing_ = refitter.missing();
    if (!missing_.empty()) return;
    auto const before = engine.weights.exchange(WeightsState::mixed);
    engine.refits++;
    if (!refitter.refit()) throw Error("ERR_REFIT", "TensorRT " + release_name(engine.api->release) + " failed to refit the engine, which cannot run now: refit it with other weights, or load it again");
    check_files();
    engine.weights = whole_ ? WeightsState::whole : before;
  }

  // Names of weights that TensorRT needs, too; nothing was replaced if there are any.
  Napi::Value result(Napi::Env env) override { return texts(env, missing_); }

  void leave() override {
    is_over_ = true;
    open();
  }

 private:
  void open() {
    if (has_gate_.exchange(false)) engine_->gate.open();
  }

  void check_files() const {
    void const* last = nullptr;
    for (auto const& weight : weights_) {
      if (!weight.owner || std::exchange(last, weight.owner.get()) == weight.owner.get()) continue;
      if (!mapping_intact(weight.owner)) throw Error("ERR_WEIGHTS_CHANGED", "the file of weight '" + weight.name + "' was changed while the engine was refitted, which cannot run now: load the file again and refit the engine, and replace files in use by renaming");
    }
  }

  std::shared_ptr<EngineState> engine_;
  std::vector<Weight> weights_;
  bool const whole_;
  bool const validates_;
  std::vector<std::string> missing_;
  std::atomic<bool> has_gate_{false};
  std::atomic<bool> is_over_{false};
};

Plan plan_of(Api const& api, HostMemory* memory) {
  if (reinterpret_cast<uintptr_t>(memory) < 4096) throw Error("ERR_ENGINE", "TensorRT " + release_name(api.release) + " could not serialize the engine");
  Plan plan;
  plan.owner = std::shared_ptr<void>(memory, destroy);
  plan.data = call<m::HostMemory::data>(api, memory);
  plan.size = call<m::HostMemory::size>(api, memory);
  return plan;
}

class SerializeJob : public Job {
 public:
  SerializeJob(std::shared_ptr<EngineState> engine, bool with_weights) : engine_(std::move(engine)), with_weights_(with_weights) {}

  void work() override {
    auto const& api = *engine_->api;
    auto* const engine = engine_->engine.get();
    enter_library(&api, "serializing an engine");
    use_device(engine_->device);
    if (with_weights_) engine_->require_weights();
    Owned<SerializationConfig> config(call<m::Engine::createSerializationConfig>(api, engine));
    if (!config) throw Error("ERR_ENGINE", "TensorRT could not create a configuration for serializing");
    int32_t const exclude = api.enumerator("SerializationFlag", "kEXCLUDE_WEIGHTS");
    // TensorRT sets it for an engine whose plan had none.
    if (with_weights_) {
      call<m::SerializationConfig::clearFlag>(api, config.get(), exclude);
    } else if (!call<m::SerializationConfig::setFlag>(api, config.get(), exclude)) {
      throw Error("ERR_ENGINE", "TensorRT refused to serialize the engine without its weights");
    }
    if (with_weights_ && has_include_refit(api)) call<m::SerializationConfig::setFlag>(api, config.get(), api.enumerator("SerializationFlag", "kINCLUDE_REFIT"));
    plan_ = plan_of(api, call<m::Engine::serializeWithConfig>(api, engine, config.get()));
  }

  Napi::Value result(Napi::Env env) override {
    auto object = Napi::Object::New(env);
    object.Set("plan", make_handle(env, std::make_shared<Plan>(plan_), plan_.size));
    object.Set("size", static_cast<double>(plan_.size));
    return object;
  }

 private:
  // Before, what is serialized with its weights cannot be refitted again, if the plan had none.
  static bool has_include_refit(Api const& api) { return api.flavor != Flavor::trt10 || api.release >= 101400; }

  std::shared_ptr<EngineState> engine_;
  bool const with_weights_;
  Plan plan_;
};

std::shared_ptr<EngineState> engine_of(Napi::CallbackInfo const& info) { return state_of<EngineState>(argument(info, 0)); }

Napi::Value refittable(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return Job::start(info.Env(), std::make_shared<ListJob>(engine_of(info)), Lane::engine); });
}

Napi::Value refit(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const list = argument(info, 1);
    std::vector<Weight> weights(list.list().Length());
    for (uint32_t i = 0; i < weights.size(); i++) weights[i] = read_weight(list.item(i));
    auto job = std::make_shared<RefitJob>(engine_of(info), std::move(weights), argument(info, 2).flag(), argument(info, 3).flag());
    return Job::start(info.Env(), job, Lane::engine, [&] { job->begin(); });
  });
}

// Its plan was stripped: it has no weights before the first refit.
Napi::Value mark_stripped(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const engine = engine_of(info);
    if (engine->refits == 0) engine->weights = WeightsState::missing;
    return info.Env().Undefined();
  });
}

Napi::Value refits(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return Napi::Number::New(info.Env(), static_cast<double>(engine_of(info)->refits)); });
}

Napi::Value serialize_engine(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return Job::start(info.Env(), std::make_shared<SerializeJob>(engine_of(info), argument(info, 1).flag()), Lane::engine); });
}

Napi::Value serialize_engine_sync(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return Job::run(info.Env(), std::make_shared<SerializeJob>(engine_of(info), argument(info, 1).flag()), Lane::engine); });
}

}  // namespace

void register_refit(Napi::Env env, Napi::Object exports) {
  exports.Set("refittable", Napi::Function::New<refittable>(env));
  exports.Set("refit", Napi::Function::New<refit>(env));
  exports.Set("markStripped", Napi::Function::New<mark_stripped>(env));
  exports.Set("refits", Napi::Function::New<refits>(env));
  exports.Set("serializeEngine", Napi::Function::New<serialize_engine>(env));
  exports.Set("serializeEngineSync", Napi::Function::New<serialize_engine_sync>(env));
}

}  // namespace ntrt
