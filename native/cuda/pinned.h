// Page-locked memory, which the GPU reads and writes at full speed. It takes long to make, so blocks are kept and used again.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace ntrt {

// Returns to the pool with its last owner, on any thread.
class PinnedBlock {
 public:
  PinnedBlock(void* memory, size_t capacity, bool pinned) : memory_(memory), capacity_(capacity), pinned_(pinned) {}
  ~PinnedBlock();
  PinnedBlock(PinnedBlock const&) = delete;
  void* get() const { return memory_; }
  size_t capacity() const { return capacity_; }
  // False: ordinary memory, because page-locked memory was refused, or the limit is reached. Its elements are zeros at first.
  bool pinned() const { return pinned_; }

 private:
  void* const memory_;
  size_t const capacity_;
  bool const pinned_;
};

// At least `bytes` bytes, for every device; `device` is one that is in use. Throws ERR_OUT_OF_MEMORY, and ERR_ARGUMENT for
// a NODE_TENSORRT_PINNED_LIMIT that is no number.
std::shared_ptr<PinnedBlock> take_pinned(size_t bytes, int device);

struct PinnedUse {
  size_t used;
  size_t cached;        // kept for use again
  size_t limit;         // of both
  std::string refused;  // why the driver refused some, the first time; empty if it did not
};
PinnedUse pinned_use();

// The size of the block that holds so many bytes: 4 sizes to each power of two from 4 KiB on, from 64 MiB on multiples of 2 MiB.
size_t pinned_capacity(size_t bytes);

}  // namespace ntrt
