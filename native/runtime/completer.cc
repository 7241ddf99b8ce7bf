#include "completer.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "../core/job.h"

namespace ntrt {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

struct Entry {
  uint64_t stream;
  std::shared_ptr<Event> event;
  std::function<void(std::exception_ptr)> then;
  std::function<void()> early;  // null once called
  Clock::time_point since;
};

// For the life of the process.
class Completer {
 public:
  static Completer& instance() {
    static auto* const completer = [] {
      auto* made = new Completer;
      try {
        std::thread([made] { made->loop(); }).detach();
      } catch (std::system_error const&) {
        throw Error("ERR_THREAD", "the system refused another thread");
      }
      at_close(settle);
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
  // Waits until what was done before has let go of its jobs.
  static void settle() {
    auto const reached = std::make_shared<std::promise<void>>();  // set_value may still work on it when the wait is over
    auto const future = reached->get_future();
    instance().add({0, nullptr, [reached](std::exception_ptr) { reached->set_value(); }, nullptr, Clock::now()});
    // After a crash, the completer may wait forever for a lock of the stopped thread.
    while (future.wait_for(std::chrono::seconds(5)) != std::future_status::ready && !has_crashed()) {
    }
  }

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
  bool collect(std::vector<Entry>& entries) {
    bool any = false;
    // Streams with work that was not done when it was looked at: what is behind it may be by now, and ends after it all the same.
    std::vector<uint64_t> open;
    for (size_t i = 0; i < entries.size();) {
      if (std::find(open.begin(), open.end(), entries[i].stream) != open.end()) {
        i++;
        continue;
      }
      std::exception_ptr error;
      bool over = true;
      try {
        over = !entries[i].event || entries[i].event->is_done();
      } catch (...) {
        error = std::current_exception();
      }
      if (!over) {
        open.push_back(entries[i].stream);
        i++;
        continue;
      }
      any = true;
      if (entries[i].event) learn(entries[i]);
      Entry const done = std::move(entries[i]);
      entries.erase(entries.begin() + static_cast<ptrdiff_t>(i));
      done.then(std::move(error));
    }
    return any;
  }

  // How long work on a stream takes, after the last ones.
  void learn(Entry const& entry) {
    if (usual_.size() > 1000) usual_.clear();
    auto& usual = usual_[entry.stream];
    auto const took = Clock::now() - entry.since;
    usual = usual.count() == 0 ? took : (3 * usual + took) / 4;
  }

  // Sleeps while none can be about to end, by what is usual, and looks without a break after. Work that takes unusually long is
  // noticed at most 1/32 of its age too late.
  void pause(std::vector<Entry>& entries) {
    auto const now = Clock::now();
    auto least = Clock::duration::max();
    for (auto& entry : entries) {
      auto const age = now - entry.since;
      auto const known = usual_.find(entry.stream);
      auto const usual = known == usual_.end() ? Clock::duration(microseconds(1000)) : known->second;
      // Of several, the others keep everybody awake.
      if (entry.early && entries.size() == 1 && usual > microseconds(150) && age > usual - microseconds(60)) std::exchange(entry.early, nullptr)();
      auto const rest = age < 2 * usual ? usual * 4 / 5 - age - microseconds(100) : age / 32;
      least = std::min(least, rest);
    }
    if (least < microseconds(20)) {
      std::this_thread::yield();
      return;
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::min<Clock::duration>(least, std::chrono::milliseconds(5)), [this] { return !added_.empty(); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> added_;
  std::map<uint64_t, Clock::duration> usual_;  // by stream
};

}  // namespace

void complete_when_done(std::shared_ptr<Event> event, std::function<void(std::exception_ptr)> then, std::function<void()> early) {
  uint64_t const stream = event->stream_id();
  Completer::instance().add({stream, std::move(event), std::move(then), std::move(early), Clock::now()});
}

}  // namespace ntrt
