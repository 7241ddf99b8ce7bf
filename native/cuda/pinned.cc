#include "pinned.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <vector>

#include "../core/error.h"
#include "background.h"
#include "device.h"
#include "host_limit.h"

namespace ntrt {

namespace {

constexpr size_t KiB = 1024;
constexpr size_t MiB = 1024 * KiB;

size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

size_t read_limit() {
  char const* const given = std::getenv("NODE_TENSORRT_PINNED_LIMIT");
  if (!given || !*given) return static_cast<size_t>(host_memory_limit() / 4);
  char* end = nullptr;
  unsigned long long const limit = std::strtoull(given, &end, 10);
  if (*given < '0' || *given > '9' || *end) throw Error("ERR_ARGUMENT", std::string("expected a number of bytes in NODE_TENSORRT_PINNED_LIMIT, given '") + given + "'");
  return static_cast<size_t>(limit);
}

[[noreturn]] void throw_out_of_memory(size_t bytes) {
  throw Error("ERR_OUT_OF_MEMORY", "asked for " + std::to_string(bytes) + " bytes of memory, the system has " + std::to_string(host_memory_limit()) + " and gives no more");
}

// May wait for the GPU.
void free_pinned(std::vector<void*> const& blocks, int device) noexcept {
  try {
    OnDevice const on(device);
    for (void* block : blocks) driver().cuMemFreeHost(block);
  } catch (...) {
    // The context is lost: the memory stays page-locked until the process ends.
  }
}

// For the life of the process, which leaves its blocks to the system.
class Pool {
 public:
  static Pool& instance() {
    static auto* const pool = new Pool(read_limit());
    return *pool;
  }

  // Null if there is none to have; `capacity` grows to that of the block.
  void* take(size_t& capacity, int device) {
    std::vector<void*> evicted;
    bool at_once = false;
    {
      std::lock_guard lock(mutex_);
      // One that is a quarter larger does as well.
      auto const found = free_.lower_bound(capacity);
      if (found != free_.end() && found->first - capacity <= capacity / 4) {
        capacity = found->first;
        used_ += capacity;
        return pop(found);
      }
      if (capacity > limit_ || used_ > limit_ - capacity || used_ + capacity >= refused_at_) return nullptr;
      at_once = used_ + cached_ + capacity >= refused_at_;
      evicted = evict_to(std::min(limit_, refused_at_ - 1) - used_ - capacity);
      used_ += capacity;
    }
    // The driver needs the room; for a limit of ours nobody waits.
    if (at_once) {
      free_pinned(evicted, device);
    } else {
      free_later(std::move(evicted), device);
    }
    void* const block = make(capacity, device);
    if (!block) {
      std::lock_guard lock(mutex_);
      used_ -= capacity;
    }
    return block;
  }

  void give(void* block, size_t capacity) noexcept {
    std::vector<void*> evicted;
    int device = 0;
    try {
      std::lock_guard lock(mutex_);
      used_ -= capacity;
      free_[capacity].push_back(block);
      cached_ += capacity;
      evicted = evict_to(limit_ / 2);
      device = device_;
    } catch (...) {
    }
    free_later(std::move(evicted), device);
  }

  PinnedUse use() {
    std::lock_guard lock(mutex_);
    return {used_, cached_, limit_, refused_};
  }

 private:
  explicit Pool(size_t limit) : limit_(limit) {}

  // The mutex is held by the callers of these.
  void* pop(std::map<size_t, std::vector<void*>>::iterator at) {
    void* const block = at->second.back();
    at->second.pop_back();
    cached_ -= at->first;
    if (at->second.empty()) free_.erase(at);
    return block;
  }
  // The largest first: the fewest calls.
  std::vector<void*> evict_to(size_t bytes) {
    std::vector<void*> blocks;
    while (cached_ > bytes) blocks.push_back(pop(std::prev(free_.end())));
    return blocks;
  }

  void* make(size_t capacity, int device) {
    try {
      OnDevice const on(device);
      constexpr unsigned portable = 1;  // CU_MEMHOSTALLOC_PORTABLE: for all devices
      void* block = nullptr;
      CUresult result = driver().cuMemHostAlloc(&block, capacity, portable);
      if (result != 0) {
        std::unique_lock lock(mutex_);
        auto const evicted = evict_to(0);
        lock.unlock();
        free_pinned(evicted, device);
        if (!evicted.empty()) result = driver().cuMemHostAlloc(&block, capacity, portable);
      }
      std::lock_guard lock(mutex_);
      if (result == 0) {
        device_ = device;
        return block;
      }
      refused_at_ = std::min(refused_at_, used_ + cached_);
      refuse("allocating page-locked memory failed: " + describe_cuda(result));
    } catch (Error const& error) {
      std::lock_guard lock(mutex_);
      refuse(error.what());
    }
    return nullptr;
  }
  void refuse(std::string const& why) {
    if (refused_.empty()) refused_ = why;
  }

  static void free_later(std::vector<void*> blocks, int device) noexcept {
    if (blocks.empty()) return;
    try {
      in_background([blocks = std::move(blocks), device] { free_pinned(blocks, device); });
    } catch (...) {
    }
  }

  size_t const limit_;
  std::mutex mutex_;
  size_t used_ = 0;
  size_t cached_ = 0;
  std::map<size_t, std::vector<void*>> free_;  // by capacity
  size_t refused_at_ = std::numeric_limits<size_t>::max();  // so many bytes in all the driver does not give
  std::string refused_;
  int device_ = 0;  // of the last that was made
};

}  // namespace

size_t pinned_capacity(size_t bytes) {
  constexpr size_t smallest = 4 * KiB;
  constexpr size_t largest_class = 64 * MiB;
  constexpr size_t step = 2 * MiB;
  if (bytes <= smallest) return smallest;
  if (bytes > std::numeric_limits<size_t>::max() / 2) throw_out_of_memory(bytes);
  if (bytes > largest_class) return round_up(bytes, step);
  size_t power = smallest;
  while (power <= bytes / 2) power *= 2;
  return round_up(bytes, power / 4);
}

std::shared_ptr<PinnedBlock> take_pinned(size_t bytes, int device) {
  size_t capacity = pinned_capacity(bytes);
  if (void* const block = Pool::instance().take(capacity, device)) return std::make_shared<PinnedBlock>(block, capacity, true);
  capacity = bytes ? bytes : 1;
  void* const memory = std::calloc(capacity, 1);
  if (!memory) throw_out_of_memory(bytes);
  return std::make_shared<PinnedBlock>(memory, capacity, false);
}

PinnedBlock::~PinnedBlock() {
  if (pinned_) {
    Pool::instance().give(memory_, capacity_);
  } else {
    std::free(memory_);
  }
}

PinnedUse pinned_use() { return Pool::instance().use(); }

}  // namespace ntrt
