#include "mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <new>
#include <system_error>

#include "../core/error.h"
#include "../core/guard.h"
#include "../core/machine.h"

namespace ntrt {

namespace {

// The signal handler may read only lock-free atomics in static storage.
// begin is written last when a slot is taken, and first when it is freed.
struct Slot {
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};
  std::atomic<bool> broken{false};
};
constexpr int slot_count = 4096;
Slot slots[slot_count];
std::atomic<int> slots_used{0};

std::mutex slots_mutex;
bool taken[slot_count];

// Handles a mapped page that the file no longer has: maps a zero page there and records it.
bool repair(uintptr_t address) {
  int const used = slots_used.load(std::memory_order_acquire);
  for (int i = 0; i < used; i++) {
    uintptr_t const begin = slots[i].begin.load(std::memory_order_acquire);
    if (begin == 0 || address < begin || address >= slots[i].end.load(std::memory_order_acquire)) continue;
    uintptr_t const page = address & ~(page_size() - 1);
    long const mapped = syscall(SYS_mmap, page, page_size(), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (mapped == -1) return false;
    slots[i].broken.store(true, std::memory_order_release);
    return true;
  }
  return false;
}

void install_handler() {
  page_size();  // cached here, before the signal handler needs it
  repair_bus_errors(repair);
}

[[noreturn]] void fail(int error) { throw Error("ERR_WEIGHTS_FILE", std::generic_category().message(error)); }

int take_slot(uintptr_t begin, uintptr_t end) {
  for (int i = 0; i < slot_count; i++) {
    if (taken[i]) continue;
    taken[i] = true;
    slots[i].broken.store(false);
    slots[i].end.store(end);
    slots[i].begin.store(begin, std::memory_order_release);
    if (i >= slots_used.load()) slots_used.store(i + 1, std::memory_order_release);
    return i;
  }
  return -1;
}

}  // namespace

Mapping::Mapping(int fd, uint8_t* data, size_t size, int slot, timespec written)
    : fd_(fd), data_(data), size_(size), slot_(slot), written_(written) {}

std::shared_ptr<Mapping> Mapping::open(std::string const& path) {
  if (path.find('\0') != std::string::npos) fail(EINVAL);
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail(errno);
  struct stat info;
  int error = fstat(fd, &info) != 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : !S_ISREG(info.st_mode) ? EINVAL : 0;
  size_t const size = error ? 0 : static_cast<size_t>(info.st_size);
  uint8_t* data = nullptr;
  if (!error && size > 0) {
    void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (mapped == MAP_FAILED) error = errno;
    else data = static_cast<uint8_t*>(mapped);
  }
  if (error) {
    close(fd);
    fail(error);
  }
  install_handler();
  std::lock_guard<std::mutex> lock(slots_mutex);
  auto const begin = reinterpret_cast<uintptr_t>(data);
  int const slot = data ? take_slot(begin, begin + size) : -1;
  if (data && slot < 0) {
    munmap(data, size);
    close(fd);
    fail(EMFILE);
  }
  return std::shared_ptr<Mapping>(new Mapping(fd, data, size, slot, info.st_mtim));
}

std::shared_ptr<Mapping> Mapping::allocate(size_t size) {
  uint8_t* data = nullptr;
  if (size > 0) {
    void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    data = static_cast<uint8_t*>(mapped);
    madvise(data, size, MADV_HUGEPAGE);  // a hint: faults by 4 KiB take longer than the copy
  }
  return std::shared_ptr<Mapping>(new Mapping(-1, data, size, -1, {}));
}

Mapping::~Mapping() {
  if (slot_ >= 0) {
    // Together: a slot must not outlive its pages, nor they it.
    std::lock_guard<std::mutex> lock(slots_mutex);
    slots[slot_].begin.store(0, std::memory_order_release);
    taken[slot_] = false;
    munmap(data_, size_);
  } else if (data_) {
    munmap(data_, size_);
  }
  if (fd_ >= 0) close(fd_);
}

bool Mapping::intact() const {
  if (fd_ < 0) return true;
  if (slot_ >= 0 && slots[slot_].broken.load(std::memory_order_acquire)) return false;
  struct stat info;
  return fstat(fd_, &info) == 0 && static_cast<size_t>(info.st_size) == size_ && info.st_mtim.tv_sec == written_.tv_sec &&
         info.st_mtim.tv_nsec == written_.tv_nsec;
}

}  // namespace ntrt
