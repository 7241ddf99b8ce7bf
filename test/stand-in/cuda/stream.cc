// Streams, and the threads that do their work.
#include <algorithm>
#include <random>
#include <thread>

#include "counters.h"
#include "state.h"

namespace standin {

bool Point::is_reached() const { return !stream || stream->completed >= number; }

Point end_of(std::shared_ptr<Stream> const& stream) { return {stream, stream->submitted}; }

void wait_for(Lock& lock, Point const& point) {
  state().changed.wait(lock, [&] { return point.is_reached(); });
}

void wait_for(Lock& lock, Context* context) {
  std::vector<Point> all;
  for (auto const& stream : state().running) {
    if (stream->context == context) all.push_back(end_of(stream));
  }
  for (auto const& point : all) wait_for(lock, point);
}

char const* user_of(uint64_t address, size_t bytes) {
  for (auto const& stream : state().running) {
    for (auto const& queued : stream->queue) {
      for (auto const& use : queued.operation->uses) {
        if (use.address < address + bytes && address < use.address + use.bytes) return queued.operation->name;
      }
    }
  }
  return nullptr;
}

namespace {

std::chrono::microseconds next_delay() {
  static auto* const guard = new std::mutex;
  static auto* const engine = new std::minstd_rand;
  static int const most = [] {
    std::string const text = environment("STANDIN_DELAY");
    size_t const comma = text.find(',');
    if (comma != std::string::npos) engine->seed(std::stoul(text.substr(comma + 1)));
    return text.empty() ? 0 : std::stoi(text);
  }();
  if (most <= 0) return {};
  std::lock_guard const held(*guard);
  return std::chrono::microseconds((*engine)() % (most + 1));
}

// The thread of a stream: until it is destroyed and all is done.
void work(std::shared_ptr<Stream> const& stream) {
  auto lock = locked();
  auto const next = [&] {
    if (stream->queue.empty()) return stream->is_closed;
    auto const& after = stream->queue.front().after;
    return std::all_of(after.begin(), after.end(), [](Point const& point) { return point.is_reached(); });
  };
  for (;;) {
    state().changed.wait(lock, next);
    if (stream->queue.empty()) break;
    auto operation = stream->queue.front().operation;
    lock.unlock();
    if (auto const delay = next_delay(); delay.count()) std::this_thread::sleep_for(delay);
    lock.lock();
    int& sticky = stream->context->sticky;
    int result = sticky ? sticky : check_uses(*operation, stream->context->device);
    // After a failure nothing runs any more.
    if (!result && operation->work) {
      lock.unlock();
      result = operation->work();
      lock.lock();
    }
    if (!sticky) sticky = result;
    auto done = std::move(stream->queue.front());
    stream->queue.pop_front();
    stream->completed++;
    state().changed.notify_all();
    // What an operation holds is let go without the lock.
    lock.unlock();
    done = {}, operation = nullptr;
    lock.lock();
  }
  state().running.erase(stream);
}

// Legacy: the default stream and those that are not non-blocking wait for each other.
void add_legacy(std::shared_ptr<Stream> const& stream, std::vector<Point>& after) {
  auto const& null_stream = stream->context->null_stream;
  if (stream != null_stream) {
    if (stream->is_blocking()) after.push_back(end_of(null_stream));
    return;
  }
  for (auto const& other : state().running) {
    if (other != stream && other->context == stream->context && other->is_blocking()) after.push_back(end_of(other));
  }
}

int check_legacy(Stream const& stream) {
  int result = success;
  if (&stream != stream.context->null_stream.get()) return result;
  for (auto const& capture : state().captures) {
    if (capture->origin->context == stream.context && capture->origin->is_blocking()) result = invalidate(*capture, capture_implicit);
  }
  return result;
}

}  // namespace

void push(Lock& lock, std::shared_ptr<Stream> const& stream, std::shared_ptr<Operation const> operation, std::vector<Point> after) {
  add_legacy(stream, after);
  stream->queue.push_back({std::move(operation), std::move(after)});
  stream->submitted++;
  if (!stream->has_thread) {
    stream->has_thread = true;
    state().running.insert(stream);
    std::thread([stream] { work(stream); }).detach();
  }
  state().changed.notify_all();
  if (!environment("STANDIN_SYNC").empty()) wait_for(lock, end_of(stream));
}

int submit(Lock& lock, std::shared_ptr<Stream> const& stream, Operation operation, std::vector<Point> after) {
  auto made = std::make_shared<Operation const>(std::move(operation));
  if (auto const& capture = stream->capture) {
    if (capture->invalidated) return capture_invalidated;
    capture->operations.push_back(std::move(made));
    capture->clocks[stream.get()][stream.get()]++;
    return success;
  }
  if (int const result = check_legacy(*stream)) return result;
  push(lock, stream, std::move(made), std::move(after));
  return success;
}

int find_stream(void* handle, char const* call, std::shared_ptr<Stream>& found, bool needs_current) {
  if (in_host_function()) return not_permitted;
  if (needs_current) {
    if (int const result = usable()) return result;
  }
  auto const address = reinterpret_cast<uint64_t>(handle);
  if (address <= 2) {  // null, CU_STREAM_LEGACY, CU_STREAM_PER_THREAD
    if (!current()) return invalid_context;
    found = current()->null_stream;
    return current()->sticky;
  }
  found = state().streams.find(handle, call);
  if (!found || (needs_current && found->context != current())) return invalid_handle;
  return found->context->sticky;
}

}  // namespace standin

extern "C" {

int cuStreamCreateWithPriority(void** stream, unsigned flags, int priority) {
  auto const lock = locked();
  if (int const result = usable()) return result;
  if (flags > 1) return invalid_value;
  auto made = std::make_shared<Stream>();
  made->context = current();
  made->flags = flags;
  made->priority = std::clamp(priority, -5, 0);
  counters().streams++;
  return *stream = state().streams.add(std::move(made)), success;
}
int cuStreamCreate(void** stream, unsigned flags) { return cuStreamCreateWithPriority(stream, flags, 0); }
// What is queued is still done.
int cuStreamDestroy_v2(void* handle) {
  auto const lock = locked();
  auto const stream = state().streams.find(handle, "cuStreamDestroy");
  if (!stream) return invalid_handle;
  if (stream->capture) {
    state().captures.erase(stream->capture);
    stream->capture->invalidated = true;
  }
  stream->is_closed = true;
  state().streams.remove(handle);
  counters().streams--;
  state().changed.notify_all();
  return success;
}
int cuStreamSynchronize(void* handle) {
  auto lock = locked();
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, "cuStreamSynchronize", stream, false)) return result;
  if (stream->capture) return invalidate(*stream->capture, capture_unsupported);
  if (int const result = forbid_unsafe()) return result;
  wait_for(lock, end_of(stream));
  return stream->context->sticky;
}
int cuStreamQuery(void* handle) {
  auto const lock = locked();
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, "cuStreamQuery", stream, false)) return result;
  if (stream->capture) return invalidate(*stream->capture, capture_unsupported);
  if (int const result = forbid_unsafe()) return result;
  return end_of(stream).is_reached() ? success : not_ready;
}
int cuStreamGetCtx(void* handle, void** context) {
  auto const lock = locked();
  std::shared_ptr<Stream> stream;
  int const result = find_stream(handle, "cuStreamGetCtx", stream, false);
  if (stream) *context = stream->context;
  return result;
}
int cuStreamGetPriority(void* handle, int* priority) {
  auto const lock = locked();
  std::shared_ptr<Stream> stream;
  int const result = find_stream(handle, "cuStreamGetPriority", stream, false);
  if (stream) *priority = stream->priority;
  return result;
}
int cuStreamGetFlags(void* handle, unsigned* flags) {
  auto const lock = locked();
  std::shared_ptr<Stream> stream;
  int const result = find_stream(handle, "cuStreamGetFlags", stream, false);
  if (stream) *flags = stream->flags;
  return result;
}

int cuLaunchHostFunc(void* handle, void (*function)(void*), void* data) {
  auto lock = locked();
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, "cuLaunchHostFunc", stream)) return result;
  auto const call = [=] {
    in_host_function() = true;
    function(data);
    in_host_function() = false;
    return success;
  };
  return submit(lock, stream, {"cuLaunchHostFunc", call, {}});
}

// For the stand-in TensorRT, from any thread: puts a function onto a stream, or into its capture.
int standin_enqueue(void* handle, void (*function)(void*), void* data) {
  auto lock = locked();
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, "standin_enqueue", stream, false)) return result;
  return submit(lock, stream, {"standin_enqueue", [=] { return function(data), success; }, {}});
}
// The same for a function that uses memory, which must be there when it runs; `release` is called once it will not run again.
int standin_submit(void* handle, void (*function)(void*), void (*release)(void*), void* data, void* const* uses, size_t count) {
  std::shared_ptr<void> const held(data, release);
  auto lock = locked();
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, "standin_submit", stream, false)) return lock.unlock(), result;
  Operation operation{"a layer of TensorRT", [function, held] { return function(held.get()), success; }, {}};
  for (size_t i = 0; i < count; i++) operation.uses.push_back({reinterpret_cast<uint64_t>(uses[i]), 1});
  return submit(lock, stream, std::move(operation));
}
}
