// Measuring: runs without a break, timed by the GPU and by the host.
#pragma once

#include <napi.h>

namespace ntrt {

// measure(context handles, placements of each, { warmUp, duration, iterations, threads, graph, spin, transfers, idle }, callbacks) → Promise of
// { times, graphRefused }. `times` is an ArrayBuffer of doubles, a MeasuredRun for each; see src/tensorrt/binding.ts. Contexts were made with two
// runs in flight, and nobody else uses them meanwhile. `callbacks.cancel()` ends it.
Napi::Value measure(Napi::CallbackInfo const& info);

}  // namespace ntrt
