// Uses the stand-in driver as argv[1] says, and prints what it answered: a list of numbers, as JSON.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "../common.h"

namespace {

using Pointer = unsigned long long;

template <class... A>
int call(char const* name, A... args) {
  static void* const library = dlopen("libcuda.so.1", RTLD_NOW);
  void* const found = library ? dlsym(library, name) : nullptr;
  if (!found) standin::die(std::string("no ") + name);
  return reinterpret_cast<int (*)(A...)>(found)(args...);
}

std::vector<int64_t> out;
void say(int64_t value) { out.push_back(value); }

void* use_device(int device) {
  void* context = nullptr;
  call("cuDevicePrimaryCtxRetain", &context, device);
  call("cuCtxSetCurrent", context);
  return context;
}
void* stream() {
  void* made = nullptr;
  call("cuStreamCreate", &made, 1u);
  return made;
}
void* event(unsigned flags = 2) {
  void* made = nullptr;
  call("cuEventCreate", &made, flags);
  return made;
}
Pointer memory(size_t bytes = 4) {
  Pointer made = 0;
  call("cuMemAlloc_v2", &made, bytes);
  return made;
}
int* pinned() {
  void* made = nullptr;
  call("cuMemHostAlloc", &made, sizeof(int), 1u);
  return static_cast<int*>(made);
}
int sync(void* stream) { return call("cuStreamSynchronize", stream); }
int fill(Pointer to, int value, void* stream) { return call("cuMemsetD32Async", to, static_cast<unsigned>(value), size_t{1}, stream); }
int read(Pointer from) {
  int value = 0;
  call("cuMemcpyDtoH_v2", static_cast<void*>(&value), from, sizeof value);
  return value;
}
int copy(Pointer to, Pointer from, void* stream) { return call("cuMemcpyDtoDAsync_v2", to, from, size_t{4}, stream); }
int to_device(Pointer to, int const* from, void* stream) { return call("cuMemcpyHtoDAsync_v2", to, static_cast<void const*>(from), sizeof(int), stream); }

// Holds a stream up until it is opened.
struct Gate {
  std::atomic<bool> is_open{false};
  explicit Gate(void* stream) {
    call("cuLaunchHostFunc", stream, +[](void* gate) { while (!static_cast<Gate*>(gate)->is_open) usleep(100); }, static_cast<void*>(this));
  }
};

void order() {
  void* const s = stream();
  Pointer const a = memory(), b = memory();
  Gate gate(s);
  fill(a, 1, s), copy(b, a, s), fill(a, 2, s);
  say(call("cuStreamQuery", s));
  gate.is_open = true;
  say(sync(s)), say(call("cuStreamQuery", s)), say(read(a)), say(read(b));
}

void staging() {
  void* const s = stream();
  Pointer const a = memory(), b = memory();
  int ordinary = 1;
  int* const locked = pinned();
  *locked = 1;
  Gate gate(s);
  to_device(a, &ordinary, s), to_device(b, locked, s);
  ordinary = *locked = 2;
  gate.is_open = true;
  sync(s), say(read(a)), say(read(b));
  // To ordinary memory: done when the call returns.
  fill(a, 3, s), call("cuMemcpyDtoHAsync_v2", static_cast<void*>(&ordinary), a, sizeof ordinary, s), say(ordinary);
}

void events() {
  void *const s = stream(), *const t = stream(), *const e = event();
  Pointer const a = memory();
  say(call("cuEventQuery", e));  // never recorded
  Gate first(s);
  fill(a, 1, s);
  call("cuEventRecord", e, s), call("cuStreamWaitEvent", t, e, 0u);
  say(call("cuEventQuery", e)), say(call("cuStreamQuery", t));
  // The wait is for what was recorded then.
  Gate second(s);
  call("cuEventRecord", e, s);
  fill(a, 2, t);
  first.is_open = true;
  say(sync(t)), say(call("cuEventQuery", e));
  second.is_open = true;
  say(call("cuEventSynchronize", e)), say(read(a));
  call("cuEventDestroy_v2", e);
  void *const from = event(0), *const to = event(0);
  float ms = -1;
  call("cuEventRecord", from, s), call("cuEventRecord", to, s), sync(s);
  say(call("cuEventElapsedTime", &ms, from, to)), say(ms >= 0);
  void *const plain = event(2);
  call("cuEventRecord", plain, s), sync(s), say(call("cuEventElapsedTime", &ms, from, plain));
}

void capture() {
  void *const s = stream(), *const t = stream(), *const e = event(), *const back = event();
  Pointer const a = memory(), b = memory();
  int* const source = pinned();
  void *graph = nullptr, *exec = nullptr;
  int status = -1;
  fill(a, 0, s), fill(b, 0, s), sync(s);
  say(call("cuStreamBeginCapture_v2", s, 1));
  call("cuStreamIsCapturing", s, &status), say(status);
  to_device(a, source, s);
  // Another stream joins, and comes back.
  call("cuEventRecord", e, s), call("cuStreamWaitEvent", t, e, 0u), copy(b, a, t), call("cuEventRecord", back, t), call("cuStreamWaitEvent", s, back, 0u);
  say(call("cuStreamEndCapture", s, &graph)), say(read(b));
  size_t count = 0;
  call("cuGraphGetNodes", graph, static_cast<void**>(nullptr), &count), say(count);
  say(call("cuGraphInstantiateWithFlags", &exec, graph, 0ull));
  call("cuGraphDestroy", graph);
  for (int value : {7, 8}) *source = value, say(call("cuGraphLaunch", exec, s)), sync(s), say(read(b));
  call("cuGraphExecDestroy", exec);
}

// What each mistake in a capture answers, then how the capture ends.
void captures() {
  void *const s = stream(), *const t = stream(), *const outside = event(), *const inside = event();
  call("cuEventRecord", outside, t), sync(t);
  auto const attempt = [&](int mode, auto mistake) {
    void* graph = &graph;
    call("cuStreamBeginCapture_v2", s, mode);
    say(mistake());
    say(call("cuStreamEndCapture", s, &graph)), say(graph == nullptr);
    int status = -1;
    call("cuStreamIsCapturing", s, &status), say(status);
  };
  Pointer address = 0;
  attempt(1, [&] { return sync(s); });
  attempt(1, [&] { return call("cuStreamQuery", s); });
  attempt(1, [&] { return call("cuMemAlloc_v2", &address, size_t{4}); });
  attempt(1, [&] { return call("cuCtxSynchronize"); });
  attempt(1, [&] { return call("cuEventRecord", inside, s), call("cuEventQuery", inside); });
  attempt(1, [&] { return call("cuStreamWaitEvent", s, outside, 0u); });
  Pointer const a = memory();
  attempt(1, [&] { return call("cuEventRecord", inside, s), call("cuStreamWaitEvent", t, inside, 0u), fill(a, 1, t); });  // never joined
  auto const elsewhere = [&] {
    int result = -1;
    std::thread([&] { use_device(0), result = call("cuMemAlloc_v2", &address, size_t{4}); }).join();
    return result;
  };
  attempt(0, elsewhere);
  attempt(1, elsewhere);
  call("cuStreamBeginCapture_v2", s, 1);
  void* graph = nullptr;
  std::thread([&] { use_device(0), say(call("cuStreamEndCapture", s, &graph)); }).join();
}

void limits() {
  size_t free = 0, total = 0;
  Pointer a = 0, b = 0;
  say(call("cuMemAlloc_v2", &a, size_t{600})), say(call("cuMemAlloc_v2", &b, size_t{600}));
  call("cuMemGetInfo_v2", &free, &total), say(free), say(total);
  call("cuMemFree_v2", a);
  // A pool keeps what is freed until it is trimmed.
  void *pool = nullptr, *const s = stream();
  int properties[22] = {1, 0, 1, 0};
  uint64_t most = UINT64_MAX;
  call("cuMemPoolCreate", &pool, static_cast<void const*>(properties)), call("cuMemPoolSetAttribute", pool, 4, static_cast<void*>(&most));
  say(call("cuMemAllocFromPoolAsync", &a, size_t{600}, pool, s)), call("cuMemFreeAsync", a, s), sync(s);
  call("cuMemGetInfo_v2", &free, &total), say(free);
  call("cuMemPoolTrimTo", pool, size_t{0}), call("cuMemGetInfo_v2", &free, &total), say(free);
  void *host = nullptr, *more = nullptr;
  say(call("cuMemHostAlloc", &host, size_t{100}, 1u)), say(call("cuMemHostAlloc", &more, size_t{100}, 1u)), call("cuMemFreeHost", host), say(call("cuMemHostAlloc", &more, size_t{100}, 1u));
}

void devices() {
  void* const first = use_device(0);
  Pointer const a = memory();
  use_device(1);
  void* const s = stream();
  int ordinal = -1;
  call("cuPointerGetAttribute", static_cast<void*>(&ordinal), 9, a), say(ordinal);
  say(fill(a, 1, s));
  // Work that uses it fails when it runs, and its context is lost.
  void* const uses[] = {reinterpret_cast<void*>(a)};
  say(call("standin_submit", s, +[](void*) { standin::die("ran"); }, +[](void*) {}, static_cast<void*>(nullptr), static_cast<void* const*>(uses), size_t{1}));
  say(sync(s)), say(call("cuStreamQuery", s));
  Pointer b = 0;
  say(call("cuMemAlloc_v2", &b, size_t{4}));
  call("cuCtxSetCurrent", first), say(call("cuMemAlloc_v2", &b, size_t{4}));
}

void destroyed_stream() {
  void* const s = stream();
  Pointer const a = memory();
  Gate gate(s);
  fill(a, 5, s), say(call("cuStreamDestroy_v2", s));
  gate.is_open = true;
  call("cuCtxSynchronize"), say(read(a));
}

void counters() {
  void *const s = stream(), *const e = event(), *graph = nullptr, *exec = nullptr;
  Pointer const a = memory(100);
  int* const host = pinned();
  call("cuStreamBeginCapture_v2", s, 1), fill(a, 1, s), call("cuStreamEndCapture", s, &graph), call("cuGraphInstantiateWithFlags", &exec, graph, 0ull);
  int64_t numbers[8];
  auto const say_all = [&] {
    call("standin_counters", static_cast<int64_t*>(numbers));
    for (int64_t number : numbers) say(number);
  };
  say_all();
  call("cuGraphExecDestroy", exec), call("cuGraphDestroy", graph), call("cuMemFree_v2", a), call("cuMemFreeHost", static_cast<void*>(host)), call("cuEventDestroy_v2", e), call("cuStreamDestroy_v2", s);
  say_all();
}

// Each ends the process.
void mistake(std::string const& which) {
  void *const s = stream(), *const e = event();
  Pointer const a = memory();
  int* const host = pinned();
  Gate gate(s);
  if (which == "free") fill(a, 1, s), call("cuMemFree_v2", a);
  if (which == "free host") to_device(a, host, s), call("cuMemFreeHost", static_cast<void*>(host));
  if (which == "after free") call("cuMemFreeAsync", a, s), fill(a, 1, s);
  if (which == "twice") call("cuMemFreeAsync", a, s), call("cuMemFree_v2", a);
  if (which == "event") call("cuEventDestroy_v2", e), call("cuStreamWaitEvent", s, e, 0u);
  if (which == "stream") gate.is_open = true, call("cuStreamDestroy_v2", s), sync(s);
  if (which == "unordered") {
    void* const t = stream();
    Pointer late = 0;
    call("cuMemAllocAsync", &late, size_t{4}, s), fill(late, 1, t), sync(t);
  }
  if (which == "graph") {
    void *graph = nullptr, *exec = nullptr, *const t = stream();
    gate.is_open = true;
    call("cuStreamBeginCapture_v2", t, 1), fill(a, 1, t), call("cuStreamEndCapture", t, &graph), call("cuGraphInstantiateWithFlags", &exec, graph, 0ull);
    sync(s), call("cuMemFree_v2", a), call("cuGraphLaunch", exec, t), sync(t);
  }
}

}  // namespace

int main(int, char** argv) {
  std::string const which = argv[1];
  use_device(0);
  if (which == "order") order();
  else if (which == "staging") staging();
  else if (which == "events") events();
  else if (which == "capture") capture();
  else if (which == "captures") captures();
  else if (which == "limits") limits();
  else if (which == "devices") devices();
  else if (which == "destroyed stream") destroyed_stream();
  else if (which == "counters") counters();
  else mistake(which);
  std::string text;
  for (int64_t value : out) text += (text.empty() ? "" : ",") + std::to_string(value);
  std::printf("[%s]\n", text.c_str());
}
