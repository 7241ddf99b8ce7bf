#include "synchronous.h"

namespace ntrt {

void synchronously(Napi::Env env, ContextState& context, Placements const& placements, bool with_buffers, std::function<void(RunBuffers*)> const& work) {
  auto const& engine = *context.engine;
  check_not_crashed(*engine.api, Lane::run);
  LogSink log;
  try {
    Turn tensors;
    use_tensors(tensors, context, placements);
    tensors.wait();
    ContextTurn const turn(context, with_buffers);
    LogScope const scope(log, false);
    try {
      call_sheltered(*engine.api, "running an engine", [&] {
        use_device(engine.device);
        engine.require_weights();
        work(turn.buffers);
      });
    } catch (...) {
      rethrow_run_error(engine);
    }
  } catch (...) {
    throw to_js_error(env, std::current_exception(), &log);
  }
}

}  // namespace ntrt
