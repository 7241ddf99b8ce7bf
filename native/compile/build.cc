#include "build.h"

#include <chrono>
#include <map>

#include "../core/handle.h"
#include "../core/job.h"
#include "../lowering/read_back.h"
#include "../plugin/failure.h"
#include "../program/program.h"
#include "../program/wire.h"
#include "../tensorrt/library.h"
#include "../weights/weights.h"
#include "options.h"
#include "profiles.h"
#include "read_options.h"

namespace ntrt {

namespace {

using Clock = std::chrono::steady_clock;
double milliseconds(Clock::time_point from) { return std::chrono::duration<double, std::milli>(Clock::now() - from).count(); }

// TensorRT returns small non-null pointers for some failures.
bool is_null(void const* pointer) { return reinterpret_cast<uintptr_t>(pointer) < 4096; }

class Listener {
 public:
  Listener(Napi::Env env, Napi::Value callbacks) {
    if (!callbacks.IsObject()) return;
    Napi::Value function = callbacks.As<Napi::Object>().Get("onEvent");
    if (function.IsFunction()) {
      function_ = Napi::ThreadSafeFunction::New(env, function.As<Napi::Function>(), "node-tensorrt events", 0, 1);
      live_ = true;
    }
  }
  // Calls `function` on the event loop after all events, and tells no more. False if nobody listens.
  bool finish(std::function<void()> function) {
    std::lock_guard lock(mutex_);
    if (!live_) return false;
    function_.NonBlockingCall([function = std::move(function)](Napi::Env, Napi::Function) { function(); });
    function_.Release();
    live_ = false;
    return true;
  }
  void release() {
    std::lock_guard lock(mutex_);
    if (live_) function_.Release();
    live_ = false;
  }
  explicit operator bool() const { return live_; }
  // After a crash, TensorRT's other threads may still call this when nobody listens.
  void log(int severity, std::string text) {
    std::lock_guard lock(mutex_);
    if (!live_) return;
    function_.NonBlockingCall([severity, text = std::move(text)](Napi::Env env, Napi::Function callback) {
      callback.Call({Napi::String::New(env, "log"), Napi::Number::New(env, severity), Napi::String::New(env, text)});
    });
  }
  void progress(std::string phase, int step, int steps) {
    std::lock_guard lock(mutex_);
    if (!live_) return;
    function_.NonBlockingCall([phase = std::move(phase), step, steps](Napi::Env env, Napi::Function callback) {
      callback.Call({Napi::String::New(env, "progress"), Napi::String::New(env, phase), Napi::Number::New(env, step), Napi::Number::New(env, steps)});
    });
  }

 private:
  Napi::ThreadSafeFunction function_;
  std::mutex mutex_;
  std::atomic<bool> live_{false};
};

// One builder per library serves all builds in turn: creating one loads over a gigabyte of kernels.
// Called only on the build lane.
Builder* builder_of(Api const& api, LogSink const& log) {
  static auto* const builders = new std::map<Api const*, Builder*>;
  Builder*& builder = (*builders)[&api];
  if (!builder) {
    void* created = api.create_builder(api.logger, api.release);
    if (is_null(created)) {
      // The error carries TensorRT's own log; guess only if it is empty.
      std::string const guess = log.failures() > 0 ? "" : " (it needs a GPU it supports)";
      throw Error("ERR_BUILDER", "TensorRT " + release_name(api.release) + " could not create a builder" + guess);
    }
    builder = static_cast<Builder*>(created);
  }
  return builder;
}

class BuildJob : public Job {
 public:
  BuildJob(Napi::Env env, std::string library, std::shared_ptr<Program> program, Params options, Napi::Value callbacks)
      : library_(std::move(library)), program_(std::move(program)), options_(std::move(options)), listener_(env, callbacks) {
    if (listener_) {
      log.listener = [this](LogSink::Line const& line) { listener_.log(static_cast<int>(line.severity), line.text); };
    }
  }

  void work() override {
    auto const api = load_library(library_);
    flavor_ = flavor_name(api->flavor);
    version_ = release_name(api->release);
    enter_library(api.get(), (options_.flag("lowerOnly") ? "creating network '" : "building network '") + program_->name + "'");
    Builder* const builder = builder_of(*api, log);
    auto const start = Clock::now();
    // Freed here, so that unused weights are freed early and not on the event loop.
    auto const program = std::move(program_);
    read_program(*program);
    // Only TensorRT 10 has weak typing; later releases are strongly typed with or without the flag.
    uint32_t const flags = 1u << api->enumerator("NetworkDefinitionCreationFlag", "kSTRONGLY_TYPED");
    Owned<Network> network(call<m::Builder::createNetworkV2>(*api, builder, flags));
    if (!network) throw Error("ERR_BUILDER", "TensorRT could not create a network");
    bool const only_lower = options_.flag("lowerOnly");
    Api known = *api;
    if (options_.has("without")) known.without = options_.text("without");
    bool const reads_back = options_.has("readBack");
    Lowering lowering(known, network.get(), *program, log, only_lower, reads_back);
    {
      struct Leave {
        std::atomic<Lowering const*>& lowering;
        ~Leave() { lowering = nullptr; }
      } const leave{lowering_};
      lowering_ = &lowering;
      lowering.run();
    }
    layers_ = lowering.take_records();
    lower_ms_ = milliseconds(start);
    if (reads_back) {
      held_ = lowering.read_back()->take();
      names_ = lowering.names();
    }
    if (cancelled) throw Error("ERR_ABORTED", "the build was cancelled");
    std::vector<NetworkInput> inputs;
    for (auto const& input : program->graph.inputs) inputs.push_back({&input, lowering.value(input.id)});
    auto const build_start = Clock::now();
    Owned<BuilderConfig> config = configure(known, builder, inputs);
    if (lowering.has_aliases) allow_aliases(known, config.get());
    if (!only_lower) serialize(known, builder, network.get(), config.get(), program->name);
    build_ms_ = milliseconds(build_start);
    void const* last = nullptr;
    for (auto const& weight : program->weights) {
      if (!weight.owner || std::exchange(last, weight.owner.get()) == weight.owner.get()) continue;
      if (!mapping_intact(weight.owner)) throw Error("ERR_WEIGHTS_CHANGED", "the file of weight '" + weight.name + "' was changed after it was loaded: load it again, and replace files in use by renaming");
    }
  }

  // Its promise settles after its events.
  bool hand_over() override {
    return listener_.finish([self = std::static_pointer_cast<BuildJob>(shared_from_this())] { self->deliver(); });
  }
  void leave() override { listener_.release(); }
  LayerRef layer() const override {
    auto const* lowering = lowering_.load();
    auto const* node = lowering ? lowering->current() : nullptr;
    return node ? LayerRef{node->name, node->kind} : LayerRef();
  }

  Napi::Value result(Napi::Env env) override {
    auto object = Napi::Object::New(env);
    if (plan_.data) {
      object.Set("plan", make_handle(env, std::make_shared<Plan>(plan_), plan_.size));
      object.Set("bytes", Napi::Number::New(env, static_cast<double>(plan_.size)));
    }
    object.Set("flavor", Napi::String::New(env, flavor_));
    object.Set("version", Napi::String::New(env, version_));
    object.Set("lowerMs", Napi::Number::New(env, lower_ms_));
    object.Set("buildMs", Napi::Number::New(env, build_ms_));
    object.Set("log", texts(env, log.errors()));
    object.Set("shapeInputs", texts(env, shape_inputs_));
    object.Set("options", from_value(env, Value{held_options_}));
    if (options_.flag("lowerOnly")) object.Set("layers", layers(env));
    if (options_.has("readBack")) {
      object.Set("readBack", read_back(env));
      object.Set("names", names(env));
    }
    return object;
  }

 private:
  Napi::Value layers(Napi::Env env) {
    auto array = Napi::Array::New(env, layers_.size());
    for (size_t i = 0; i < layers_.size(); i++) {
      Napi::HandleScope scope(env);
      auto const& record = layers_[i];
      auto item = Napi::Object::New(env);
      item.Set("name", Napi::String::New(env, record.layer));
      item.Set("kind", Napi::String::New(env, record.kind));
      item.Set("dtype", Napi::String::New(env, record.dtype));
      auto const rank = static_cast<uint32_t>(record.shape.rank);
      auto shape = Napi::Array::New(env, rank);
      for (uint32_t k = 0; k < rank; k++) shape.Set(k, Napi::Number::New(env, static_cast<double>(record.shape.d[k])));
      item.Set("shape", shape);
      array.Set(static_cast<uint32_t>(i), item);
    }
    return array;
  }

  Napi::Value read_back(Napi::Env env) {
    auto array = Napi::Array::New(env, held_.size());
    for (size_t i = 0; i < held_.size(); i++) {
      Napi::HandleScope scope(env);
      auto item = Napi::Object::New(env);
      item.Set("layer", Napi::String::New(env, held_[i].layer));
      item.Set("kind", Napi::String::New(env, held_[i].kind));
      item.Set("parameters", from_value(env, Value{held_[i].parameters}));
      item.Set("unread", texts(env, held_[i].unread));
      item.Set("parts", texts(env, held_[i].parts));
      array.Set(static_cast<uint32_t>(i), item);
    }
    return array;
  }

  Napi::Value names(Napi::Env env) {
    auto layers = Napi::Array::New(env, names_.layers.size());
    for (size_t i = 0; i < names_.layers.size(); i++) {
      Napi::HandleScope scope(env);
      auto item = Napi::Object::New(env);
      item.Set("name", Napi::String::New(env, names_.layers[i].name));
      item.Set("outputs", texts(env, names_.layers[i].outputs));
      layers.Set(static_cast<uint32_t>(i), item);
    }
    auto object = Napi::Object::New(env);
    object.Set("inputs", texts(env, names_.inputs));
    object.Set("layers", layers);
    object.Set("outputs", texts(env, names_.outputs));
    return object;
  }

  // Creates a configuration with the given options and profiles, and reads all of them back.
  Owned<BuilderConfig> configure(Api const& api, Builder* builder, std::vector<NetworkInput> const& inputs) {
    Owned<BuilderConfig> config(call<m::Builder::createBuilderConfig>(api, builder));
    if (!config) throw Error("ERR_BUILDER", "TensorRT could not create a builder configuration");
    apply_options(api, config.get(), options_, log);
    held_options_ = read_options(api, config.get(), options_);
    // Checking a network does not need the ranges that building it needs.
    if (!options_.has("profiles")) return config;
    auto added = add_profiles(api, builder, config.get(), inputs, options_.list("profiles"));
    shape_inputs_ = std::move(added.shape_inputs);
    held_options_.emplace_back("profiles", Value{std::move(added.held)});
    return config;
  }

  static void allow_aliases(Api const& api, BuilderConfig* config) {
    int32_t const feature = api.enumerator("PreviewFeature", "kALIASED_PLUGIN_IO_10_03");
    call<m::BuilderConfig::setPreviewFeature>(api, config, feature, true);
    if (!call<m::BuilderConfig::getPreviewFeature>(api, config, feature)) throw Error("ERR_UNSUPPORTED", "TensorRT " + release_name(api.release) + " refused plugins that update inputs in place");
  }

  void serialize(Api const& api, Builder* builder, Network* network, BuilderConfig* config, std::string const& name) {
    ProgressMonitor monitor([this](char const* phase, int32_t step, int32_t steps) {
      if (listener_) listener_.progress(phase, step, steps);
      return !cancelled;
    });
    call<m::BuilderConfig::setProgressMonitor>(api, config, static_cast<void*>(&monitor));
    take_failure();  // of a tactic in an earlier build
    auto* memory = call<m::Builder::buildSerializedNetwork>(api, builder, network, config);
    if (is_null(memory)) {
      if (cancelled) throw Error("ERR_ABORTED", "the build was cancelled");
      auto const failure = take_failure();
      throw Error("ERR_BUILD_FAILED", "TensorRT " + version_ + " could not build network '" + name + "'" + (failure ? std::string(": ") + failure->what() : ""));
    }
    plan_.owner = std::shared_ptr<void>(memory, destroy);
    // TensorRT takes the size of a workspace that cannot be computed for a large one; tactics may fail.
    if (auto const failure = take_failure(); failure && failure->code == "ERR_PLUGIN") throw *failure;
    plan_.data = call<m::HostMemory::data>(api, memory);
    plan_.size = call<m::HostMemory::size>(api, memory);
  }

  std::string library_;
  std::shared_ptr<Program> program_;
  Params options_;
  Listener listener_;
  std::atomic<Lowering const*> lowering_{nullptr};
  Plan plan_;
  std::vector<Lowering::Record> layers_;
  std::vector<HeldLayer> held_;
  Value::Object held_options_;
  Lowering::Names names_;
  std::vector<std::string> shape_inputs_;
  std::string flavor_;
  std::string version_;
  double lower_ms_ = 0;
  double build_ms_ = 0;
};

}  // namespace

Napi::Value start_build(Napi::Env env, std::string const& library, std::shared_ptr<Program> program, Params options, Napi::Value callbacks) {
  auto job = std::make_shared<BuildJob>(env, library, std::move(program), std::move(options), callbacks);
  if (callbacks.IsObject()) {
    // Lets JavaScript cancel: callbacks.cancel() becomes this job's switch.
    std::weak_ptr<Job> weak = job;
    callbacks.As<Napi::Object>().Set("cancel", Napi::Function::New(env, [weak](Napi::CallbackInfo const&) {
      if (auto live = weak.lock()) live->cancel();
    }));
  }
  return Job::start(env, job, Lane::build);
}

}  // namespace ntrt
