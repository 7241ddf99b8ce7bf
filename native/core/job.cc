#include "job.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <set>

#include "js.h"
#include "lanes.h"

namespace ntrt {

namespace {

// Ends a process after a crash: destructors of libraries would wait for stopped threads and their locks.
void end_without_destructors(int status, void*) {
  if (ftrylockfile(stdout) == 0) fflush_unlocked(stdout);
  _exit(status);
}

// Of all environments, for the life of the process.
struct Environments {
  std::mutex mutex;
  std::set<napi_env> open;
  std::set<void (*)()> hooks;  // of `at_close`
};
auto& environments = *new Environments;

struct Nothing : Job {
  void work() override {}
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }
};

}  // namespace

// The current jobs of one environment, and the way back to its event loop.
class Jobs {
 public:
  bool closed = false;

  static Jobs& of(Napi::Env env) {
    if (auto* jobs = env.GetInstanceData<Jobs>()) return *jobs;
    auto* jobs = new Jobs(env);
    env.SetInstanceData(jobs);
    env.AddCleanupHook([jobs] { jobs->close(); });
    return *jobs;
  }

  void add(std::shared_ptr<Job> job) {
    if (active_.empty()) napi_ref_threadsafe_function(env_, channel_);
    active_.insert(std::move(job));
  }

  // From any thread: the job is over. It stays active until it is settled.
  void deliver(Job* job) { napi_call_threadsafe_function(channel_, job, napi_tsfn_nonblocking); }

  void wake(std::chrono::nanoseconds within) {
    awake_.store(within.count(), std::memory_order_relaxed);
    napi_call_threadsafe_function(channel_, nullptr, napi_tsfn_nonblocking);
  }

  // How the loop stays awake for so many milliseconds; once.
  void stay_awake_by(napi_value function) {
    if (!awake_by_ && napi_create_reference(env_, function, 1, &awake_by_) != napi_ok) throw Napi::Error::New(env_);
  }

  void close() {
    if (closed) return;
    closed = true;
    std::set<void (*)()> hooks;
    {
      std::lock_guard lock(environments.mutex);
      environments.open.erase(env_);
      hooks = environments.hooks;
    }
    for (auto const& job : active_) job->cancel();
    for (auto const& job : active_) job->wait();
    active_.clear();
    for (auto const hook : hooks) hook();
    Job::wait_for_lane(Lane::free);
    napi_release_threadsafe_function(channel_, napi_tsfn_abort);
    // Registered now, so that it runs before the destructors of all libraries loaded so far.
    if (has_crashed()) on_exit(end_without_destructors, nullptr);
  }

 private:
  explicit Jobs(Napi::Env env) : env_(env) {
    auto const name = Napi::String::New(env, "node-tensorrt");
    if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, receive, &channel_) != napi_ok) throw Napi::Error::New(env);
    napi_unref_threadsafe_function(env, channel_);
    std::lock_guard lock(environments.mutex);
    environments.open.insert(env);
  }

  static void receive(napi_env env, napi_value, void* context, void* data) {
    auto& jobs = *static_cast<Jobs*>(context);
    if (!env || jobs.closed) return;
    if (data) return jobs.settle(env, static_cast<Job*>(data)->shared_from_this());
    jobs.stay_awake(static_cast<double>(jobs.awake_.load(std::memory_order_relaxed)) / 1e6);
  }

  // Nothing is called in a worker thread that is being terminated.
  void stay_awake(double ms) {
    napi_value function = nullptr, self = nullptr, given = nullptr;
    if (!awake_by_ || napi_get_reference_value(env_, awake_by_, &function) != napi_ok) return;
    if (napi_get_undefined(env_, &self) != napi_ok || napi_create_double(env_, ms, &given) != napi_ok) return;
    napi_call_function(env_, self, function, 1, &given, nullptr);
  }

  void settle(Napi::Env env, std::shared_ptr<Job> const& job) {
    try {
      bool failed = false;
      Napi::Value const value = job->settle(env, failed);
      if (failed) {
        napi_reject_deferred(env, job->promise_, value);
      } else {
        napi_resolve_deferred(env, job->promise_, value);
      }
    } catch (Napi::Error const&) {
      // Nothing can be made in a worker thread that is being terminated.
    }
    active_.erase(job);
    if (active_.empty()) napi_unref_threadsafe_function(env_, channel_);
  }

  Napi::Env env_;
  napi_threadsafe_function channel_ = nullptr;
  std::atomic<int64_t> awake_{0};  // nanoseconds
  napi_ref awake_by_ = nullptr;    // it goes with the environment
  std::set<std::shared_ptr<Job>> active_;
};

bool is_closed(napi_env env) {
  std::lock_guard lock(environments.mutex);
  return environments.open.count(env) == 0;
}

void at_close(void (*hook)()) {
  std::lock_guard lock(environments.mutex);
  environments.hooks.insert(hook);
}

void cancel_jobs(Napi::Env env) { Jobs::of(env).close(); }

bool Job::cancel() {
  cancelled = true;
  if (has_begun()) return false;
  perform(-1);
  return true;
}

void Job::perform(Seat seat) {
  if (claimed_.exchange(true)) return;
  std::exception_ptr error;
  seat_ = seat;
  try {
    if (cancelled) throw Error("ERR_ABORTED", "the work was cancelled");
    LogScope scope(log, lane_ == Lane::build);
    work();
  } catch (...) {
    error = std::current_exception();
  }
  if (seat >= 0) set_guarded(seat, false);
  if (error || !deferred_) finish(std::move(error));
}

void Job::wake_environment(std::chrono::nanoseconds within) {
  // It lives until the job is over, unless a crash is in the way.
  if (jobs_ && !finished_ && !has_crashed()) jobs_->wake(within);
}

Napi::Value stay_awake_by(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsFunction()) argument(info, 0).refuse("a function");
    if (may_spin()) Jobs::of(info.Env()).stay_awake_by(info[0]);
    return Napi::Boolean::New(info.Env(), may_spin());
  });
}

bool Job::finish(std::exception_ptr error) {
  if (finished_.exchange(true)) return false;
  error_ = std::move(error);
  bool const handed_over = jobs_ && hand_over();
  leave();
  if (jobs_ && !handed_over) jobs_->deliver(this);
  // Last: once a waiting environment continues, nothing of it may be touched.
  std::lock_guard lock(mutex_);
  done_ = true;
  changed_.notify_all();
  return true;
}

void Job::deliver() {
  if (!jobs_->closed) jobs_->deliver(this);
}

void Job::enter_library(Library const* library, std::string doing) {
  if (library) {
    check_not_crashed(*library, lane_);
    set_last_called(lane_, library);
  }
  library_ = library;
  doing_ = std::move(doing);
  if (seat_ >= 0) set_guarded(seat_, true);
}

std::string crash_text(Library const* library, std::string const& doing, Crash const& crash, Lane lane) {
  bool const builds = lane == Lane::build || lane == Lane::plugin;
  std::string const end = is_disposable() ? "the process of that build has ended, and the next one gets another" : std::string("it cannot ") + (builds ? "build" : "be used") + " again in this process";
  return (library ? library->product : "TensorRT") + " crashed while " + doing + " (" + describe(crash) + "); " + end;
}

void call_sheltered(Library const& library, char const* doing, std::function<void()> const& function) {
  struct Call {
    std::function<void()> const& function;
    std::exception_ptr error;
  } call{function, nullptr};
  Crash crash;
  check_not_crashed(library, Lane::run);
  refresh_guard();
  bool const returned = run_guarded(
      [](void* data) {
        auto& call = *static_cast<Call*>(data);
        try {
          call.function();
        } catch (...) {
          call.error = std::current_exception();
        }
      },
      &call, crash);
  if (!returned) {
    add_crash(&library, Lane::run, std::string(doing) + " (" + describe(crash) + ")");
    throw Error("ERR_TENSORRT_CRASHED", crash_text(&library, doing, crash, Lane::run));
  }
  if (call.error) std::rethrow_exception(call.error);
}

void Job::crash(Crash const& crash) {
  LayerRef at = crash.worker ? layer() : LayerRef();
  std::string const where = at.name.empty() ? "" : at.kind + " '" + at.name + "': ";
  finish(std::make_exception_ptr(Error("ERR_TENSORRT_CRASHED", where + crash_text(library_, doing_, crash, lane_), std::move(at))));
}

void Job::wait() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::seconds(5), [this] { return done_; })) {
    // After a crash, the work may wait forever for a lock of the stopped thread.
    if (has_crashed() && !finished_.exchange(true)) {
      leave();
      return;
    }
  }
}

Napi::Value Job::settle(Napi::Env env, bool& failed) {
  failed = false;
  try {
    if (error_) std::rethrow_exception(error_);
    return result(env);
  } catch (...) {
    failed = true;
    return to_js_error(env, std::current_exception(), &log).Value();
  }
}

void Job::start_detached(std::shared_ptr<Job> job, Lane lane) {
  job->lane_ = lane;
  job->post();
}

void Job::wait_for_lane(Lane lane) {
  auto const last = std::make_shared<Nothing>();
  try {
    start_detached(last, lane);
  } catch (Error const&) {
    return;  // no thread, no work
  }
  last->wait();
}

void Job::post() { post_to_lane(lane_, shared_from_this()); }

Napi::Value Job::run(Napi::Env env, std::shared_ptr<Job> job, Lane lane) {
  return guarded(env, [&] {
    job->lane_ = lane;
    if (Jobs::of(env).closed) {
      job->cancel();
    } else {
      job->post();
    }
    {
      std::unique_lock lock(job->mutex_);
      job->changed_.wait(lock, [&] { return job->done_; });
    }
    bool failed = false;
    Napi::Value const value = job->settle(env, failed);
    if (failed) throw Napi::Error(env, value);
    return value;
  });
}

Napi::Promise Job::start(Napi::Env env, std::shared_ptr<Job> job, Lane lane) {
  return start(env, job, lane, [&job] { job->post(); });
}

Napi::Promise Job::start(Napi::Env env, std::shared_ptr<Job> job, Lane lane, std::function<void()> const& begin) {
  auto& jobs = Jobs::of(env);
  napi_value promise = nullptr;
  if (napi_create_promise(env, &job->promise_, &promise) != napi_ok) throw Napi::Error::New(env);
  job->lane_ = lane;
  if (jobs.closed) {
    napi_value const error = to_js_error(env, std::make_exception_ptr(Error("ERR_ABORTED", "the work was cancelled"))).Value();
    napi_reject_deferred(env, job->promise_, error);
    return Napi::Promise(env, promise);
  }
  job->jobs_ = &jobs;
  jobs.add(job);
  try {
    begin();
  } catch (...) {
    job->finish(std::current_exception());
  }
  return Napi::Promise(env, promise);
}

}  // namespace ntrt
