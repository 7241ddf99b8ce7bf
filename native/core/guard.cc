#include "guard.h"

#include <semaphore.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <mutex>

#include "error.h"
#include "machine.h"

namespace ntrt {

namespace {

// Everything the handler reads or writes is lock-free and in static storage.

// Linux keeps 15 characters of a thread's name; the run lane's end in a number.
constexpr char const* lane_names[] = {"tensorrt-build", "tensorrt-plugin", "tensorrt-load", "tensorrt-engine", "tensorrt-free", "tensorrt-run"};
static_assert(std::size(lane_names) == std::size(all_lanes));

struct SeatState {
  char name[16] = {};
  std::atomic<pid_t> worker{0};
  std::atomic<bool> guarded{false};
};
SeatState seats[128];
std::atomic<int> seat_count{0};

// A thread that is inside `run_guarded`.
struct Sheltered {
  std::atomic<pid_t> thread{0};
  sigjmp_buf back;
  Crash crash;
};
Sheltered sheltered[64];

std::atomic<pid_t> process{0};
std::atomic<bool (*)(uintptr_t)> repair{nullptr};

struct Record {
  Crash crash;
  std::atomic<bool> written{false};
};
Record records[256];
std::atomic<uint32_t> records_used{0};
// Initialized before anybody waits: later, it would forget who does.
struct Semaphore {
  sem_t count;
  Semaphore() { sem_init(&count, 0, 0); }
} crashes;

// A signal, with the other handlers that were found installed, each once.
struct Watched {
  int const signal;
  char const* const name;
  struct sigaction found[8] = {};
  std::atomic<int> count{0};
  std::atomic<int> latest{0};
  std::atomic<pid_t> forwarding{0};  // the thread that is in another handler
  Watched(int signal, char const* name) : signal(signal), name(name) {}
};
Watched watched[] = {Watched(SIGSEGV, "SIGSEGV"), Watched(SIGBUS, "SIGBUS"), Watched(SIGFPE, "SIGFPE"), Watched(SIGILL, "SIGILL"), Watched(SIGTRAP, "SIGTRAP"), Watched(SIGABRT, "SIGABRT")};

Watched& watched_for(int signal) {
  for (auto& one : watched) {
    if (one.signal == signal) return one;
  }
  return watched[0];
}

pid_t thread_id() { return static_cast<pid_t>(syscall(SYS_gettid)); }

void forward(int signal, siginfo_t* info, void* context) {
  Watched& one = watched_for(signal);
  pid_t const thread = thread_id();
  // A handler installed after ours may forward to ours: then the one before ours is next.
  bool const again = one.forwarding.load() == thread;
  struct sigaction const& next = one.found[again ? 0 : one.latest.load(std::memory_order_acquire)];
  pid_t nobody = 0;
  bool const first = !again && one.forwarding.compare_exchange_strong(nobody, thread);
  if (next.sa_flags & SA_SIGINFO) {
    next.sa_sigaction(signal, info, context);
  } else if (next.sa_handler != SIG_DFL && next.sa_handler != SIG_IGN) {
    next.sa_handler(signal);
  } else if (next.sa_handler == SIG_DFL || info->si_code > 0) {
    struct sigaction fallback = {};
    fallback.sa_handler = SIG_DFL;
    sigaction(signal, &fallback, nullptr);
    if (info->si_code <= 0) raise(signal);  // sent by kill(): returning would not fault again
  }
  if (first) one.forwarding.store(0);
}

// A fault, or raised by the thread itself, as abort() does; not sent by kill().
bool is_crash(siginfo_t const* info) {
  return getpid() == process.load() && (info->si_code > 0 || (info->si_code == SI_TKILL && info->si_pid == getpid()));
}

// Does not return on a thread that works for TensorRT.
void stop_crashed(int signal, uintptr_t instruction) {
  pid_t const thread = thread_id();
  for (auto& one : sheltered) {
    if (one.thread.load() != thread) continue;
    one.crash = {-1, true, signal, instruction};
    siglongjmp(one.back, 1);
  }
  char name[16] = {};
  prctl(PR_GET_NAME, name);
  int const count = seat_count.load(std::memory_order_acquire);
  for (int seat = 0; seat < count; seat++) {
    if (std::strcmp(name, seats[seat].name) != 0) continue;
    bool const worker = seats[seat].worker.load() == thread;
    if (worker && !seats[seat].guarded.load(std::memory_order_acquire)) return;
    uint32_t const index = records_used.fetch_add(1);
    if (index < std::size(records)) {
      records[index].crash = {seat, worker, signal, instruction};
      records[index].written.store(true, std::memory_order_release);
      sem_post(&crashes.count);
    }
    park();
  }
}

void on_signal(int signal, siginfo_t* info, void* context) {
  int const saved = errno;
  auto const mend = repair.load(std::memory_order_acquire);
  if (signal == SIGBUS && info->si_code > 0 && mend && mend(reinterpret_cast<uintptr_t>(info->si_addr))) {
    errno = saved;
    return;
  }
  if (is_crash(info)) stop_crashed(signal, instruction_of(*static_cast<ucontext_t*>(context)));
  errno = saved;
  forward(signal, info, context);
}

bool same(struct sigaction const& a, struct sigaction const& b) {
  if (a.sa_flags != b.sa_flags) return false;
  return a.sa_flags & SA_SIGINFO ? a.sa_sigaction == b.sa_sigaction : a.sa_handler == b.sa_handler;
}

void install(Watched& one) {
  struct sigaction current;
  sigaction(one.signal, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_signal) return;
  int const count = one.count.load();
  int index = 0;
  while (index < count && !same(one.found[index], current)) index++;
  if (index < static_cast<int>(std::size(one.found))) {
    if (index == count) {
      one.found[index] = current;
      one.count.store(count + 1);
    }
    one.latest.store(index, std::memory_order_release);
  }
  struct sigaction action = {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(one.signal, &action, nullptr);
}

std::mutex& install_mutex() {
  static auto* mutex = new std::mutex;
  return *mutex;
}

}  // namespace

void install_guard() {
  std::lock_guard lock(install_mutex());
  if (!process) process = getpid();
  for (auto& one : watched) install(one);
}

void refresh_guard() {
  static std::atomic<int64_t> installed{-1};
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  int64_t const tenth = now.tv_sec * 10 + now.tv_nsec / 100'000'000;
  if (installed.exchange(tenth, std::memory_order_relaxed) != tenth) install_guard();
}

void repair_bus_errors(bool (*function)(uintptr_t address)) {
  std::lock_guard lock(install_mutex());
  repair = function;
  install(watched_for(SIGBUS));
}

Seat add_seat(Lane lane) {
  std::lock_guard lock(install_mutex());
  int const seat = seat_count.load();
  if (seat == static_cast<int>(std::size(seats))) throw Error("ERR_THREAD", "there are " + std::to_string(seat) + " threads for TensorRT already");
  char const* const name = lane_names[static_cast<int>(lane)];
  int const number = static_cast<int>(std::count_if(seats, seats + seat, [name](SeatState const& one) { return std::strncmp(one.name, name, std::strlen(name)) == 0; }));
  std::snprintf(seats[seat].name, sizeof seats[seat].name, number ? "%.12s%d" : "%s", name, number);
  seat_count.store(seat + 1, std::memory_order_release);
  return seat;
}

void take_seat(Seat seat) {
  auto& state = seats[seat];
  prctl(PR_SET_NAME, state.name);
  constexpr size_t size = 64 << 10;
  void* stack = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack != MAP_FAILED) {
    stack_t alternate = {};
    alternate.ss_sp = stack;
    alternate.ss_size = size;
    sigaltstack(&alternate, nullptr);
  }
  state.guarded = false;
  state.worker = thread_id();
}

void set_guarded(Seat seat, bool guarded) {
  auto& state = seats[seat];
  if (state.worker == thread_id()) state.guarded.store(guarded, std::memory_order_release);
}

bool abandon_worker(Seat seat) {
  auto& state = seats[seat];
  if (!state.guarded) return false;
  state.worker = 0;
  return true;
}

bool run_guarded(void (*function)(void* data), void* data, Crash& crash) {
  static thread_local pid_t const thread = thread_id();
  Sheltered* own = nullptr;
  for (auto& one : sheltered) {
    pid_t nobody = 0;
    if (one.thread.load(std::memory_order_relaxed) != 0 || !one.thread.compare_exchange_strong(nobody, thread)) continue;
    own = &one;
    break;
  }
  if (!own) throw Error("ERR_THREAD", "more than " + std::to_string(std::size(sheltered)) + " threads run engines at the same time");
  if (sigsetjmp(own->back, 0) == 0) {
    function(data);
    own->thread.store(0, std::memory_order_release);
    return true;
  }
  crash = own->crash;
  own->thread.store(0, std::memory_order_release);
  sigset_t caught;  // blocked on the way into the handler
  sigemptyset(&caught);
  for (auto const& one : watched) sigaddset(&caught, one.signal);
  pthread_sigmask(SIG_UNBLOCK, &caught, nullptr);
  return false;
}

Crash next_crash() {
  for (;;) {
    if (sem_wait(&crashes.count) != 0) continue;
    for (auto& record : records) {
      if (record.written.exchange(false, std::memory_order_acquire)) return record.crash;
    }
  }
}

void stop_exiting(int status) {
  if (getpid() == process.load()) stop_crashed(0, static_cast<uintptr_t>(status));
}

std::string describe(Crash const& crash) {
  if (crash.signal == 0) return "it called exit(" + std::to_string(static_cast<int>(crash.instruction)) + ")";
  std::string text = watched_for(crash.signal).name;
  // Not dladdr(): the thread that stopped may hold the loader's lock.
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0, offset = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %lx", &begin, &end, &offset) != 3 || crash.instruction < begin || crash.instruction >= end) continue;
    auto const slash = line.rfind('/');
    if (slash == std::string::npos) break;
    char place[32];
    std::snprintf(place, sizeof place, " at 0x%lx", crash.instruction - begin + offset);
    return text + " in " + line.substr(slash + 1) + place;
  }
  return text;
}

void park() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  for (;;) pause();
}

}  // namespace ntrt
