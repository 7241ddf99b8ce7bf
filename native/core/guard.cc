#include "guard.h"

#include <semaphore.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>

#include "machine.h"

namespace ntrt {

namespace {

// Everything the handler reads or writes is lock-free and in static storage.

// Linux keeps 15 characters of a thread's name.
constexpr char const* lane_names[] = {"tensorrt-build", "tensorrt-run", "tensorrt-plugin"};

struct LaneState {
  std::atomic<pid_t> worker{0};
  std::atomic<bool> guarded{false};
};
LaneState lanes[std::size(lane_names)];
std::atomic<pid_t> process{0};
std::atomic<bool (*)(uintptr_t)> repair{nullptr};

struct Record {
  Crash crash;
  std::atomic<bool> written{false};
};
Record records[256];
std::atomic<uint32_t> records_used{0};
sem_t crashes;

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
Watched watched[] = {Watched(SIGSEGV, "SIGSEGV"), Watched(SIGBUS, "SIGBUS"), Watched(SIGFPE, "SIGFPE"), Watched(SIGILL, "SIGILL"), Watched(SIGABRT, "SIGABRT")};

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
  char name[16] = {};
  prctl(PR_GET_NAME, name);
  for (size_t i = 0; i < std::size(lane_names); i++) {
    if (std::strcmp(name, lane_names[i]) != 0) continue;
    bool const worker = lanes[i].worker.load() == thread_id();
    if (worker && !lanes[i].guarded.load(std::memory_order_acquire)) return;
    uint32_t const index = records_used.fetch_add(1);
    if (index < std::size(records)) {
      records[index].crash = {static_cast<Lane>(i), worker, signal, instruction};
      records[index].written.store(true, std::memory_order_release);
      sem_post(&crashes);
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
  if (!process) {
    sem_init(&crashes, 0, 0);
    process = getpid();
  }
  for (auto& one : watched) install(one);
}

void repair_bus_errors(bool (*function)(uintptr_t address)) {
  std::lock_guard lock(install_mutex());
  repair = function;
  install(watched_for(SIGBUS));
}

void become_worker(Lane lane) {
  auto& state = lanes[static_cast<int>(lane)];
  prctl(PR_SET_NAME, lane_names[static_cast<int>(lane)]);
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

void set_guarded(Lane lane, bool guarded) {
  auto& state = lanes[static_cast<int>(lane)];
  if (state.worker == thread_id()) state.guarded.store(guarded, std::memory_order_release);
}

bool abandon_worker(Lane lane) {
  auto& state = lanes[static_cast<int>(lane)];
  if (!state.guarded) return false;
  state.worker = 0;
  return true;
}

Crash next_crash() {
  for (;;) {
    if (sem_wait(&crashes) != 0) continue;
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
