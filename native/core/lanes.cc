#include "lanes.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "job.h"

namespace ntrt {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto usual_look = std::chrono::microseconds(200);

class Queue;

// How a thread waits for work.
struct Sleeper {
  std::condition_variable changed;
  bool called = false;
};

unsigned cores() { return std::max(1u, std::thread::hardware_concurrency()); }

}  // namespace

// A worker thread. It is never joined: at exit it waits, idle, for more work.
class Worker {
 public:
  Worker(Queue& queue, Lane lane) : queue_(queue), lane_(lane), seat_(add_seat(lane)) {}
  void start();
  bool has(Seat seat) const { return seat_ == seat; }
  // Settles the current job and lets another thread continue with the waiting ones.
  void replace(Crash const& crash);

 private:
  [[noreturn]] void loop();

  Queue& queue_;
  Lane const lane_;
  Seat const seat_;
  // Guarded by the queue's mutex.
  Sleeper sleeper_;
  std::shared_ptr<Job> current_;
  uint32_t generation_ = 0;  // of the thread
};

namespace {

// The jobs of a lane and its workers.
class Queue {
 public:
  Queue(Lane lane, size_t limit) : lane_(lane), limit_(limit) {}

  static Queue& of(Lane lane) {
    // Two at least, so that an engine that holds its thread holds up no other.
    static auto* const queues = [] {
      auto* made = new std::vector<Queue*>;
      for (Lane const one : all_lanes) made->push_back(new Queue(one, one == Lane::run ? std::clamp(cores(), 2u, 64u) : 1));
      std::thread(watch, made).detach();
      return made;
    }();
    return *(*queues)[static_cast<int>(lane)];
  }

  void post(std::shared_ptr<Job> job) {
    if (lane_ == Lane::run) {
      refresh_guard();
    } else {
      install_guard();
    }
    {
      std::lock_guard lock(mutex);
      if (idle <= tasks.size() && workers.size() < limit_) add_worker();
      tasks.push_back(std::move(job));
      waiting.store(tasks.size(), std::memory_order_release);
      if (spinning.load() > 0) return;
      wake_one();
    }
  }

  // Waits for a job; the lock is held.
  std::shared_ptr<Job> take(Sleeper& sleeper, std::unique_lock<std::mutex>& lock) {
    idle++;
    while (tasks.empty()) {
      look(lock);
      if (!tasks.empty()) break;
      sleeper.called = false;
      sleepers_.push_back(&sleeper);
      sleeper.changed.wait(lock, [&] { return sleeper.called; });
    }
    idle--;
    auto job = std::move(tasks.front());
    tasks.pop_front();
    waiting.store(tasks.size(), std::memory_order_release);
    // A job posted while this one looked for it woke nobody.
    if (!tasks.empty()) wake_one();
    return job;
  }

  void expect(Clock::time_point until) {
    if (!may_spin()) return;
    expected_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
    if (spinning.load() > 0) return;
    std::lock_guard lock(mutex);
    wake_one();
  }

  std::mutex mutex;
  std::deque<std::shared_ptr<Job>> tasks;
  std::vector<std::unique_ptr<Worker>> workers;
  size_t idle = 0;
  std::atomic<size_t> waiting{0};
  std::atomic<int> spinning{0};

 private:
  // The one that fell asleep last: what TensorRT touched is in its core's caches. The mutex is held.
  void wake_one() {
    if (sleepers_.empty()) return;
    Sleeper& latest = *sleepers_.back();
    sleepers_.pop_back();
    latest.called = true;
    latest.changed.notify_one();
  }

  // The mutex is held.
  void add_worker() {
    try {
      if (!unstarted_) unstarted_ = std::make_unique<Worker>(*this, lane_);
      unstarted_->start();
    } catch (Error const&) {
      if (workers.empty()) throw;
      return;  // fewer do as well
    }
    workers.push_back(std::move(unstarted_));
  }

  // Who waits for runs looks for a while before it sleeps: waking takes about as long.
  void look(std::unique_lock<std::mutex>& lock) {
    if (lane_ != Lane::run || !may_spin() || spinning.load() > 0) return;
    spinning++;
    lock.unlock();
    auto const until = Clock::now() + usual_look;
    auto const expected = [&] { return Clock::time_point(Clock::duration(expected_.load(std::memory_order_relaxed))); };
    while (waiting.load(std::memory_order_acquire) == 0 && Clock::now() < std::max(until, expected())) std::this_thread::yield();
    lock.lock();
    spinning--;
  }

  static void watch(std::vector<Queue*>* queues) {
    for (;;) {
      Crash const crash = next_crash();
      for (Queue* queue : *queues) {
        Worker* hit = nullptr;
        {
          std::lock_guard lock(queue->mutex);
          for (auto const& worker : queue->workers) {
            if (worker->has(crash.seat)) hit = worker.get();
          }
        }
        if (hit) hit->replace(crash);
      }
    }
  }

  Lane const lane_;
  size_t const limit_;
  std::atomic<Clock::rep> expected_{0};  // until when a run is
  std::vector<Sleeper*> sleepers_;
  std::unique_ptr<Worker> unstarted_;  // the system refused its thread; it keeps its seat
};

}  // namespace

void Worker::start() {
  // TensorRT's builder recurses along the graph: a chain of 3,000 layers overflows the usual stack of 8 MiB.
  // Unused pages take no memory.
  constexpr size_t stack_sizes[] = {512u << 20, 64u << 20, 8u << 20};
  for (size_t const size : stack_sizes) {
    if (lane_ == Lane::run && size != stack_sizes[2]) continue;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, size);
    pthread_t thread;
    bool const started = pthread_create(&thread, &attributes, [](void* self) -> void* { static_cast<Worker*>(self)->loop(); }, this) == 0;
    pthread_attr_destroy(&attributes);
    if (started) return;
  }
  throw Error("ERR_THREAD", "the system refused another thread");
}

void Worker::loop() {
  take_seat(seat_);
  std::unique_lock lock(queue_.mutex);
  auto const generation = generation_;
  for (;;) {
    auto job = queue_.take(sleeper_, lock);
    current_ = job;
    lock.unlock();
    job->perform(seat_);
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

void Worker::replace(Crash const& crash) {
  std::shared_ptr<Job> job;
  std::deque<std::shared_ptr<Job>> stranded;
  std::string const where = " (" + describe(crash) + ")";
  {
    std::lock_guard lock(queue_.mutex);
    if (current_ && abandon_worker(seat_)) job = std::exchange(current_, nullptr);
    // Before another thread takes the next job.
    add_crash(job ? job->library_ : nullptr, lane_, (job ? job->doing_ : "idle") + where);
    if (!job) return;
    generation_++;
    try {
      start();
    } catch (Error const&) {
      if (queue_.workers.size() == 1) stranded.swap(queue_.tasks);
    }
  }
  job->crash(crash);
  for (auto const& one : stranded) one->cancel();
}

void expect_run(std::chrono::nanoseconds within) { Queue::of(Lane::run).expect(Clock::now() + within + usual_look); }

bool may_spin() {
  static bool const may = [] {
    char const* const given = std::getenv("NODE_TENSORRT_SPIN");
    std::string_view const said = given ? given : "";
    return said == "1" || (said != "0" && cores() > 2);
  }();
  return may;
}

void post_to_lane(Lane lane, std::shared_ptr<Job> job) { Queue::of(lane).post(std::move(job)); }

}  // namespace ntrt
