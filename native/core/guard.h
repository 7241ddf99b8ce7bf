// Crashes inside TensorRT must not end the process. A thread of TensorRT's that gets SIGSEGV, SIGBUS, SIGFPE, SIGILL or
// SIGABRT stops there for good: what lies on its stack, and the locks and memory that others share with it, stay as they
// are (jumping out of the handler would free the stack under them). The watch of job.cc settles its job and replaces it.
// Every other signal goes to the handler that was there before ours.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>

namespace ntrt {

enum class Lane { build, run };

// Makes the calling thread the lane's worker. Its name passes on to the threads that TensorRT starts on it, which are
// recognized by it; its signals get a stack of their own, so that an overflow of the usual one is caught too.
void become_worker(Lane lane);

// Whether crashes of the calling worker are caught; those of threads that TensorRT started always are.
void set_guarded(Lane lane, bool guarded);
// From now on the lane's worker is a thread like those that TensorRT started. False where it is not guarded.
bool abandon_worker(Lane lane);

// Puts our handlers in place, also where somebody has put others there since.
void install_guard();

struct Crash {
  Lane lane;
  bool worker;  // the lane's worker itself, not a thread that TensorRT started
  int signal;
  uintptr_t instruction;
};

// Waits for the next crash.
Crash next_crash();

// "SIGSEGV in libnvinfer.so.10 at 0x1f30"
std::string describe(Crash const& crash);

// Stops the calling thread for good.
[[noreturn]] void park();

// Gives SIGBUS to `repair` first, which says whether the access at the address may be tried again.
void repair_bus_errors(bool (*repair)(uintptr_t address));

}  // namespace ntrt
