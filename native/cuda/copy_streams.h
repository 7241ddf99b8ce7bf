// Streams for copies that belong to no context.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "event.h"

namespace ntrt {

// A copy may wait for work on the GPU, so that each gets a stream on which nothing else waits, as far as there are.
class CopyStreams {
  struct One {
    Stream stream = Stream::create();
    std::shared_ptr<Event> last;
    bool taken = true;
  };

 public:
  static CopyStreams& of(int device);

  // The stream of one copy. The device must be current.
  class Use {
   public:
    explicit Use(CopyStreams& streams) : streams_(streams), one_(streams.take()) {}
    ~Use() { streams_.give(one_, std::move(event_)); }
    Use(Use const&) = delete;
    Stream const& stream() const { return one_.stream; }
    // After what is on the stream now.
    std::shared_ptr<Event> record() { return event_ = Event::record(one_.stream); }

   private:
    CopyStreams& streams_;
    One& one_;
    std::shared_ptr<Event> event_;
  };

 private:
  One& take();
  void give(One& one, std::shared_ptr<Event> event);

  std::mutex mutex_;
  std::deque<One> all_;
};

}  // namespace ntrt
