#include "completer.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
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

  void add(Awaited work) {
    {
      std::lock_guard lock(mutex_);
      added_.push_back(std::move(work));
    }
    changed_.notify_one();
  }

 private:
  // Waits until what was done before has let go of its jobs.
  static void settle() {
    auto const reached = std::make_shared<std::promise<void>>();  // set_value may still work on it when the wait is over
    auto const future = reached->get_future();
    instance().add({nullptr, [reached](std::exception_ptr) { reached->set_value(); }, nullptr});
    // After a crash, the completer may wait forever for a lock of the stopped thread.
    while (future.wait_for(std::chrono::seconds(5)) != std::future_status::ready && !has_crashed()) {
    }
  }

  [[noreturn]] void loop() {
    prctl(PR_SET_NAME, "tensorrt-done");
    prctl(PR_SET_TIMERSLACK, 1);
    std::vector<Awaited> entries;
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
  bool collect(std::vector<Awaited>& entries) {
    bool any = false;
    // Streams with work that was not done when it was looked at: what is behind it may be by now, and ends after it all the same.
    std::vector<uint64_t> open;
    for (size_t i = 0; i < entries.size();) {
      auto const* event = entries[i].event.get();
      if (event && std::find(open.begin(), open.end(), event->stream_id()) != open.end()) {
        i++;
        continue;
      }
      std::exception_ptr error;
      bool over = true;
      try {
        over = !event || event->is_done();
      } catch (...) {
        error = std::current_exception();
      }
      if (!over) {
        open.push_back(event->stream_id());
        i++;
        continue;
      }
      any = true;
      Awaited const done = std::move(entries[i]);
      entries.erase(entries.begin() + static_cast<ptrdiff_t>(i));
      if (done.pace) done.pace->learn(Clock::now() - done.since);
      done.then(std::move(error));
    }
    return any;
  }

  // Sleeps while none can be about to end, by what is usual, and looks without a break after. Work that takes unusually long is
  // noticed at most 1/32 of its age too late.
  void pause(std::vector<Awaited>& entries) {
    auto const now = Clock::now();
    auto least = Clock::duration::max();
    for (auto& work : entries) {
      auto const age = now - work.since;
      auto const usual = work.pace ? work.pace->usual() : Pace::Duration::zero();
      auto const lead = lead_of(usual);
      if (work.early && usual.count() != 0 && age > usual - lead) std::exchange(work.early, nullptr)(lead);
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
  std::vector<Awaited> added_;
};

}  // namespace

void complete_when_done(Awaited work) { Completer::instance().add(std::move(work)); }

}  // namespace ntrt
