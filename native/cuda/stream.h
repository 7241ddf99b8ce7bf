// A stream of the current device, copies on it, and capturing it.
#pragma once

#include <cstdint>
#include <utility>

#include "driver.h"

namespace ntrt {

class Event;

class Stream {
 public:
  // No stream yet.
  Stream() = default;
  // Lower priorities are more urgent; CUDA takes the nearest that the device has.
  static Stream create(int priority = 0);
  Stream(Stream&& other) noexcept { *this = std::move(other); }
  Stream& operator=(Stream&& other) noexcept {
    std::swap(stream_, other.stream_);
    std::swap(device_, other.device_);
    std::swap(id_, other.id_);
    return *this;
  }
  // Work on the stream goes on.
  ~Stream() {
    if (stream_) driver().cuStreamDestroy_v2(stream_);
  }
  CUstream get() const { return stream_; }
  int device() const { return device_; }
  // Never that of another stream, unlike `get`.
  uint64_t id() const { return id_; }

  // Later work on the stream waits for the event.
  void wait(Event const& event) const;

  void to_device(void* to, void const* from, size_t bytes, char const* what) const {
    check_cuda(driver().cuMemcpyHtoDAsync_v2(reinterpret_cast<CUdeviceptr>(to), from, bytes, stream_), what);
  }
  void to_host(void* to, void const* from, size_t bytes, char const* what) const {
    check_cuda(driver().cuMemcpyDtoHAsync_v2(to, reinterpret_cast<CUdeviceptr>(from), bytes, stream_), what);
  }
  void device_to_device(void* to, void const* from, size_t bytes, char const* what) const {
    check_cuda(driver().cuMemcpyDtoDAsync_v2(reinterpret_cast<CUdeviceptr>(to), reinterpret_cast<CUdeviceptr>(from), bytes, stream_), what);
  }
  // Waits for all work on the stream.
  void synchronize(char const* what) const { check_cuda(driver().cuStreamSynchronize(stream_), what); }

  // From here on, work on the stream goes into a graph. Unsafe calls of other threads do not disturb it.
  void begin_capture() const;
  bool is_capturing() const;

 private:
  CUstream stream_ = nullptr;
  int device_ = 0;
  uint64_t id_ = 0;
};

}  // namespace ntrt
