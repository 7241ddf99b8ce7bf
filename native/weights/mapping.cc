#include "mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <iterator>
#include <mutex>
#include <new>
#include <system_error>
#include <vector>

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

Mapping::Mapping(int fd, uint8_t* data, size_t size, int slot, timespec written, bool is_file)
    : fd_(fd), data_(data), size_(size), slot_(slot), written_(written), is_file_(is_file) {}

std::shared_ptr<Mapping> Mapping::open(std::string const& path) {
  if (path.find('\0') != std::string::npos) fail(EINVAL);
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail(errno);
  return map(fd);
}

std::shared_ptr<Mapping> Mapping::of_descriptor(int descriptor) {
  int const fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) fail(errno);
  return map(fd);
}

std::shared_ptr<Mapping> Mapping::map(int fd) {
  struct stat info;
  int const error = fstat(fd, &info) != 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : !S_ISREG(info.st_mode) ? EINVAL : 0;
  if (error) {
    close(fd);
    fail(error);
  }
  return of_file(fd, static_cast<size_t>(info.st_size), info.st_mtim);
}

std::shared_ptr<Mapping> Mapping::of_file(int fd, size_t size, timespec written) {
  uint8_t* data = nullptr;
  if (size > 0) {
    void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (mapped == MAP_FAILED) {
      int const error = errno;
      close(fd);
      fail(error);
    }
    data = static_cast<uint8_t*>(mapped);
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
  return std::shared_ptr<Mapping>(new Mapping(fd, data, size, slot, written, true));
}

std::shared_ptr<Mapping> Mapping::allocate(size_t size) {
  uint8_t* data = nullptr;
  if (size > 0) {
    void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    data = static_cast<uint8_t*>(mapped);
    madvise(data, size, MADV_HUGEPAGE);  // a hint: faults by 4 KiB take longer than the copy
  }
  return std::shared_ptr<Mapping>(new Mapping(-1, data, size, -1, {}, false));
}

std::shared_ptr<Mapping> Mapping::allocate_shared(size_t size) {
  if (size == 0) return allocate(0);
  int const fd = memfd_create("node-tensorrt weights", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  // Pages are taken here, where a lack of memory is an error and not a signal.
  void* mapped = fd >= 0 && fallocate(fd, 0, 0, static_cast<off_t>(size)) == 0 ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  if (mapped == MAP_FAILED) {
    if (fd >= 0) close(fd);
    throw std::bad_alloc();
  }
  // No other process can write to it, or cut it short under us. Kernels before 5.1 know no F_SEAL_FUTURE_WRITE.
  constexpr int future_write = 0x10;
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | future_write) != 0) fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  return std::shared_ptr<Mapping>(new Mapping(fd, static_cast<uint8_t*>(mapped), size, -1, {}, false));
}

std::shared_ptr<Mapping> Mapping::adopt(int fd, Backing const& backing) {
  timespec const written = {static_cast<time_t>(backing.seconds), static_cast<long>(backing.nanoseconds)};
  if (backing.is_file) return of_file(fd, static_cast<size_t>(backing.size), written);
  void* mapped = mmap(nullptr, backing.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  int const error = errno;
  close(fd);
  if (mapped == MAP_FAILED) fail(error);
  return std::shared_ptr<Mapping>(new Mapping(-1, static_cast<uint8_t*>(mapped), backing.size, -1, {}, false));
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

// A page of a private mapping of a file that was written here is no page of the file any more, in memory or swapped out.
// Linux tells in /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst): bit 63 present, 62 swapped, 61 of a file.
bool Mapping::is_as_shared(size_t offset, size_t length) const {
  if (fd_ < 0) return false;
  if (!is_file_ || length == 0) return true;
  constexpr uint64_t present = 1ull << 63, swapped = 1ull << 62, of_file = 1ull << 61;
  int const pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (pagemap < 0) return false;
  auto const begin = reinterpret_cast<uintptr_t>(data_) + offset;
  auto const last = (begin + length - 1) / page_size();
  bool same = true;
  uint64_t entries[4096];
  for (auto page = begin / page_size(); same && page <= last;) {
    size_t const wanted = std::min<size_t>(last - page + 1, std::size(entries)) * sizeof(uint64_t);
    ssize_t const got = pread(pagemap, entries, wanted, static_cast<off_t>(page * sizeof(uint64_t)));
    same = got >= static_cast<ssize_t>(sizeof(uint64_t));
    size_t const count = same ? static_cast<size_t>(got) / sizeof(uint64_t) : 0;
    for (size_t i = 0; i < count; i++) same = same && (!(entries[i] & (present | swapped)) || (entries[i] & of_file));
    page += count;
  }
  close(pagemap);
  return same;
}

bool Mapping::intact() const {
  if (!is_file_) return true;
  if (slot_ >= 0 && slots[slot_].broken.load(std::memory_order_acquire)) return false;
  struct stat info;
  return fstat(fd_, &info) == 0 && static_cast<size_t>(info.st_size) == size_ && info.st_mtim.tv_sec == written_.tv_sec &&
         info.st_mtim.tv_nsec == written_.tv_nsec;
}

bool Mapping::read(size_t offset, void* target, size_t size) const {
  for (size_t done = 0; done < size;) {
    ssize_t const got = pread(fd_, static_cast<uint8_t*>(target) + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

std::string Mapping::identity() const {
  struct stat info;
  if (!is_file_ || fstat(fd_, &info) != 0) return "";
  auto const time = [](timespec const& t) { return std::to_string(int64_t{t.tv_sec} * 1000000000 + t.tv_nsec); };
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) + ":" + std::to_string(info.st_size) + ":" + time(info.st_mtim) +
         ":" + time(info.st_ctim);
}

}  // namespace ntrt
