#include "device_memory.h"

#include <algorithm>

#include "background.h"
#include "device.h"
#include "heap.h"

namespace ntrt {

std::shared_ptr<DeviceMemory> DeviceMemory::allocate(int device, size_t bytes, Stream const* stream) {
  OnDevice const on(device);
  auto& heap = Heap::of(device);
  std::shared_ptr<DeviceMemory> memory(new DeviceMemory(device, bytes));
  if (heap.is_ordered()) {
    Stream const& where = stream ? *stream : heap.streams().allocating;
    memory->pointer_ = heap.allocate(memory->allocated(), where);
    memory->from_ = From::stream;
    memory->written_ = Event::record(where);
  } else {
    memory->pointer_ = heap.allocate(memory->allocated());
    memory->from_ = From::heap;
  }
  return memory;
}

std::shared_ptr<DeviceMemory> DeviceMemory::wrap(int device, CUdeviceptr pointer, size_t bytes) {
  std::shared_ptr<DeviceMemory> memory(new DeviceMemory(device, bytes));
  memory->pointer_ = pointer;
  return memory;
}

DeviceMemory::~DeviceMemory() {
  if (from_ == From::nobody) return;
  try {
    OnDevice const on(device_);
    auto& heap = Heap::of(device_);
    auto users = std::move(readers_);
    if (written_) users.push_back(std::move(written_));
    users.erase(std::remove_if(users.begin(), users.end(), [](auto const& one) { return one->is_over(); }), users.end());
    if (from_ == From::heap) {
      in_background([device = device_, pointer = pointer_, bytes = allocated(), users] {
        use_device(device);
        for (auto const& one : users) one->synchronize();
        Heap::of(device).free(pointer, bytes);
      });
      return;
    }
    auto const& streams = heap.streams();
    Stream const& stream = users.empty() ? streams.freeing : streams.waiting;
    for (auto const& one : users) stream.wait(*one);
    heap.free(pointer_, allocated(), stream);
  } catch (...) {
    // The context is lost, and the memory with it.
  }
}

void DeviceMemory::before_read(Stream const& stream) {
  std::lock_guard lock(mutex_);
  if (written_) stream.wait(*written_);
}

void DeviceMemory::before_write(Stream const& stream) {
  std::lock_guard lock(mutex_);
  if (written_) stream.wait(*written_);
  for (auto const& one : readers_) stream.wait(*one);
}

void DeviceMemory::after_read(std::shared_ptr<Event> event) {
  std::lock_guard lock(mutex_);
  readers_.erase(std::remove_if(readers_.begin(), readers_.end(), [&](auto const& one) { return one->was_done() || one->stream_id() == event->stream_id(); }), readers_.end());
  readers_.push_back(std::move(event));
}

void DeviceMemory::after_wait() {
  std::lock_guard lock(mutex_);
  written_ = nullptr;
  readers_.clear();
}

void DeviceMemory::after_write(std::shared_ptr<Event> event) {
  std::lock_guard lock(mutex_);
  written_ = std::move(event);
  readers_.clear();
}

}  // namespace ntrt
