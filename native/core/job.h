// Slow work runs on threads of our own (lanes.h); never on the event loop or in libuv's pool.
#pragma once

#include <napi.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "crashes.h"
#include "error.h"
#include "log.h"

namespace ntrt {

class Jobs;

// A job: `work` runs on a worker thread, then `result` on the event loop, which settles the promise.
class Job : public std::enable_shared_from_this<Job> {
 public:
  virtual ~Job() = default;
  virtual void work() = 0;
  virtual Napi::Value result(Napi::Env env) = 0;
  // When the job is over, on whichever thread. Releases what belongs to the environment, which may be gone later.
  virtual void leave() {}

  // When the job is over: whether it calls `deliver` itself on the event loop, behind what it told the loop before.
  virtual bool hand_over() { return false; }

  // The current layer, if known; called while the worker is stopped.
  virtual LayerRef layer() const { return {}; }

  LogSink log;
  std::atomic<bool> cancelled{false};

  // Starts the job; the promise is rejected with an Error that has code, layer, kind and log.
  static Napi::Promise start(Napi::Env env, std::shared_ptr<Job> job, Lane lane);
  // The same for a job that `begin` hands to its lane now or later, by `post`.
  static Napi::Promise start(Napi::Env env, std::shared_ptr<Job> job, Lane lane, std::function<void()> const& begin);
  void post();

  // Starts the job and waits for it on the event loop. Throws what `start` would reject with.
  static Napi::Value run(Napi::Env env, std::shared_ptr<Job> job, Lane lane);

  // Starts a job that nobody waits for. An environment that ends does, if it was started before.
  static void start_detached(std::shared_ptr<Job> job, Lane lane);

  // Stops the work at its next step. A job that still waits for its turn is over at once. False if its work had begun.
  bool cancel();
  bool has_begun() const { return claimed_; }

  // The event loop wakes up, and does not sleep for so long, so that it is awake when the job ends.
  void wake_environment(std::chrono::nanoseconds within);

  // Ends a job whose work deferred its end.
  void end(std::exception_ptr error) { finish(std::move(error)); }

 protected:
  // In `work`: from here on, a crash ends the job, not the process. `doing` completes "TensorRT crashed while …".
  // Throws ERR_TENSORRT_CRASHED if the library crashed before; null means that the library is unknown.
  void enter_library(Library const* library, std::string doing);

  // On the event loop, after `hand_over`: settles the promise.
  void deliver();

  // In `work`: the job is not over when `work` returns, but when `end` is called, which may be before.
  void defer_end() { deferred_ = true; }

 private:
  friend class Jobs;
  friend class Worker;
  void perform(Seat seat);
  bool finish(std::exception_ptr error);
  void crash(Crash const& crash);
  void wait();
  // Until the lane has done what it was given before.
  static void wait_for_lane(Lane lane);
  Napi::Value settle(Napi::Env env, bool& failed);

  Lane lane_ = Lane::engine;
  Seat seat_ = -1;                     // while it works
  std::atomic<bool> claimed_{false};   // by the worker, or by a cancellation
  std::atomic<bool> finished_{false};  // by the worker, or by the watch after a crash
  bool deferred_ = false;
  Library const* library_ = nullptr;
  std::string doing_;
  Jobs* jobs_ = nullptr;  // null for one that is waited for
  napi_deferred promise_ = nullptr;
  std::exception_ptr error_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
};

// "TensorRT 10.6.0 crashed while running an engine (SIGSEGV in libnvinfer.so.10 at 0x1f30); it cannot be used again in this process"
std::string crash_text(Library const* library, std::string const& doing, Crash const& crash, Lane lane);

// Calls a library on a thread that is no worker. A crash in `function` is thrown as ERR_TENSORRT_CRASHED, and the library is
// not used again.
void call_sheltered(Library const& library, char const* doing, std::function<void()> const& function);

// Whether the environment had no job yet, or accepts no more.
bool is_closed(napi_env env);

// Called when an environment ends, once its jobs are over: waits for what they leave behind on other threads.
void at_close(void (*hook)());

// stayAwakeBy(function) → whether it will be called: shortly before a job of this environment ends, with the milliseconds until then.
Napi::Value stay_awake_by(Napi::CallbackInfo const& info);

// Cancels this environment's jobs, waits for them and accepts no more; called before the process or a worker thread ends.
void cancel_jobs(Napi::Env env);

}  // namespace ntrt
