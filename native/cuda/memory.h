// Device and pinned memory that grows on demand and is freed with its owner.
#pragma once

#include <cstdint>
#include <utility>

#include "driver.h"

namespace ntrt {

struct DeviceMemory {
  static constexpr char const* allocating = "allocating device memory";
  static CUresult allocate(void** pointer, size_t bytes) {
    CUdeviceptr address = 0;
    CUresult const result = driver().cuMemAlloc_v2(&address, bytes);
    *pointer = reinterpret_cast<void*>(address);
    return result;
  }
  static void free(void* pointer) { driver().cuMemFree_v2(reinterpret_cast<CUdeviceptr>(pointer)); }
};

struct PinnedMemory {
  static constexpr char const* allocating = "allocating pinned memory";
  static CUresult allocate(void** pointer, size_t bytes) { return driver().cuMemAllocHost_v2(pointer, bytes); }
  static void free(void* pointer) { driver().cuMemFreeHost(pointer); }
};

template <class Memory>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)), capacity_(std::exchange(other.capacity_, 0)) {}
  ~Buffer() { free(); }
  // At least `bytes` bytes, never 0. Growing loses the old contents.
  void* reserve(size_t bytes) {
    if (bytes > capacity_ || !pointer_) {
      free();
      size_t const wanted = bytes ? bytes : 1;
      check_cuda(Memory::allocate(&pointer_, wanted), Memory::allocating);
      capacity_ = wanted;
    }
    return pointer_;
  }
  void* get() const { return pointer_; }

 private:
  void free() {
    if (pointer_) Memory::free(pointer_);
    pointer_ = nullptr;
    capacity_ = 0;
  }
  void* pointer_ = nullptr;
  size_t capacity_ = 0;
};

using DeviceBuffer = Buffer<DeviceMemory>;
using PinnedBuffer = Buffer<PinnedMemory>;

}  // namespace ntrt
