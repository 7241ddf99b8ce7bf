#include "job.h"

#include <pthread.h>

#include <deque>
#include <set>

namespace ntrt {

// A worker thread. It is never joined: at exit it waits, idle, for work that no longer comes.
class Worker {
 public:
  static Worker& of(Job::Lane lane) {
    static auto* builder = new Worker;
    static auto* runner = new Worker;
    Worker& worker = lane == Job::Lane::build ? *builder : *runner;
    worker.start();
    return worker;
  }
  void post(std::function<void()> task) {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    changed_.notify_one();
  }

 private:
  // TensorRT's builder recurses along the graph: on 8 MiB, the usual size, a chain of 3,000 layers overflows the stack.
  // Pages that are not used are not there.
  static constexpr size_t stack_sizes[] = {512u << 20, 64u << 20, 8u << 20};

  void start() {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; !started_ && i < std::size(stack_sizes); i++) {
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
      pthread_attr_setstacksize(&attributes, stack_sizes[i]);
      pthread_t thread;
      started_ = pthread_create(&thread, &attributes, [](void* self) -> void* { static_cast<Worker*>(self)->loop(); }, this) == 0;
      pthread_attr_destroy(&attributes);
    }
    if (!started_) throw Error("ERR_THREAD", "the system gives no further thread");
  }
  [[noreturn]] void loop() {
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
  bool closed = false;

  static Jobs& of(Napi::Env env) {
    if (auto* jobs = env.GetInstanceData<Jobs>()) return *jobs;
    auto* jobs = new Jobs;
    env.SetInstanceData(jobs);
    env.AddCleanupHook([jobs] { jobs->close(); });
    return *jobs;
  }
  void close() {
    closed = true;
    for (auto const& job : active) job->cancel();
    for (auto const& job : active) job->wait();
    active.clear();
  }
};

void cancel_jobs(Napi::Env env) { Jobs::of(env).close(); }

void Job::cancel() {
  cancelled = true;
  perform();
}

void Job::perform() {
  if (claimed_.exchange(true)) return;
  try {
    if (cancelled) throw Error("ERR_ABORTED", "the work was cancelled");
    LogScope scope(log, lane_ == Lane::build);
    work();
  } catch (...) {
    error_ = std::current_exception();
  }
  leave();
  complete_();
  complete_ = nullptr;
  // Last: once a waiting environment goes on, nothing of it may be touched any more.
  std::lock_guard lock(mutex_);
  done_ = true;
  changed_.notify_all();
}

void Job::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return done_; });
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
  Worker& worker = *guarded(env, [lane] { return &Worker::of(lane); });
  auto deferred = Napi::Promise::Deferred::New(env);
  auto promise = deferred.Promise();
  auto noop = Napi::Function::New(env, [](Napi::CallbackInfo const&) {});
  auto channel = Napi::ThreadSafeFunction::New(env, noop, "node-tensorrt job", 0, 1);
  auto& jobs = Jobs::of(env);
  job->lane_ = lane;
  job->complete_ = [weak = std::weak_ptr<Job>(job), deferred, channel, &jobs]() mutable {
    channel.BlockingCall([job = weak.lock(), deferred, &jobs](Napi::Env env, Napi::Function) {
      jobs.active.erase(job);
      bool failed = false;
      Napi::Value value = job->settle(env, failed);
      if (failed) {
        deferred.Reject(value);
      } else {
        deferred.Resolve(value);
      }
    });
    channel.Release();
  };
  if (jobs.closed) {
    job->cancel();
  } else {
    jobs.active.insert(job);
    worker.post([job] { job->perform(); });
  }
  return promise;
}

}  // namespace ntrt
