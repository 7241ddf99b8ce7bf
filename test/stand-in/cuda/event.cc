// Events: points on streams.
#include <chrono>

#include "counters.h"
#include "state.h"

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int find_event(void* handle, char const* call, std::shared_ptr<Event>& found) {
  if (in_host_function()) return not_permitted;
  found = state().events.find(handle, call);
  return found ? found->context->sticky : invalid_handle;
}

// An event that was last recorded in a capture may neither be asked nor waited for.
int forbid_captured(Event const& event) {
  if (event.capture) return invalidate(*event.capture, captured_event);
  return forbid_unsafe();
}

}  // namespace

extern "C" {

int cuEventCreate(void** event, unsigned flags) {
  auto const lock = locked();
  if (int const result = usable()) return result;
  auto made = std::make_shared<Event>();
  made->context = current();
  made->flags = flags;
  counters().events++;
  return *event = state().events.add(std::move(made)), success;
}
int cuEventDestroy_v2(void* handle) {
  auto const lock = locked();
  if (!state().events.find(handle, "cuEventDestroy")) return invalid_handle;
  state().events.remove(handle);
  counters().events--;
  return success;
}
int cuEventDestroy(void* handle) { return cuEventDestroy_v2(handle); }

int cuEventRecordWithFlags(void* handle, void* stream_handle, unsigned flags) {
  auto lock = locked();
  std::shared_ptr<Event> event;
  if (int const result = find_event(handle, "cuEventRecord", event)) return result;
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(stream_handle, "cuEventRecord", stream, false)) return result;
  if (event->context != stream->context) return invalid_handle;
  if (flags > 1) return invalid_value;
  if (auto const& capture = stream->capture) {
    if (capture->invalidated) return capture_invalidated;
    event->capture = capture;
    event->clock = capture->clocks[stream.get()];
    return success;
  }
  event->capture = nullptr;
  event->time = std::make_shared<double>(0);
  int const result = submit(lock, stream, {"cuEventRecord", [time = event->time] { return *time = now(), success; }, {}});
  event->point = end_of(stream);
  return result;
}
int cuEventRecord(void* event, void* stream) { return cuEventRecordWithFlags(event, stream, 0); }

int cuEventQuery(void* handle) {
  auto const lock = locked();
  std::shared_ptr<Event> event;
  if (int const result = find_event(handle, "cuEventQuery", event)) return result;
  if (int const result = forbid_captured(*event)) return result;
  return event->point.is_reached() ? success : not_ready;
}
int cuEventSynchronize(void* handle) {
  auto lock = locked();
  std::shared_ptr<Event> event;
  if (int const result = find_event(handle, "cuEventSynchronize", event)) return result;
  if (int const result = forbid_captured(*event)) return result;
  wait_for(lock, Point(event->point));
  return event->context->sticky;
}
int cuEventElapsedTime(float* ms, void* from, void* to) {
  auto const lock = locked();
  std::shared_ptr<Event> first, last;
  if (int const result = find_event(from, "cuEventElapsedTime", first)) return result;
  if (int const result = find_event(to, "cuEventElapsedTime", last)) return result;
  constexpr unsigned disable_timing = 2;
  if ((first->flags | last->flags) & disable_timing || !first->time || !last->time) return invalid_handle;
  if (first->capture || last->capture) return captured_event;
  if (!first->point.is_reached() || !last->point.is_reached()) return not_ready;
  return *ms = static_cast<float>((*last->time - *first->time) * 1e3), success;
}
int cuEventElapsedTime_v2(float* ms, void* from, void* to) { return cuEventElapsedTime(ms, from, to); }

int cuStreamWaitEvent(void* stream_handle, void* handle, unsigned) {
  auto lock = locked();
  std::shared_ptr<Event> event;
  if (int const result = find_event(handle, "cuStreamWaitEvent", event)) return result;
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(stream_handle, "cuStreamWaitEvent", stream, false)) return result;
  if (event->capture) {
    if (event->capture->invalidated) return capture_invalidated;
    if (stream->capture && stream->capture != event->capture) return invalidate(*event->capture, invalidate(*stream->capture, capture_merge));
    stream->capture = event->capture;
    auto& clock = event->capture->clocks[stream.get()];
    for (auto const& [other, count] : event->clock) clock[other] = std::max(clock[other], count);
    return success;
  }
  if (!event->point.stream) return success;
  if (stream->capture) return invalidate(*stream->capture, capture_isolation);
  return submit(lock, stream, {"cuStreamWaitEvent", nullptr, {}}, {event->point});
}
}
