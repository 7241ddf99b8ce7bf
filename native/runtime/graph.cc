#include "../core/handle.h"
#include "run.h"
#include "submit.h"
#include "synchronous.h"

namespace ntrt {

namespace {

// A run as a graph, with the memory it reads and writes.
struct GraphState {
  static constexpr char handle_kind[] = "a CUDA graph";
  std::shared_ptr<ContextState> context;
  Placements placements;
  RunBuffers buffers;
  CudaGraph graph;
  int64_t refits = 0;  // of the engine, when it was captured

  ~GraphState() {
    try {
      use_device(context->engine->device);
      context->compute.synchronize("waiting for the last launch");
      buffers.device.clear();
    } catch (...) {
    }
  }

  // Launches, when it is the caller's turn. Returns the event after which all is done, or null if it `waits` for that. After an
  // error nothing of it is on its way any more.
  std::shared_ptr<Event> launch(bool waits) {
    if (refits != context->engine->refits) throw Error("ERR_CAPTURE", "the engine was refitted after the graph had been captured, which has the old weights: capture it again");
    try {
      return submit(waits);
    } catch (...) {
      driver().cuStreamSynchronize(context->compute.get());
      throw;
    }
  }

 private:
  std::shared_ptr<Event> submit(bool waits) {
    auto const& io = context->engine->io;
    for (size_t i = 0; i < io.size(); i++) {
      if (!placements[i].device) continue;
      if (io[i].input) {
        placements[i].device->before_read(context->compute);
      } else {
        placements[i].device->before_write(context->compute);
      }
    }
    if (context->activations) context->activations->before_write(context->compute);
    graph.launch(context->compute);
    if (waits) context->compute.synchronize("running the graph");
    auto const done = waits ? nullptr : Event::record(context->compute);
    if (context->activations) tell(*context->activations, true, done);
    for (size_t i = 0; i < io.size(); i++) {
      if (placements[i].device) tell(*placements[i].device, !io[i].input, done);
    }
    return done;
  }
};

// Throws ERR_ARGUMENT unless all lie in tensors: others end with the capture, and launches would write to what was theirs.
void require_tensors(Placements const& placements) {
  for (auto const& one : placements) {
    if (!one.host && !one.device) throw Error("ERR_ARGUMENT", "expected a host tensor or a tensor on the GPU for each input and output of a graph");
  }
}

class CaptureJob : public ContextJob {
 public:
  CaptureJob(std::shared_ptr<ContextState> context, Placements placements) : ContextJob(context, false, -1) {
    state_->context = std::move(context);
    state_->placements = std::move(placements);
    state_->buffers.device.resize(state_->placements.size());
  }

  std::shared_ptr<Event> submit(RunBuffers*) override {
    state_->refits = context().engine->refits;
    state_->graph = capture_run(context(), state_->buffers, state_->placements);
    state_->graph.upload(context().compute);
    return Event::record(context().compute);
  }
  Napi::Value result(Napi::Env env) override { return make_handle(env, state_); }

 private:
  std::shared_ptr<GraphState> state_ = make_released_later<GraphState>();
};

class LaunchJob : public ContextJob {
 public:
  LaunchJob(std::shared_ptr<GraphState> graph, int64_t ticket) : ContextJob(graph->context, false, ticket), graph_(std::move(graph)) {}
  std::shared_ptr<Event> submit(RunBuffers*) override { return graph_->launch(false); }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

 private:
  std::shared_ptr<GraphState> const graph_;
};

}  // namespace

Napi::Value capture(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto context = state_of<ContextState>(argument(info, 0));
    auto const placements = read_placements(*context->engine, argument(info, 1));
    require_tensors(placements);
    auto job = std::make_shared<CaptureJob>(context, placements);
    return Job::start(info.Env(), job, Lane::run, [&] { job->begin(placements); });
  });
}

Napi::Value launch(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const graph = state_of<GraphState>(argument(info, 0));
    check(graph->placements);
    auto job = std::make_shared<LaunchJob>(graph, info[1].As<Napi::Number>().Int64Value());
    return Job::start(info.Env(), job, Lane::run, [&] { job->begin(graph->placements); });
  });
}

Napi::Value launch_sync(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const graph = state_of<GraphState>(argument(info, 0));
    check(graph->placements);
    auto& context = *graph->context;
    synchronously(info.Env(), context, graph->placements, false, [&](RunBuffers*) {
      graph->launch(true);
    });
    return info.Env().Undefined();
  });
}

}  // namespace ntrt
