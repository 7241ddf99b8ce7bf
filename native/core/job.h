// Slow work runs on threads of our own, one each for building, for running engines and for asking plugins; never on the event loop or in libuv's pool.
#pragma once

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "crashes.h"
#include "error.h"
#include "log.h"

namespace ntrt {

// A job: `work` runs on the worker thread, then `result` on the event loop, which settles the promise.
class Job {
 public:
  virtual ~Job() = default;
  virtual void work() = 0;
  virtual Napi::Value result(Napi::Env env) = 0;
  // Releases what belongs to the environment, which may be gone later.
  virtual void leave() {}

  // The current layer, if known; called while the worker is stopped.
  virtual LayerRef layer() const { return {}; }

  LogSink log;
  std::atomic<bool> cancelled{false};

  // Starts the job; the promise is rejected with an Error that has code, layer, kind and log.
  static Napi::Promise start(Napi::Env env, std::shared_ptr<Job> job, Lane lane);

  // Starts the job and waits for it on the event loop. Throws what `start` would reject with.
  static Napi::Value run(Napi::Env env, std::shared_ptr<Job> job, Lane lane);

  // From the event loop: stops the work at its next step. A job that still waits for its turn is over at once.
  void cancel();

 protected:
  // In `work`: from here on, a crash ends the job, not the process. `doing` completes "TensorRT crashed while …".
  // Throws ERR_TENSORRT_CRASHED if the library crashed before; null means that the library is unknown.
  void enter_library(Library const* library, std::string doing);

 private:
  friend class Jobs;
  friend class Worker;
  void perform();
  bool finish(std::exception_ptr error);
  void crash(Crash const& crash);
  void wait();
  Napi::Value settle(Napi::Env env, bool& failed);

  Lane lane_ = Lane::run;
  std::atomic<bool> claimed_{false};   // by the worker, or by a cancellation
  std::atomic<bool> finished_{false};  // by the worker, or by the watch after a crash
  Library const* library_ = nullptr;
  std::string doing_;
  std::function<void()> complete_;    // tells the event loop
  std::exception_ptr error_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
};

// Cancels this environment's jobs, waits for them and accepts no more; called before the process or a worker thread ends.
void cancel_jobs(Napi::Env env);

}  // namespace ntrt
