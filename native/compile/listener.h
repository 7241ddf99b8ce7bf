// Tells JavaScript what a build logs and how far it is.
#pragma once

#include <napi.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "../tensorrt/callbacks.h"

namespace ntrt {

// Calls `callbacks.onEvent`, if there is one, on the event loop; see BuildCallbacks in binding.ts. From any thread.
class Listener {
 public:
  Listener(Napi::Env env, Napi::Value callbacks);
  explicit operator bool() const { return live_; }
  void log(int severity, std::string text);
  void progress(ProgressEvent const& event);
  // Calls `function` on the event loop after all events, and tells no more. False if nobody listens.
  bool finish(std::function<void()> function);
  void release();

 private:
  Napi::ThreadSafeFunction function_;
  // After a crash, TensorRT's other threads may still call when nobody listens.
  std::mutex mutex_;
  std::atomic<bool> live_{false};
};

}  // namespace ntrt
