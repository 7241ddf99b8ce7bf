#include "listener.h"

namespace ntrt {

Listener::Listener(Napi::Env env, Napi::Value callbacks) {
  if (!callbacks.IsObject()) return;
  Napi::Value function = callbacks.As<Napi::Object>().Get("onEvent");
  if (!function.IsFunction()) return;
  function_ = Napi::ThreadSafeFunction::New(env, function.As<Napi::Function>(), "node-tensorrt events", 0, 1);
  live_ = true;
}

bool Listener::finish(std::function<void()> function) {
  std::lock_guard lock(mutex_);
  if (!live_) return false;
  function_.NonBlockingCall([function = std::move(function)](Napi::Env, Napi::Function) { function(); });
  function_.Release();
  live_ = false;
  return true;
}

void Listener::release() {
  std::lock_guard lock(mutex_);
  if (live_) function_.Release();
  live_ = false;
}

void Listener::log(int severity, std::string text) {
  std::lock_guard lock(mutex_);
  if (!live_) return;
  function_.NonBlockingCall([severity, text = std::move(text)](Napi::Env env, Napi::Function callback) {
    callback.Call({Napi::String::New(env, "log"), Napi::Number::New(env, severity), Napi::String::New(env, text)});
  });
}

void Listener::progress(ProgressEvent const& event) {
  std::lock_guard lock(mutex_);
  if (!live_) return;
  function_.NonBlockingCall([event](Napi::Env env, Napi::Function callback) {
    auto const parent = event.parent.empty() ? env.Undefined() : Napi::Value(Napi::String::New(env, event.parent));
    callback.Call({Napi::String::New(env, event.kind), Napi::String::New(env, event.phase), parent, Napi::Number::New(env, event.step), Napi::Number::New(env, event.steps)});
  });
}

}  // namespace ntrt
