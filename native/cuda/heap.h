// The memory of a GPU: allocating, running out, and how much is ours.
#pragma once

#include <atomic>
#include <mutex>

#include "stream.h"

namespace ntrt {

// One per device, for the life of the process. Its functions expect the device to be current.
class Heap {
 public:
  static Heap& of(int device);

  // At once, from the driver. Throws ERR_OUT_OF_MEMORY.
  CUdeviceptr allocate(size_t bytes);
  // Waits for the GPU.
  void free(CUdeviceptr pointer, size_t bytes) noexcept;

  // Whether the device has memory that is allocated and freed in the order of a stream.
  bool is_ordered();
  // For work that the stream does after this. Throws ERR_OUT_OF_MEMORY.
  CUdeviceptr allocate(size_t bytes, Stream const& stream);
  // After the work that is on the stream now.
  void free(CUdeviceptr pointer, size_t bytes, Stream const& stream) noexcept;

  struct Streams {
    Stream allocating = Stream::create();
    // Frees: what is in use no more, and what first waits for its users.
    Stream freeing = Stream::create();
    Stream waiting = Stream::create();
  };
  Streams const& streams();

  struct Use {
    size_t free;
    size_t total;
    size_t used;  // by us
  };
  Use use();

 private:
  explicit Heap(int device) : device_(device) {}
  void create_pool();
  void give_back();
  template <class Attempt>
  CUdeviceptr obtain(size_t bytes, Attempt attempt);

  int const device_;
  std::atomic<size_t> used_{0};
  std::once_flag pool_once_;
  CUmemoryPool pool_ = nullptr;
  std::once_flag streams_once_;
  std::atomic<Streams*> streams_{nullptr};
};

}  // namespace ntrt
