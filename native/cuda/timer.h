// A moment of a stream, and the time between two of them.
#pragma once

#include <atomic>
#include <utility>

#include "stream.h"

namespace ntrt {

// Of the current device.
class Timer {
 public:
  // Blocking: who waits sleeps.
  explicit Timer(bool blocking);
  Timer(Timer&& other) noexcept : event_(std::exchange(other.event_, nullptr)), blocking_(other.blocking_) {}
  ~Timer() {
    if (event_) driver().cuEventDestroy_v2(event_);
  }

  // The end of the work that is on the stream now.
  void record(Stream const& stream) const { check_cuda(driver().cuEventRecord(event_, stream.get()), "recording an event"); }
  // Later work of the stream waits for it.
  void hold(Stream const& stream) const { check_cuda(driver().cuStreamWaitEvent(stream.get(), event_, 0), "waiting for another stream"); }
  // Asks without a break until it is reached, unless it is a blocking one. Throws as check_cuda.
  void wait() const;
  // Milliseconds since `start`; both are reached.
  float since(Timer const& start) const;

 private:
  CUevent event_ = nullptr;
  bool blocking_;
};

}  // namespace ntrt
