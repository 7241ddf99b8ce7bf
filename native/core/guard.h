// Crashes inside TensorRT must not end the process. A TensorRT thread that gets SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT
// stops there forever: its stack, and the locks and memory it shares with others, stay as they are (jumping out of the
// handler would free the stack under them). The watch in job.cc settles its job and replaces it. All other signals go to
// the handler installed before ours.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>

namespace ntrt {

// `plugin`: loading plugin libraries and asking plugins about their outputs.
enum class Lane { build, run, plugin };
constexpr Lane all_lanes[] = {Lane::build, Lane::run, Lane::plugin};

// Makes the calling thread the lane's worker. Threads that TensorRT starts on it inherit its name and are recognized by it.
// Its signals get their own stack, so that a stack overflow is caught too.
void become_worker(Lane lane);

// Whether crashes of the calling worker are caught; those of threads that TensorRT started always are.
void set_guarded(Lane lane, bool guarded);
// From now on, the lane's worker counts as a thread that TensorRT started. False if it is not guarded.
bool abandon_worker(Lane lane);

// Installs our handlers, even if others were installed since.
void install_guard();

struct Crash {
  Lane lane;
  bool worker;  // the lane's worker itself, not a thread that TensorRT started
  int signal;             // 0: it called exit()
  uintptr_t instruction;  // or the status of exit()
};

// Waits for the next crash.
Crash next_crash();

// "SIGSEGV in libnvinfer.so.10 at 0x1f30"
std::string describe(Crash const& crash);

// Does not return on a guarded thread that works for TensorRT: it called exit().
void stop_exiting(int status);

// Stops the calling thread forever.
[[noreturn]] void park();

// Passes SIGBUS to `repair` first, which returns whether to retry the access at the address.
void repair_bus_errors(bool (*repair)(uintptr_t address));

}  // namespace ntrt
