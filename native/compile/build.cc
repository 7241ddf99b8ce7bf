#include "build.h"

#include <chrono>

#include "../core/job.h"
#include "../plugin/failure.h"
#include "../program/program.h"
#include "../program/wire.h"
#include "../tensorrt/library.h"
#include "../weights/weights.h"
#include "builder.h"
#include "formats.h"
#include "listener.h"
#include "options.h"
#include "profiles.h"
#include "read_options.h"
#include "report.h"
#include "timing_cache.h"

namespace ntrt {

namespace {

using Clock = std::chrono::steady_clock;
double milliseconds(Clock::time_point from) { return std::chrono::duration<double, std::milli>(Clock::now() - from).count(); }

class BuildJob : public Job {
 public:
  BuildJob(Napi::Env env, std::string library, std::shared_ptr<Program> program, Params options, Napi::Value callbacks, std::optional<std::string> timing_cache)
      : library_(std::move(library)), program_(std::move(program)), options_(std::move(options)), timing_cache_(std::move(timing_cache)), listener_(env, callbacks) {
    if (listener_) {
      log.listener = [this](LogSink::Line const& line) { listener_.log(static_cast<int>(line.severity), line.text); };
    }
  }

  void work() override {
    auto const api = load_library(library_);
    report_.flavor = flavor_name(api->flavor);
    report_.version = release_name(api->release);
    enter_library(api.get(), (options_.flag("lowerOnly") ? "creating network '" : "building network '") + program_->name + "'");
    Builder* const builder = builder_of(*api, log);
    KeepThreads const threads(*api, builder);
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
    lowering.notes_names = options_.has("profilingVerbosity") && options_.text("profilingVerbosity") == "detailed";
    lowering.keeps_constants = options_.has("keepConstants");
    {
      struct Leave {
        std::atomic<Lowering const*>& lowering;
        ~Leave() { lowering = nullptr; }
      } const leave{lowering_};
      lowering_ = &lowering;
      lowering.run();
    }
    if (only_lower) report_.layers = lowering.take_records();
    report_.constants = std::move(lowering.constants);
    report_.lower_ms = milliseconds(start);
    if (reads_back) {
      report_.held = lowering.read_back()->take();
      report_.names = lowering.names();
    }
    if (cancelled) throw Error("ERR_ABORTED", "the build was cancelled");
    std::vector<NetworkInput> inputs;
    for (auto const& input : program->graph.inputs) inputs.push_back({&input, lowering.value(input.id)});
    auto const build_start = Clock::now();
    mark_refittable(known, network.get());
    Value::Object formats;
    if (options_.has("formats")) formats = allow_formats(known, network.get(), std::get<Value::Object>(options_.value("formats").data));
    Owned<TimingCache> timing_cache;  // the configuration uses it to its end
    Owned<BuilderConfig> config = configure(known, builder, network.get(), inputs, timing_cache);
    if (!formats.empty()) report_.options.emplace_back("formats", Value{std::move(formats)});
    if (lowering.has_aliases) allow_aliases(known, config.get());
    if (!only_lower) serialize(known, builder, network.get(), config.get(), program->name);
    if (timing_cache) report_.timing_cache = timing_cache_of(known, config.get());
    report_.build_ms = milliseconds(build_start);
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

  Napi::Value result(Napi::Env env) override { return to_js(env, report_, log.errors()); }

 private:
  // Marks the weights that `refitIndividual` names.
  void mark_refittable(Api const& api, Network* network) {
    if (!options_.has("refitIndividual")) return;
    for (auto const& name : options_.texts("refitIndividual")) {
      if (!call<m::Network::markWeightsRefittable>(api, network, name.c_str())) throw Error("ERR_BUILD_OPTION", "build option refitIndividual: TensorRT cannot refit weights '" + name + "'");
    }
  }

  // Creates a configuration with the given options and profiles, and reads all of them back.
  Owned<BuilderConfig> configure(Api const& api, Builder* builder, Network* network, std::vector<NetworkInput> const& inputs, Owned<TimingCache>& timing_cache) {
    Owned<BuilderConfig> config(call<m::Builder::createBuilderConfig>(api, builder));
    if (!config) throw Error("ERR_BUILDER", "TensorRT could not create a builder configuration");
    apply_options(api, builder, config.get(), options_, log);
    if (timing_cache_) timing_cache = attach_timing_cache(api, config.get(), *timing_cache_, options_.flag("ignoreTimingCacheMismatch"), log);
    report_.options = read_options(api, builder, config.get(), network, options_);
    // Checking a network does not need the ranges that building it needs.
    if (!options_.has("profiles")) return config;
    auto added = add_profiles(api, builder, config.get(), inputs, options_.list("profiles"));
    report_.shape_inputs = std::move(added.shape_inputs);
    report_.options.emplace_back("profiles", Value{std::move(added.held)});
    return config;
  }

  static void allow_aliases(Api const& api, BuilderConfig* config) {
    int32_t const feature = api.enumerator("PreviewFeature", "kALIASED_PLUGIN_IO_10_03");
    call<m::BuilderConfig::setPreviewFeature>(api, config, feature, true);
    if (!call<m::BuilderConfig::getPreviewFeature>(api, config, feature)) throw Error("ERR_UNSUPPORTED", "TensorRT " + release_name(api.release) + " refused plugins that update inputs in place");
  }

  void serialize(Api const& api, Builder* builder, Network* network, BuilderConfig* config, std::string const& name) {
    auto monitor = std::make_unique<ProgressMonitor>([this](ProgressEvent const& event) {
      if (listener_) listener_.progress(event);
      return !cancelled;
    });
    call<m::BuilderConfig::setProgressMonitor>(api, config, static_cast<void*>(monitor.get()));
    take_failure();  // of a tactic in an earlier build
    auto* memory = call<m::Builder::buildSerializedNetwork>(api, builder, network, config);
    call<m::BuilderConfig::setProgressMonitor>(api, config, static_cast<void*>(nullptr));
    monitor.reset();
    if (is_null(memory)) {
      if (cancelled) throw Error("ERR_ABORTED", "the build was cancelled");
      auto const failure = take_failure();
      throw Error("ERR_BUILD_FAILED", "TensorRT " + report_.version + " could not build network '" + name + "'" + (failure ? std::string(": ") + failure->what() : ""));
    }
    Plan& plan = report_.plan;
    plan.owner = std::shared_ptr<void>(memory, destroy);
    // TensorRT takes the size of a workspace that cannot be computed for a large one; tactics may fail.
    if (auto const failure = take_failure(); failure && failure->code == "ERR_PLUGIN") throw *failure;
    plan.data = call<m::HostMemory::data>(api, memory);
    plan.size = call<m::HostMemory::size>(api, memory);
  }

  std::string library_;
  std::shared_ptr<Program> program_;
  Params options_;
  std::optional<std::string> timing_cache_;
  Listener listener_;
  std::atomic<Lowering const*> lowering_{nullptr};
  Report report_;
};

}  // namespace

Napi::Value start_build(Napi::Env env, std::string const& library, std::shared_ptr<Program> program, Params options, Napi::Value callbacks, std::optional<std::string> timing_cache) {
  auto job = std::make_shared<BuildJob>(env, library, std::move(program), std::move(options), callbacks, std::move(timing_cache));
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
