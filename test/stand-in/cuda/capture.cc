// Capture of streams.
#include "counters.h"
#include "state.h"

namespace standin {

int invalidate(Capture& capture, int result) { return capture.invalidated = true, result; }

namespace {

int& interaction() {
  thread_local int mode = Capture::global;
  return mode;
}

}  // namespace

int forbid_unsafe() {
  int result = success;
  for (auto const& capture : state().captures) {
    bool const own = capture->thread == thread_id();
    bool const hinders = interaction() == Capture::relaxed ? false : own ? capture->mode != Capture::relaxed : interaction() == Capture::global && capture->mode == Capture::global;
    if (hinders) result = invalidate(*capture, capture_unsupported);
  }
  return result;
}

int forbid_broad(Context* context) {
  int result = forbid_unsafe();
  for (auto const& capture : state().captures) {
    if (capture->origin->context == context) result = invalidate(*capture, capture_unsupported);
  }
  return result;
}

}  // namespace standin

extern "C" {

int cuThreadExchangeStreamCaptureMode(int* mode) { return std::swap(*mode, interaction()), success; }

int cuStreamBeginCapture_v2(void* handle, int mode) {
  auto const lock = locked();
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, "cuStreamBeginCapture", stream)) return result;
  if (stream == stream->context->null_stream) return capture_unsupported;
  if (stream->capture) return illegal_state;
  if (mode < 0 || mode > 2) return invalid_value;
  auto capture = std::make_shared<Capture>();
  capture->mode = mode;
  capture->thread = thread_id();
  capture->origin = stream.get();
  capture->clocks[stream.get()];
  state().captures.insert(capture);
  return stream->capture = std::move(capture), success;
}

int cuStreamEndCapture(void* handle, void** graph) {
  auto const lock = locked();
  *graph = nullptr;
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, "cuStreamEndCapture", stream)) return result;
  auto const capture = stream->capture;
  if (!capture) return illegal_state;
  if (capture->mode != Capture::relaxed && capture->thread != thread_id()) return invalidate(*capture, capture_wrong_thread);
  if (capture->origin != stream.get()) return invalidate(*capture, capture_unmatched);
  bool is_joined = true;
  auto& origin = capture->clocks[capture->origin];
  for (auto& [other, clock] : capture->clocks) is_joined = is_joined && origin[other] >= clock[other];
  for (auto const& [_, other] : state().streams.alive()) {
    if (other->capture == capture) other->capture = nullptr;
  }
  state().captures.erase(capture);
  if (capture->invalidated) return capture_invalidated;
  if (!is_joined) return capture->invalidated = true, capture_unjoined;
  auto made = std::make_shared<Graph>();
  made->operations = capture->operations;
  counters().graphs++;
  return *graph = state().graphs.add(std::move(made)), success;
}

int cuStreamIsCapturing(void* handle, int* status) {
  auto const lock = locked();
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, "cuStreamIsCapturing", stream, false)) return result;
  return *status = !stream->capture ? 0 : stream->capture->invalidated ? 2 : 1, success;
}
int cuStreamGetCaptureInfo_v2(void* handle, int* status, unsigned long long* id, void** graph, void const** nodes, size_t* count) {
  int const result = cuStreamIsCapturing(handle, status);
  if (id) *id = 1;
  if (graph) *graph = nullptr;
  if (nodes) *nodes = nullptr;
  if (count) *count = 0;
  return result;
}
}
