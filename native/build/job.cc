#include "job.h"

#include <deque>
#include <set>
#include <thread>

namespace ntrt {

// A worker thread. It is never joined: at exit it waits, idle, for work that no longer comes.
class Worker {
 public:
  static Worker& of(Job::Lane lane) {
    static auto* builder = new Worker;
    static auto* runner = new Worker;
    return lane == Job::Lane::build ? *builder : *runner;
  }
  void post(std::function<void()> task) {
    std::lock_guard lock(mutex_);
    if (!started_) {
      started_ = true;
      std::thread([this] { loop(); }).detach();
    }
    tasks_.push_back(std::move(task));
    changed_.notify_one();
  }

 private:
  void loop() {
    for (;;) {
      std::function<void()> task;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !tasks_.empty(); });
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool started_ = false;
};

// The jobs under way of one environment.
class Jobs {
 public:
  std::set<std::shared_ptr<Job>> active;

  static Jobs& of(Napi::Env env) {
    if (auto* jobs = env.GetInstanceData<Jobs>()) return *jobs;
    auto* jobs = new Jobs;
    env.SetInstanceData(jobs);
    env.AddCleanupHook([jobs] { jobs->cancel(); });
    return *jobs;
  }
  void cancel() {
    for (auto const& job : active) job->cancelled = true;
    for (auto const& job : active) {
      std::unique_lock lock(job->mutex_);
      job->changed_.wait(lock, [&] { return job->done_; });
    }
    active.clear();
  }
};

void cancel_jobs(Napi::Env env) { Jobs::of(env).cancel(); }

void Job::run(Lane lane) {
  try {
    if (cancelled) throw Error("ERR_ABORTED", "the work was cancelled");
    LogScope scope(log, lane == Lane::build);
    work();
  } catch (...) {
    error_ = std::current_exception();
  }
}

Napi::Error to_js_error(Napi::Env env, std::exception_ptr error, LogSink const* log) {
  auto make = [&](std::string const& message, std::string const& code) {
    Napi::Error js = Napi::Error::New(env, message);
    js.Set("code", Napi::String::New(env, code));
    if (log) {
      auto const lines = log->errors();
      Napi::Array array = Napi::Array::New(env, lines.size());
      for (size_t i = 0; i < lines.size(); i++) array.Set(static_cast<uint32_t>(i), Napi::String::New(env, lines[i]));
      js.Set("log", array);
    }
    return js;
  };
  try {
    std::rethrow_exception(error);
  } catch (LayerError const& e) {
    Napi::Error js = make(e.what(), e.code);
    js.Set("layer", Napi::String::New(env, e.layer));
    js.Set("kind", Napi::String::New(env, e.kind));
    return js;
  } catch (Error const& e) {
    return make(e.what(), e.code);
  } catch (std::bad_alloc const&) {
    return make("out of memory", "ERR_MEMORY");
  } catch (std::exception const& e) {
    return make(e.what(), "ERR_INTERNAL");
  } catch (...) {
    return make("an exception of unknown type", "ERR_INTERNAL");
  }
}

Napi::Value Job::settle(Napi::Env env, bool& failed) {
  failed = error_ != nullptr;
  if (failed) return to_js_error(env, error_, &log).Value();
  try {
    return result(env);
  } catch (...) {
    failed = true;
    return to_js_error(env, std::current_exception(), &log).Value();
  }
}

Napi::Promise Job::start(Napi::Env env, std::shared_ptr<Job> job, Lane lane) {
  auto deferred = Napi::Promise::Deferred::New(env);
  auto promise = deferred.Promise();
  auto noop = Napi::Function::New(env, [](Napi::CallbackInfo const&) {});
  auto complete = Napi::ThreadSafeFunction::New(env, noop, "node-tensorrt job", 0, 1);
  auto& jobs = Jobs::of(env);
  jobs.active.insert(job);
  Worker::of(lane).post([lane, job, deferred, complete, &jobs]() mutable {
    job->run(lane);
    {
      std::lock_guard lock(job->mutex_);
      job->done_ = true;
    }
    job->changed_.notify_all();
    complete.BlockingCall([job, deferred, &jobs](Napi::Env env, Napi::Function) {
      jobs.active.erase(job);
      bool failed = false;
      Napi::Value value = job->settle(env, failed);
      if (failed) {
        deferred.Reject(value);
      } else {
        deferred.Resolve(value);
      }
    });
    complete.Release();
  });
  return promise;
}

}  // namespace ntrt
