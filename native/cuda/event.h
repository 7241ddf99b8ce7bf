// A point in the work of a stream.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "stream.h"

namespace ntrt {

// From every thread.
class Event {
 public:
  // After all work that is on the stream now. The stream's device must be current.
  static std::shared_ptr<Event> record(Stream const& stream);
  ~Event();
  Event(Event const&) = delete;

  // Whether the work is done; any device may be current. Throws as check_cuda if the device failed.
  bool is_done() const;
  // Whether it is known to be done; asks nobody.
  bool was_done() const { return done_.load(std::memory_order_acquire); }
  // Whether it is done or never will be.
  bool is_over() const noexcept;
  // Waits for it.
  void synchronize() const;

  CUevent get() const { return event_; }
  int device() const { return device_; }
  // Of the stream it was recorded on.
  uint64_t stream_id() const { return stream_id_; }

 private:
  Event(CUevent event, Stream const& stream) : event_(event), device_(stream.device()), stream_id_(stream.id()) {}
  CUevent const event_;
  int const device_;
  uint64_t const stream_id_;
  mutable std::atomic<bool> done_{false};
};

}  // namespace ntrt
