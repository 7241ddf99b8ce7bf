#include "event.h"

#include <map>
#include <mutex>
#include <vector>

namespace ntrt {

namespace {

constexpr CUresult not_ready = 600;

// Events to use again, by device, for the life of the process: as many as ever were in use at once. One that is pending may
// be recorded anew: streams that wait for it wait for what it was.
std::mutex mutex;
auto* const spare = new std::map<int, std::vector<CUevent>>;

CUevent take(int device) {
  {
    std::lock_guard lock(mutex);
    auto& events = (*spare)[device];
    if (!events.empty()) {
      CUevent const event = events.back();
      events.pop_back();
      return event;
    }
  }
  constexpr unsigned disable_timing = 2;  // CU_EVENT_DISABLE_TIMING
  CUevent event = nullptr;
  check_cuda(driver().cuEventCreate(&event, disable_timing), "creating an event");
  return event;
}

}  // namespace

std::shared_ptr<Event> Event::record(Stream const& stream) {
  std::shared_ptr<Event> event(new Event(take(stream.device()), stream));
  check_cuda(driver().cuEventRecord(event->event_, stream.get()), "recording an event");
  return event;
}

Event::~Event() {
  std::lock_guard lock(mutex);
  (*spare)[device_].push_back(event_);
}

bool Event::is_done() const {
  if (was_done()) return true;
  CUresult const result = driver().cuEventQuery(event_);
  if (result == not_ready) return false;
  check_cuda(result, "the work on the GPU");
  done_.store(true, std::memory_order_release);
  return true;
}

bool Event::is_over() const noexcept {
  try {
    return is_done();
  } catch (...) {
    return true;
  }
}

void Event::synchronize() const {
  if (was_done()) return;
  check_cuda(driver().cuEventSynchronize(event_), "the work on the GPU");
  done_.store(true, std::memory_order_release);
}

}  // namespace ntrt
