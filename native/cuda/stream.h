// A stream of the current device, and copies on it.
#pragma once

#include <utility>

#include "driver.h"

namespace ntrt {

class Stream {
 public:
  // No stream yet.
  Stream() = default;
  static Stream create() {
    constexpr unsigned non_blocking = 1;  // CU_STREAM_NON_BLOCKING
    Stream stream;
    check_cuda(driver().cuStreamCreate(&stream.stream_, non_blocking), "creating a stream");
    return stream;
  }
  Stream(Stream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(stream_, other.stream_);
    return *this;
  }
  ~Stream() {
    if (stream_) driver().cuStreamDestroy_v2(stream_);
  }
  CUstream get() const { return stream_; }

  void to_device(void* to, void const* from, size_t bytes, char const* what) const {
    check_cuda(driver().cuMemcpyHtoDAsync_v2(reinterpret_cast<CUdeviceptr>(to), from, bytes, stream_), what);
  }
  void to_host(void* to, void const* from, size_t bytes, char const* what) const {
    check_cuda(driver().cuMemcpyDtoHAsync_v2(to, reinterpret_cast<CUdeviceptr>(from), bytes, stream_), what);
  }
  // Waits for all work on the stream.
  void synchronize(char const* what) const { check_cuda(driver().cuStreamSynchronize(stream_), what); }

 private:
  CUstream stream_ = nullptr;
};

}  // namespace ntrt
