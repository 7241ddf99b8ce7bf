// Learns when work on the GPU is done: one thread looks at the events of all runs in flight.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>

#include "../cuda/event.h"

namespace ntrt {

// How long work of one kind usually takes, after the last ones.
class Pace {
 public:
  using Duration = std::chrono::nanoseconds;
  // Zero before the first.
  Duration usual() const { return Duration(usual_.load(std::memory_order_relaxed)); }
  void learn(Duration took) {
    auto const usual = this->usual();
    usual_.store((usual.count() == 0 ? took : (3 * usual + took) / 4).count(), std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t> usual_{0};
};

// Work on the GPU that somebody waits for.
struct Awaited {
  std::shared_ptr<Event> event;
  // Called on the completer's thread once the event is done, with the error if the device failed. Must be quick, as `early`.
  std::function<void(std::exception_ptr)> then;
  // From submitting to the event: it is learnt here. Null for work that is never alike.
  std::shared_ptr<Pace> pace;
  // Called so long before the event, as far as can be told, with that time. Null once called.
  std::function<void(Pace::Duration)> early = nullptr;
  // When it was submitted.
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

void complete_when_done(Awaited work);

// How long before the end of such work threads begin to wake up: those that sleep long take long, and are slow at first.
inline Pace::Duration lead_of(Pace::Duration usual) {
  Pace::Duration const most = std::chrono::milliseconds(1);
  return std::min(std::chrono::microseconds(150) + usual / 10, most);
}

}  // namespace ntrt
