// Memory of the GPU that grows on demand and is freed with its owner.
#pragma once

#include <cstdint>
#include <utility>

#include "device.h"
#include "heap.h"

namespace ntrt {

class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : pointer_(std::exchange(other.pointer_, 0)), capacity_(std::exchange(other.capacity_, 0)), device_(other.device_) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(pointer_, other.pointer_);
    std::swap(capacity_, other.capacity_);
    std::swap(device_, other.device_);
    return *this;
  }
  ~DeviceBuffer() { free(); }
  // At least `bytes` bytes, never 0, of the current device. Growing loses the old contents and waits for the GPU.
  // Throws ERR_OUT_OF_MEMORY; it is empty then.
  void* reserve(size_t bytes) {
    if (bytes > capacity_ || !pointer_) {
      free();
      size_t const wanted = bytes ? bytes : 1;
      device_ = current_device();
      pointer_ = Heap::of(device_).allocate(wanted);
      capacity_ = wanted;
    }
    return get();
  }
  void* get() const { return reinterpret_cast<void*>(pointer_); }

 private:
  void free() {
    if (pointer_) Heap::of(device_).free(pointer_, capacity_);
    pointer_ = 0;
    capacity_ = 0;
  }
  CUdeviceptr pointer_ = 0;
  size_t capacity_ = 0;
  int device_ = 0;
};

}  // namespace ntrt
