#include "heap.h"

#include <cstring>
#include <limits>
#include <map>

#include "../core/error.h"

namespace ntrt {

namespace {

constexpr CUresult out_of_memory = 2;

// cuda.h's CUmemPoolProps.
struct PoolProperties {
  int allocation_type = 1;  // CU_MEM_ALLOCATION_TYPE_PINNED
  int handle_types = 0;
  int location_type = 1;  // CU_MEM_LOCATION_TYPE_DEVICE
  int location_id;
  char rest[72] = {};
};
static_assert(sizeof(PoolProperties) == 88);

}  // namespace

Heap& Heap::of(int device) {
  static std::mutex mutex;
  static auto* const heaps = new std::map<int, Heap*>;
  std::lock_guard lock(mutex);
  auto*& heap = (*heaps)[device];
  if (!heap) heap = new Heap(device);
  return *heap;
}

Heap::Streams const& Heap::streams() {
  std::call_once(streams_once_, [this] { streams_ = new Streams; });
  return *streams_;
}

bool Heap::is_ordered() {
  std::call_once(pool_once_, [this] { create_pool(); });
  return pool_ != nullptr;
}

// A pool of our own: that of the device has other users, and settings of theirs.
void Heap::create_pool() {
  constexpr int pools_supported = 115;  // CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED
  constexpr int reuse_internal_dependencies = 3;
  constexpr int release_threshold = 4;
  auto const& d = driver();
  int supported = 0;
  CUdevice device = 0;
  check_cuda(d.cuDeviceGet(&device, device_), "cuDeviceGet");
  if (!d.cuMemPoolCreate || !d.cuMemPoolSetAttribute || !d.cuMemPoolTrimTo || !d.cuMemAllocFromPoolAsync || !d.cuMemFreeAsync) return;
  if (d.cuDeviceGetAttribute(&supported, pools_supported, device) != 0 || !supported) return;
  PoolProperties properties;
  properties.location_id = device;
  if (d.cuMemPoolCreate(&pool_, &properties) != 0) {
    pool_ = nullptr;
    return;
  }
  // Freed memory is kept, and no stream waits for another to get some.
  uint64_t keep = std::numeric_limits<uint64_t>::max();
  int no = 0;
  d.cuMemPoolSetAttribute(pool_, release_threshold, &keep);
  d.cuMemPoolSetAttribute(pool_, reuse_internal_dependencies, &no);
}

// Frees what waits to be freed, and what the pool keeps.
void Heap::give_back() {
  if (Streams const* const streams = streams_) {
    streams->freeing.synchronize("freeing memory");
    streams->waiting.synchronize("freeing memory");
  }
  if (is_ordered()) driver().cuMemPoolTrimTo(pool_, 0);
}

template <class Attempt>
CUdeviceptr Heap::obtain(size_t bytes, Attempt attempt) {
  CUdeviceptr pointer = 0;
  CUresult result = attempt(&pointer);
  if (result == out_of_memory) {
    give_back();
    result = attempt(&pointer);
  }
  if (result == out_of_memory) {
    Use const now = use();
    throw Error("ERR_OUT_OF_MEMORY", "asked for " + std::to_string(bytes) + " bytes of memory of GPU " + std::to_string(device_) + ", " + std::to_string(now.free) + " of " + std::to_string(now.total) +
                                         " are free");
  }
  check_cuda(result, "allocating memory of the GPU");
  used_ += bytes;
  return pointer;
}

CUdeviceptr Heap::allocate(size_t bytes) {
  return obtain(bytes, [bytes](CUdeviceptr* pointer) { return driver().cuMemAlloc_v2(pointer, bytes); });
}

void Heap::free(CUdeviceptr pointer, size_t bytes) noexcept {
  used_ -= bytes;
  driver().cuMemFree_v2(pointer);
}

CUdeviceptr Heap::allocate(size_t bytes, Stream const& stream) {
  return obtain(bytes, [&](CUdeviceptr* pointer) { return driver().cuMemAllocFromPoolAsync(pointer, bytes, pool_, stream.get()); });
}

void Heap::free(CUdeviceptr pointer, size_t bytes, Stream const& stream) noexcept {
  used_ -= bytes;
  driver().cuMemFreeAsync(pointer, stream.get());
}

Heap::Use Heap::use() {
  Use now{0, 0, used_};
  check_cuda(driver().cuMemGetInfo_v2(&now.free, &now.total), "asking for the memory of the GPU");
  return now;
}

}  // namespace ntrt
