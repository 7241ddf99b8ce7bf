#include "mapping.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <mutex>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

#include "../core/guard.h"

namespace ntrt {
namespace {

// What the signal handler may read: only lock-free atomics in static storage.
// begin is written last when a slot is taken and first when it is given back.
struct Slot {
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};
  std::atomic<bool> broken{false};
};
constexpr int kSlots = 4096;
Slot slots[kSlots];
std::atomic<int> slots_used{0};
uintptr_t page_size;

std::mutex slots_mutex;
bool taken[kSlots];

// A page of a mapped file that the file no longer has: put a zero page there and remember it.
bool repair(uintptr_t address) {
  const int used = slots_used.load(std::memory_order_acquire);
  for (int i = 0; i < used; ++i) {
    const uintptr_t begin = slots[i].begin.load(std::memory_order_acquire);
    if (begin == 0 || address < begin || address >= slots[i].end.load(std::memory_order_acquire)) continue;
    const uintptr_t page = address & ~(page_size - 1);
    const long mapped = syscall(SYS_mmap, page, page_size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (mapped == -1) return false;
    slots[i].broken.store(true, std::memory_order_release);
    return true;
  }
  return false;
}

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] { page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)); });
  repair_bus_errors(repair);
}

[[noreturn]] void fail(int error, const std::string& path) {
  throw std::system_error(error, std::generic_category(), path);
}

int take_slot(uintptr_t begin, uintptr_t end) {
  for (int i = 0; i < kSlots; ++i) {
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

Mapping::Mapping(int fd, uint8_t* data, size_t size, int slot) : fd_(fd), data_(data), size_(size), slot_(slot) {}

std::shared_ptr<Mapping> Mapping::open(const std::string& path) {
  if (path.find('\0') != std::string::npos) fail(EINVAL, path);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail(errno, path);
  struct stat info;
  int error = fstat(fd, &info) != 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : !S_ISREG(info.st_mode) ? EINVAL : 0;
  const size_t size = error ? 0 : static_cast<size_t>(info.st_size);
  uint8_t* data = nullptr;
  if (!error && size > 0) {
    void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (mapped == MAP_FAILED) error = errno;
    else data = static_cast<uint8_t*>(mapped);
  }
  if (error) {
    close(fd);
    fail(error, path);
  }
  install_handler();
  std::lock_guard<std::mutex> lock(slots_mutex);
  const auto begin = reinterpret_cast<uintptr_t>(data);
  const int slot = data ? take_slot(begin, begin + size) : -1;
  if (data && slot < 0) {
    munmap(data, size);
    close(fd);
    fail(EMFILE, path);
  }
  return std::shared_ptr<Mapping>(new Mapping(fd, data, size, slot));
}

Mapping::~Mapping() {
  if (data_) {
    std::lock_guard<std::mutex> lock(slots_mutex);
    slots[slot_].begin.store(0, std::memory_order_release);
    taken[slot_] = false;
    munmap(data_, size_);
  }
  close(fd_);
}

bool Mapping::intact() const {
  if (slot_ >= 0 && slots[slot_].broken.load(std::memory_order_acquire)) return false;
  struct stat info;
  return fstat(fd_, &info) == 0 && static_cast<size_t>(info.st_size) >= size_;
}

}  // namespace ntrt
