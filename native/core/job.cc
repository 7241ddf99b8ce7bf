#include "job.h"

#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <set>
#include <thread>

#include "js.h"

namespace ntrt {

namespace {

// Ends a process after a crash: destructors of libraries would wait for stopped threads and their locks.
void end_without_destructors(int status, void*) {
  if (ftrylockfile(stdout) == 0) fflush_unlocked(stdout);
  _exit(status);
}

}  // namespace

// A worker thread. It is never joined: at exit it waits, idle, for more work.
class Worker {
 public:
  static Worker& of(Lane lane) {
    static auto* builder = new Worker(Lane::build);
    static auto* runner = new Worker(Lane::run);
    static auto* describer = new Worker(Lane::plugin);
    auto const worker_of = [](Lane one) { return one == Lane::build ? builder : one == Lane::run ? runner : describer; };
    static std::once_flag once;
    std::call_once(once, [worker_of] {
      install_guard();
      std::thread([worker_of] {
        for (;;) {
          Crash const crash = next_crash();
          worker_of(crash.lane)->replace(crash);
        }
      }).detach();
    });
    Worker& worker = *worker_of(lane);
    std::lock_guard lock(worker.mutex_);
    worker.start();
    return worker;
  }
  void post(std::shared_ptr<Job> job) {
    install_guard();
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(job));
    changed_.notify_one();
  }

 private:
  // TensorRT's builder recurses along the graph: a chain of 3,000 layers overflows the usual stack of 8 MiB.
  // Unused pages take no memory.
  static constexpr size_t stack_sizes[] = {512u << 20, 64u << 20, 8u << 20};

  explicit Worker(Lane lane) : lane_(lane) {}

  void start() {
    for (size_t i = 0; !started_ && i < std::size(stack_sizes); i++) {
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
      pthread_attr_setstacksize(&attributes, stack_sizes[i]);
      pthread_t thread;
      started_ = pthread_create(&thread, &attributes, [](void* self) -> void* { static_cast<Worker*>(self)->loop(); }, this) == 0;
      pthread_attr_destroy(&attributes);
    }
    if (!started_) throw Error("ERR_THREAD", "the system refused another thread");
  }
  [[noreturn]] void loop() {
    become_worker(lane_);
    std::unique_lock lock(mutex_);
    auto const generation = generation_;
    for (;;) {
      changed_.wait(lock, [this] { return !tasks_.empty(); });
      auto job = std::move(tasks_.front());
      tasks_.pop_front();
      current_ = job;
      lock.unlock();
      job->perform();
      lock.lock();
      if (generation != generation_) {
        lock.unlock();
        park();  // another thread took its place, and it keeps the job
      }
      current_ = nullptr;
      lock.unlock();
      job = nullptr;
      lock.lock();
    }
  }
  // Settles the current job and lets another thread continue with the waiting ones.
  void replace(Crash const& crash) {
    std::shared_ptr<Job> job;
    std::deque<std::shared_ptr<Job>> stranded;
    std::string const where = " (" + describe(crash) + ")";
    {
      std::lock_guard lock(mutex_);
      if (current_ && abandon_worker(lane_)) job = std::exchange(current_, nullptr);
      // Before another thread takes the next job.
      add_crash(job ? job->library_ : nullptr, lane_, (job ? job->doing_ : "idle") + where);
      if (!job) return;
      generation_++;
      started_ = false;
      try {
        start();
      } catch (Error const&) {
        stranded.swap(tasks_);
      }
    }
    job->crash(crash);
    for (auto const& one : stranded) one->cancel();
  }

  Lane const lane_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> tasks_;
  std::shared_ptr<Job> current_;
  uint32_t generation_ = 0;  // of the thread
  bool started_ = false;
};

// The current jobs of one environment.
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
    // Registered now, so that it runs before the destructors of all libraries loaded so far.
    if (has_crashed()) on_exit(end_without_destructors, nullptr);
  }
};

void cancel_jobs(Napi::Env env) { Jobs::of(env).close(); }

void Job::cancel() {
  cancelled = true;
  perform();
}

void Job::perform() {
  if (claimed_.exchange(true)) return;
  std::exception_ptr error;
  try {
    if (cancelled) throw Error("ERR_ABORTED", "the work was cancelled");
    LogScope scope(log, lane_ == Lane::build);
    work();
  } catch (...) {
    error = std::current_exception();
  }
  set_guarded(lane_, false);
  finish(std::move(error));
}

bool Job::finish(std::exception_ptr error) {
  if (finished_.exchange(true)) return false;
  error_ = std::move(error);
  leave();
  complete_();
  complete_ = nullptr;
  // Last: once a waiting environment continues, nothing of it may be touched.
  std::lock_guard lock(mutex_);
  done_ = true;
  changed_.notify_all();
  return true;
}

void Job::enter_library(Library const* library, std::string doing) {
  if (library) {
    check_not_crashed(*library, lane_);
    set_last_called(lane_, library);
  }
  library_ = library;
  doing_ = std::move(doing);
  set_guarded(lane_, true);
}

void Job::crash(Crash const& crash) {
  std::string const text = (library_ ? library_->product : "TensorRT") + " crashed while " + doing_ + " (" + describe(crash) + "); it cannot " +
                           (lane_ == Lane::run ? "be used" : "build") + " again in this process";
  LayerRef at = crash.worker ? layer() : LayerRef();
  std::string const where = at.name.empty() ? "" : at.kind + " '" + at.name + "': ";
  finish(std::make_exception_ptr(Error("ERR_TENSORRT_CRASHED", where + text, std::move(at))));
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
    auto const lines = log.errors();
    return to_js_error(env, std::current_exception(), &lines).Value();
  }
}

Napi::Value Job::run(Napi::Env env, std::shared_ptr<Job> job, Lane lane) {
  return guarded(env, [&] {
    Worker& worker = Worker::of(lane);
    job->lane_ = lane;
    job->complete_ = [] {};
    if (Jobs::of(env).closed) {
      job->cancel();
    } else {
      worker.post(job);
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
    worker.post(job);
  }
  return promise;
}

}  // namespace ntrt
