// Device and pinned memory that grows on demand and is freed with its owner.
#pragma once

#include <utility>

#include "driver.h"

namespace ntrt {

class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(DeviceBuffer&& other) noexcept : pointer_(std::exchange(other.pointer_, 0)), capacity_(std::exchange(other.capacity_, 0)) {}
  ~DeviceBuffer() { free(); }
  // At least `bytes` (never 0) bytes; the old contents are lost when it grows.
  void* reserve(size_t bytes) {
    if (bytes > capacity_ || !pointer_) {
      free();
      size_t const wanted = bytes ? bytes : 1;
      check_cuda(driver().cuMemAlloc_v2(&pointer_, wanted), "allocating device memory");
      capacity_ = wanted;
    }
    return reinterpret_cast<void*>(pointer_);
  }
  CUdeviceptr address() const { return pointer_; }

 private:
  void free() {
    if (pointer_) driver().cuMemFree_v2(pointer_);
    pointer_ = 0;
    capacity_ = 0;
  }
  CUdeviceptr pointer_ = 0;
  size_t capacity_ = 0;
};

class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  PinnedBuffer(PinnedBuffer&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)), capacity_(std::exchange(other.capacity_, 0)) {}
  ~PinnedBuffer() { free(); }
  void* reserve(size_t bytes) {
    if (bytes > capacity_ || !pointer_) {
      free();
      size_t const wanted = bytes ? bytes : 1;
      check_cuda(driver().cuMemAllocHost_v2(&pointer_, wanted), "allocating pinned memory");
      capacity_ = wanted;
    }
    return pointer_;
  }

 private:
  void free() {
    if (pointer_) driver().cuMemFreeHost(pointer_);
    pointer_ = nullptr;
    capacity_ = 0;
  }
  void* pointer_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace ntrt
