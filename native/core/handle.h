// Native objects held by JavaScript: freed by `release` or by the garbage collector.
#pragma once

#include <memory>

#include "js.h"

namespace ntrt {

// The object behind a handle. A class T that handles can hold has `static constexpr char handle_kind[]`, e.g. "an engine".
struct Handle {
  char const* kind;
  std::shared_ptr<void> state;
  int64_t bytes;  // reported to the garbage collector
};

Napi::Value make_handle(Napi::Env env, Handle handle);

// The handle in `given`. Throws ERR_ARGUMENT if it is not this addon's, or not of the kind; null accepts any kind.
Handle& handle_of(Given const& given, char const* kind);

template <class T>
Napi::Value make_handle(Napi::Env env, std::shared_ptr<T> state, size_t bytes = 0) {
  return make_handle(env, Handle{T::handle_kind, std::move(state), static_cast<int64_t>(bytes)});
}

// The object behind the handle; throws ERR_DISPOSED after `release`.
template <class T>
std::shared_ptr<T> state_of(Given const& given) {
  Handle const& handle = handle_of(given, T::handle_kind);
  if (!handle.state) throw Error("ERR_DISPOSED", "the native object was disposed");
  return std::static_pointer_cast<T>(handle.state);
}

// Lets go of an object on the free lane: TensorRT may take long, and a crash in it ends nothing.
void release_later(std::shared_ptr<void> state) noexcept;

// An object that is let go of so, whichever thread has the last reference.
template <class T>
std::shared_ptr<T> make_released_later() {
  return std::shared_ptr<T>(new T, [](T* object) { release_later(std::shared_ptr<T>(object)); });
}

// release(handle): frees the object off the event loop, once no job uses it.
Napi::Value release(Napi::CallbackInfo const& info);

}  // namespace ntrt
