// The graph as it arrives from JavaScript, piece by piece, so that no call blocks the event loop for long.
#pragma once

#include <napi.h>

#include "../core/js.h"
#include "graph.h"

namespace ntrt {

// Converts any plain JavaScript value to a Value; objects may nest 32 deep.
Value to_value(Napi::Value value, int depth = 0);
// Converts a Value to a JavaScript value.
Napi::Value from_value(Napi::Env env, Value const& value);

// { name?, dtype, shape, data, mapping }: its type, and where its elements are: in memory that a mapping holds,
// whatever becomes of the array.
Weight read_weight(Given const& given);

// A new Program(name) in JavaScript; src/tensorrt/binding.ts has its methods.
class ProgramWrap : public Napi::ObjectWrap<ProgramWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ProgramWrap(Napi::CallbackInfo const& info);

 private:
  // Takes bytes in wire.h's form.
  void add_graph(Napi::CallbackInfo const& info);
  // addWeights(list of { name, dtype, shape, data, mapping }): the elements are used where they lie.
  void add_weights(Napi::CallbackInfo const& info);
  // addPlugins(list of NativePlugin in src/plugin/binding.ts): what our own plugin layers are made of.
  void add_plugins(Napi::CallbackInfo const& info);
  Napi::Value build(Napi::CallbackInfo const& info);
  Program& open();

  std::shared_ptr<Program> program_;
};

}  // namespace ntrt
