// The graph as it comes from JavaScript, piece by piece, so that no call holds up the event loop for long.
#pragma once

#include <napi.h>

#include "graph.h"

namespace ntrt {

// Any plain JavaScript value as a Value; objects nest at most 32 deep.
Value to_value(Napi::Value value, int depth = 0);
// The other way round.
Napi::Value from_value(Napi::Env env, Value const& value);

// A new Program(name) in JavaScript; src/tensorrt/binding.ts has its methods.
class ProgramWrap : public Napi::ObjectWrap<ProgramWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ProgramWrap(Napi::CallbackInfo const& info);

 private:
  // Bytes as wire.h reads them.
  void add_graph(Napi::CallbackInfo const& info);
  // addWeights(list of { name, dtype, shape, data, mapping }, copy): takes elements where they are if they lie in a mapped
  // file, else copies them; without `copy` it only reserves room, for fillWeight, and returns false.
  Napi::Value add_weights(Napi::CallbackInfo const& info);
  void fill_weight(Napi::CallbackInfo const& info);
  Napi::Value build(Napi::CallbackInfo const& info);
  Program& open();

  std::shared_ptr<Program> program_;
  size_t room_ = 0;  // bytes of the last weight, where it waits for fillWeight
};

}  // namespace ntrt
