// Work that takes time runs on two threads of ours, one that builds and one that runs engines: never on the event loop nor in libuv's pool.
#pragma once

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "../lowering/lower.h"

namespace ntrt {

// A job: `work` runs on the worker thread, then `result` on the event loop, which settles the promise.
class Job {
 public:
  virtual ~Job() = default;
  virtual void work() = 0;
  virtual Napi::Value result(Napi::Env env) = 0;
  // Gives back what belongs to the environment, which may be gone later.
  virtual void leave() {}

  enum class Lane { build, run };

  LogSink log;
  std::atomic<bool> cancelled{false};

  // Starts the job; the promise is rejected with an Error that has code, layer, kind and log.
  static Napi::Promise start(Napi::Env env, std::shared_ptr<Job> job, Lane lane);

  // From the event loop: stops the work at its next step. A job that still waits for its turn is over at once.
  void cancel();

 private:
  friend class Jobs;
  void perform();
  void wait();
  Napi::Value settle(Napi::Env env, bool& failed);

  Lane lane_ = Lane::run;
  std::atomic<bool> claimed_{false};  // by the worker, or by a cancellation
  std::function<void()> complete_;    // tells the event loop
  std::exception_ptr error_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
};

// Cancels this environment's jobs, waits for them and takes no more: called before the process or a worker thread ends.
void cancel_jobs(Napi::Env env);

// A JavaScript Error for what was thrown, with `code` and, where known, `layer`, `kind` and `log`.
Napi::Error to_js_error(Napi::Env env, std::exception_ptr error, LogSink const* log);

// Runs `function`, turning our errors into JavaScript's.
template <class F>
auto guarded(Napi::Env env, F&& function) -> decltype(function()) {
  try {
    return function();
  } catch (Napi::Error const&) {
    throw;
  } catch (...) {
    throw to_js_error(env, std::current_exception(), nullptr);
  }
}

}  // namespace ntrt
