// Memory of a GPU that tensors lie in.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "event.h"
#include "turn.h"

namespace ntrt {

// From every thread.
class DeviceMemory {
 public:
  static constexpr char handle_kind[] = "a tensor on the GPU";

  // For work on `stream`, and on others from then on. Without a stream, or where the GPU has no pools: for any.
  // Throws ERR_OUT_OF_MEMORY.
  static std::shared_ptr<DeviceMemory> allocate(int device, size_t bytes, Stream const* stream);
  // Somebody else's, and never freed.
  static std::shared_ptr<DeviceMemory> wrap(int device, CUdeviceptr pointer, size_t bytes);
  // Frees after all work with it, and waits for none.
  ~DeviceMemory();
  DeviceMemory(DeviceMemory const&) = delete;

  void* get() const { return reinterpret_cast<void*>(pointer_); }
  size_t bytes() const { return bytes_; }
  int device() const { return device_; }
  std::atomic<bool> disposed{false};

  // Makes later work of the stream wait for the writer, or for the writer and the readers.
  void before_read(Stream const& stream);
  void before_write(Stream const& stream);
  // The event of the work between; before the call's turn passes.
  void after_read(std::shared_ptr<Event> event);
  void after_write(std::shared_ptr<Event> event);
  // In place of `after_write` when the work is done, and all it waited for.
  void after_wait();

  Turns turns;  // guarded by turn.cc

 private:
  DeviceMemory(int device, size_t bytes) : device_(device), bytes_(bytes) {}
  size_t allocated() const { return bytes_ ? bytes_ : 1; }

  enum class From { nobody, heap, stream };
  int const device_;
  size_t const bytes_;
  CUdeviceptr pointer_ = 0;
  From from_ = From::nobody;  // where it is freed
  std::mutex mutex_;
  std::shared_ptr<Event> written_;                // by the last writer
  std::vector<std::shared_ptr<Event>> readers_;  // since, one for each stream
};

}  // namespace ntrt
