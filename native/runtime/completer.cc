#include "completer.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>


namespace ntrt {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

struct Entry {
  std::shared_ptr<Event> event;
  std::function<void(std::exception_ptr)> then;
  Clock::time_point since;
};

// For the life of the process.
class Completer {
 public:
  static Completer& instance() {
    static auto* const completer = [] {
      auto* made = new Completer;
      std::thread([made] { made->loop(); }).detach();
      return made;
    }();
    return *completer;
  }

  void add(Entry entry) {
    {
      std::lock_guard lock(mutex_);
      added_.push_back(std::move(entry));
    }
    changed_.notify_one();
  }

 private:
  [[noreturn]] void loop() {
    prctl(PR_SET_NAME, "tensorrt-done");
    prctl(PR_SET_TIMERSLACK, 1);
    std::vector<Entry> entries;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        if (entries.empty()) changed_.wait(lock, [this] { return !added_.empty(); });
        std::move(added_.begin(), added_.end(), std::back_inserter(entries));
        added_.clear();
      }
      if (collect(entries) || entries.empty()) continue;
      pause(entries);
    }
  }

  // Whether one was done.
  static bool collect(std::vector<Entry>& entries) {
    bool any = false;
    for (size_t i = 0; i < entries.size();) {
      std::exception_ptr error;
      bool over = true;
      try {
        over = entries[i].event->is_done();
      } catch (...) {
        error = std::current_exception();
      }
      if (!over) {
        i++;
        continue;
      }
      any = true;
      // In order: those behind it on the same stream are done later.
      Entry const done = std::move(entries[i]);
      entries.erase(entries.begin() + static_cast<ptrdiff_t>(i));
      done.then(std::move(error));
    }
    return any;
  }

  // Looks without a break while the youngest run is young; later, it is noticed at most 1/32 of its age too late.
  void pause(std::vector<Entry> const& entries) {
    auto const age = Clock::now() - std::max_element(entries.begin(), entries.end(), [](Entry const& a, Entry const& b) { return a.since < b.since; })->since;
    if (age < microseconds(400)) {
      std::this_thread::yield();
      return;
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::min<Clock::duration>(age / 32, microseconds(500)), [this] { return !added_.empty(); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> added_;
};

}  // namespace

void complete_when_done(std::shared_ptr<Event> event, std::function<void(std::exception_ptr)> then) {
  Completer::instance().add({std::move(event), std::move(then), Clock::now()});
}

}  // namespace ntrt
