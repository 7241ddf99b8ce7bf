// Crashes inside TensorRT must not end the process. A TensorRT thread that gets SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP or SIGABRT
// stops there forever: its stack, and the locks and memory it shares with others, stay as they are (jumping out of the
// handler would free the stack under them). The watch in lanes.cc settles its job and replaces it. All other signals go to
// the handler installed before ours.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>

namespace ntrt {

// What our threads are for. `plugin`: loading plugin libraries and asking plugins about their outputs; `library`: loading
// TensorRT and asking the driver; `engine`: loading engines and making contexts; `free`: freeing; `run`: submitting runs, by
// several threads.
enum class Lane { build, plugin, library, engine, free, run };
constexpr Lane all_lanes[] = {Lane::build, Lane::plugin, Lane::library, Lane::engine, Lane::free, Lane::run};

// A worker's place, which outlives the thread that has it.
using Seat = int;
// Throws ERR_THREAD if there is none left.
Seat add_seat(Lane lane);

// Gives the seat to the calling thread. Threads that TensorRT starts on it inherit its name and are recognized by it.
// Its signals get their own stack, so that a stack overflow is caught too.
void take_seat(Seat seat);

// Whether crashes of the calling worker are caught; those of threads that TensorRT started always are.
void set_guarded(Seat seat, bool guarded);
// From now on, the worker counts as a thread that TensorRT started. False if it is not guarded.
bool abandon_worker(Seat seat);

// Installs our handlers, even if others were installed since.
void install_guard();
// The same, at most ten times a second: for what happens more often.
void refresh_guard();

struct Crash {
  Seat seat;
  bool worker;  // the worker itself, not a thread that TensorRT started
  int signal;             // 0: it called exit()
  uintptr_t instruction;  // or the status of exit()
};

// Waits for the next crash.
Crash next_crash();

// Runs `function` on a thread that is no worker, such as JavaScript's. False after a crash in it: what it held stays as it is,
// because the stack is left without unwinding.
bool run_guarded(void (*function)(void* data), void* data, Crash& crash);

// "SIGSEGV in libnvinfer.so.10 at 0x1f30"
std::string describe(Crash const& crash);

// Does not return on a guarded thread that works for TensorRT: it called exit().
void stop_exiting(int status);

// Stops the calling thread forever.
[[noreturn]] void park();

// Passes SIGBUS to `repair` first, which returns whether to retry the access at the address.
void repair_bus_errors(bool (*repair)(uintptr_t address));

}  // namespace ntrt
