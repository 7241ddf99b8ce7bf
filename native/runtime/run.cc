#include "run.h"

#include "../core/handle.h"
#include "outputs.h"
#include "synchronous.h"

namespace ntrt {

namespace {

// Placements that stay the same from run to run.
struct BoundState {
  static constexpr char handle_kind[] = "a binding";
  std::shared_ptr<ContextState> context;
  Placements placements;
  std::vector<Dims> shapes;
  bool needs_buffers = false;
  bool is_static = true;  // no shape depends on data

  // As JavaScript wants them: undefined if it knows the shapes already.
  Napi::Value outputs(Napi::Env env, Outcome& outcome) const {
    if (is_static && outcome.debug.empty()) return env.Undefined();
    return outputs_of(env, *context->engine, placements, outcome);
  }
};

Napi::Value shapes_of_outputs(Napi::Env env, EngineState const& engine, std::vector<Dims> const& shapes) {
  auto list = Napi::Array::New(env);
  for (size_t i = 0; i < shapes.size(); i++) {
    if (!engine.io[i].input) list.Set(list.Length(), numbers(env, to_vector(shapes[i])));
  }
  return list;
}

class RunJob : public ContextJob {
 public:
  RunJob(std::shared_ptr<ContextState> context, Placements placements, int64_t ticket)
      : ContextJob(context, needs_buffers(*context->engine, placements), ticket), placements_(std::move(placements)) {}

  std::shared_ptr<Event> submit(RunBuffers* buffers) override { return submit_run(context(), buffers, placements_, outcome_); }
  Napi::Value result(Napi::Env env) override { return outputs_of(env, *context().engine, placements_, outcome_); }
  void leave() override {
    finish_copies(placements_);  // JavaScript may free the arrays now
    ContextJob::leave();
  }

 private:
  Placements const placements_;
  Outcome outcome_;
};

class BoundJob : public ContextJob {
 public:
  BoundJob(std::shared_ptr<BoundState> bound, int64_t ticket) : ContextJob(bound->context, bound->needs_buffers, ticket), bound_(std::move(bound)) {}

  std::shared_ptr<Event> submit(RunBuffers* buffers) override { return submit_run(context(), buffers, bound_->placements, outcome_); }
  Napi::Value result(Napi::Env env) override { return bound_->outputs(env, outcome_); }

 private:
  std::shared_ptr<BoundState> const bound_;
  Outcome outcome_;
};

class ProfileJob : public ContextJob {
 public:
  ProfileJob(std::shared_ptr<ContextState> context, Placements placements, int32_t runs) : ContextJob(context, true, -1), placements_(std::move(placements)), runs_(runs) {}

  std::shared_ptr<Event> submit(RunBuffers* buffers) override {
    auto& c = context();
    // A graph reports no layers.
    size_t const limit = std::exchange(c.graphs.limit, 0);
    try {
      layers_ = profile_runs(*c.engine->api, c.handle(), runs_, [&] {
        Outcome outcome;
        run_and_wait(c, buffers, placements_, outcome);
      });
    } catch (...) {
      c.graphs.limit = limit;
      throw;
    }
    c.graphs.limit = limit;
    return Event::record(c.compute);
  }
  Napi::Value result(Napi::Env env) override { return to_js(env, layers_); }
  void leave() override {
    finish_copies(placements_);
    ContextJob::leave();
  }

 private:
  Placements const placements_;
  int32_t const runs_;
  std::vector<LayerTime> layers_;
};

}  // namespace

Napi::Value profile(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto context = state_of<ContextState>(argument(info, 0));
    use_device(context->engine->device);
    auto const placements = read_placements(*context->engine, argument(info, 1));
    auto job = std::make_shared<ProfileJob>(context, placements, argument(info, 2).integer());
    auto promise = Job::start(info.Env(), job, Lane::run, [&] { job->begin(placements); });
    finish_copies_of_call(placements);
    return promise;
  });
}

Napi::Value run(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto context = state_of<ContextState>(argument(info, 0));
    check_not_crashed(*context->engine->api, Lane::run);
    use_device(context->engine->device);
    auto const placements = read_placements(*context->engine, argument(info, 1));
    auto job = std::make_shared<RunJob>(context, placements, info[2].As<Napi::Number>().Int64Value());
    auto promise = Job::start(info.Env(), job, Lane::run, [&] { job->begin(placements); });
    finish_copies_of_call(placements);
    return promise;
  });
}

Napi::Value run_sync(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto context = state_of<ContextState>(argument(info, 0));
    check_not_crashed(*context->engine->api, Lane::run);
    use_device(context->engine->device);
    auto const placements = read_placements(*context->engine, argument(info, 1));
    Outcome outcome;
    synchronously(info.Env(), *context, placements, needs_buffers(*context->engine, placements), [&](RunBuffers* buffers) {
      run_and_wait(*context, buffers, placements, outcome);
    });
    return outputs_of(info.Env(), *context->engine, placements, outcome);
  });
}

Napi::Value cancel_run(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const context = state_of<ContextState>(argument(info, 0));
    auto const job = context->find(info[1].As<Napi::Number>().Int64Value());
    return Napi::Boolean::New(info.Env(), job && job->cancel());
  });
}

Napi::Value infer_shapes(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto context = state_of<ContextState>(argument(info, 0));
    use_device(context->engine->device);
    auto const placements = read_placements(*context->engine, argument(info, 1));
    std::vector<Dims> shapes;
    synchronously(info.Env(), *context, placements, false, [&](RunBuffers*) { shapes = infer_output_shapes(*context, placements); });
    return shapes_of_outputs(info.Env(), *context->engine, shapes);
  });
}

Napi::Value graph_refused(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const why = state_of<ContextState>(argument(info, 0))->graph_refusal();
    return why.empty() ? info.Env().Undefined() : Napi::Value(Napi::String::New(info.Env(), why));
  });
}

Napi::Value bind(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto bound = std::make_shared<BoundState>();
    bound->context = state_of<ContextState>(argument(info, 0));
    auto& context = *bound->context;
    bound->placements = read_placements(*context.engine, argument(info, 1));
    finish_copies(bound->placements);
    bound->needs_buffers = needs_buffers(*context.engine, bound->placements);
    synchronously(info.Env(), context, bound->placements, false, [&](RunBuffers*) { bound->shapes = infer_output_shapes(context, bound->placements); });
    for (size_t i = 0; i < bound->shapes.size(); i++) {
      // Shapes come from the elements of an input that TensorRT reads on the host, which may be others in every run.
      bool const is_read = context.engine->io[i].input && context.engine->io[i].host;
      bound->is_static = bound->is_static && !is_read && is_known(bound->shapes[i]);
    }
    return make_handle(info.Env(), std::move(bound));
  });
}

Napi::Value output_shapes(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const bound = state_of<BoundState>(argument(info, 0));
    return shapes_of_outputs(info.Env(), *bound->context->engine, bound->shapes);
  });
}

Napi::Value run_bound(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const bound = state_of<BoundState>(argument(info, 0));
    check(bound->placements);
    auto job = std::make_shared<BoundJob>(bound, info[1].As<Napi::Number>().Int64Value());
    return Job::start(info.Env(), job, Lane::run, [&] { job->begin(bound->placements); });
  });
}

Napi::Value run_bound_sync(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const bound = state_of<BoundState>(argument(info, 0));
    check(bound->placements);
    auto& context = *bound->context;
    Outcome outcome;
    synchronously(info.Env(), context, bound->placements, bound->needs_buffers, [&](RunBuffers* buffers) {
      run_and_wait(context, buffers, bound->placements, outcome);
    });
    return bound->outputs(info.Env(), outcome);
  });
}

}  // namespace ntrt
