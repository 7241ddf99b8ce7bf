// Runs, as JavaScript asks for them.
#pragma once

#include <napi.h>

namespace ntrt {

// run(context handle, placements, ticket) → Promise of outputs
Napi::Value run(Napi::CallbackInfo const& info);
// runSync(context handle, placements) → outputs
Napi::Value run_sync(Napi::CallbackInfo const& info);
// cancelRun(context handle, ticket) → whether the run had not been submitted; then it rejects with ERR_ABORTED
Napi::Value cancel_run(Napi::CallbackInfo const& info);

// inferShapes(context handle, placements) → shapes of the outputs; -1: depends on data
Napi::Value infer_shapes(Napi::CallbackInfo const& info);
// graphRefused(context handle) → why runs are not captured, or undefined
Napi::Value graph_refused(Napi::CallbackInfo const& info);
// profileRuns(context handle, placements, runs) → Promise of [{ name, ms }], the layers' mean times in the order in which they ran
Napi::Value profile(Napi::CallbackInfo const& info);

// bind(context handle, placements) → handle; placements are in tensors
Napi::Value bind(Napi::CallbackInfo const& info);
// outputShapes(bound handle) → shapes as inferred; -1: depends on data
Napi::Value output_shapes(Napi::CallbackInfo const& info);
// runBound(bound handle, ticket) → Promise of outputs, or of undefined if the shapes are those of `outputShapes`
Napi::Value run_bound(Napi::CallbackInfo const& info);
Napi::Value run_bound_sync(Napi::CallbackInfo const& info);

// capture(context handle, placements) → Promise of a handle
Napi::Value capture(Napi::CallbackInfo const& info);
// launch(graph handle, ticket) → Promise
Napi::Value launch(Napi::CallbackInfo const& info);
Napi::Value launch_sync(Napi::CallbackInfo const& info);

}  // namespace ntrt
