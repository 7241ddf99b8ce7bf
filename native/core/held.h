// Native objects in JavaScript's hands: freed by `release`, else by the garbage collector.
#pragma once

#include <napi.h>

#include <memory>

#include "../tensorrt/api.h"
#include "job.h"

namespace ntrt {

struct Held {
  std::shared_ptr<void> state;
  int64_t bytes;  // what the garbage collector is told of
};

template <class T>
Napi::Value hold(Napi::Env env, std::shared_ptr<T> state, size_t bytes = 0) {
  auto* held = new Held{std::move(state), static_cast<int64_t>(bytes)};
  Napi::MemoryManagement::AdjustExternalMemory(env, held->bytes);
  return Napi::External<Held>::New(env, held, [](Napi::Env env, Held* gone) {
    Napi::MemoryManagement::AdjustExternalMemory(env, -gone->bytes);
    if (!has_crashed(Lane::run)) delete gone;
  });
}

template <class T>
std::shared_ptr<T> state_of(Napi::Value value) {
  auto const& held = *value.As<Napi::External<Held>>().Data();
  if (!held.state) throw Error("ERR_DISPOSED", "the native object was disposed");
  return std::static_pointer_cast<T>(held.state);
}

// release(handle): frees the object off the event loop, once no job uses it.
Napi::Value release(Napi::CallbackInfo const& info);

}  // namespace ntrt
