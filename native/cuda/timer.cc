#include "timer.h"

namespace ntrt {

Timer::Timer(bool blocking) : blocking_(blocking) {
  constexpr unsigned blocking_sync = 1;  // CU_EVENT_BLOCKING_SYNC
  need(reinterpret_cast<void const*>(driver().cuEventElapsedTime), "cuEventElapsedTime", "measuring");
  need(reinterpret_cast<void const*>(driver().cuEventDestroy_v2), "cuEventDestroy_v2", "measuring");
  check_cuda(driver().cuEventCreate(&event_, blocking ? blocking_sync : 0), "creating an event");
}

void Timer::wait() const {
  constexpr CUresult not_ready = 600;
  CUresult result = blocking_ ? driver().cuEventSynchronize(event_) : not_ready;
  while (result == not_ready) result = driver().cuEventQuery(event_);
  check_cuda(result, "the work on the GPU");
}

float Timer::since(Timer const& start) const {
  float ms = 0;
  check_cuda(driver().cuEventElapsedTime(&ms, start.event_, event_), "cuEventElapsedTime");
  return ms;
}

}  // namespace ntrt
