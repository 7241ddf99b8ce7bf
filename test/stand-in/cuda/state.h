// The state of the stand-in driver. One lock guards all of it; a stream's thread lets go of it while an operation works.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "../common.h"

namespace standin {

enum Result {
  success = 0,
  invalid_value = 1,
  out_of_memory = 2,
  not_initialized = 3,
  invalid_device = 101,
  invalid_image = 200,
  invalid_context = 201,
  no_binary_for_gpu = 209,
  invalid_ptx = 218,
  unsupported_ptx_version = 222,
  invalid_handle = 400,
  illegal_state = 401,
  not_found = 500,
  not_ready = 600,
  illegal_address = 700,
  already_registered = 712,
  not_registered = 713,
  launch_failed = 719,
  not_permitted = 800,
  not_supported = 801,
  capture_unsupported = 900,
  capture_invalidated = 901,
  capture_merge = 902,
  capture_unmatched = 903,
  capture_unjoined = 904,
  capture_isolation = 905,
  capture_implicit = 906,
  captured_event = 907,
  capture_wrong_thread = 908,
  graph_update_failure = 910,
};

using Lock = std::unique_lock<std::mutex>;

struct Stream;
struct Context {
  int device = 0;
  int sticky = 0;  // an error of an operation, which every later call reports
  std::shared_ptr<Stream> null_stream;
};

// Reached once so many operations of a stream are done.
struct Point {
  std::shared_ptr<Stream> stream;
  uint64_t number = 0;
  bool is_reached() const;
};

struct Use {
  uint64_t address = 0;
  size_t bytes = 1;
};

// What a stream does. `work` returns a CUDA error; it is called without the lock, more than once if it is part of a graph.
struct Operation {
  char const* name = "";
  std::function<int()> work;
  std::vector<Use> uses;  // memory that must be there until it is done
};
using Operations = std::vector<std::shared_ptr<Operation const>>;

struct Capture {
  enum Mode { global, thread_local_mode, relaxed };
  int mode = global;
  int thread = 0;
  Stream* origin = nullptr;
  bool invalidated = false;
  Operations operations;
  // By stream: of each stream, how many of its operations come before what is added next.
  std::map<Stream*, std::map<Stream*, size_t>> clocks;
};

struct Stream {
  struct Queued {
    std::shared_ptr<Operation const> operation;
    std::vector<Point> after;
  };
  Context* context = nullptr;
  unsigned flags = 0;
  int priority = 0;
  std::deque<Queued> queue;  // its first one may be at work
  uint64_t submitted = 0;
  uint64_t completed = 0;
  bool has_thread = false;
  bool is_closed = false;
  std::shared_ptr<Capture> capture;
  bool is_blocking() const { return !(flags & 1); }
};

struct Event {
  Context* context = nullptr;
  unsigned flags = 0;
  Point point;                     // no stream: never recorded
  std::shared_ptr<double> time;    // seconds, once it is reached
  std::shared_ptr<Capture> capture;
  std::map<Stream*, size_t> clock;
};

struct Pool {
  int device = 0;
  size_t cached = 0;       // freed, and kept for the next allocation
  uint64_t threshold = 0;  // so much is kept
};
struct Allocation {
  size_t bytes = 0;
  int device = 0;
  bool is_ready = true;     // cuMemAllocAsync has taken place on its stream
  bool is_freeing = false;  // cuMemFreeAsync was called
  std::shared_ptr<Pool> pool;
};

struct Graph {
  Operations operations;
};
struct GraphExec {
  Context* context = nullptr;
  Operations operations;
  Point last;  // launches of one graph follow each other
};

struct Parameter {
  size_t size = 0;
  size_t offset = 0;
};
struct Kernel {
  std::string lowered;
  std::string name;
  std::vector<Parameter> parameters;
  int shared_limit = 48 * 1024;
  int launches = 0;
  int executions = 0;
  bool is_unloaded = false;
  Context* context = nullptr;
};
struct Module {
  std::vector<Kernel*> kernels;
};

// Handles that are alive, and those that were: to use one of these ends the process.
template <class T>
class Handles {
 public:
  void* add(std::shared_ptr<T> made) {
    void* const handle = made.get();
    gone_.erase(handle);
    return alive_[handle] = std::move(made), handle;
  }
  // Null if there never was one.
  std::shared_ptr<T> find(void* handle, char const* call) const {
    auto const found = alive_.find(handle);
    if (found != alive_.end()) return found->second;
    if (gone_.count(handle)) die(std::string(call) + " of what was destroyed");
    return nullptr;
  }
  void remove(void* handle) { alive_.erase(handle), gone_.insert(handle); }
  std::map<void*, std::shared_ptr<T>> const& alive() const { return alive_; }

 private:
  std::map<void*, std::shared_ptr<T>> alive_;
  std::set<void*> gone_;
};

struct State {
  std::mutex mutex;
  std::condition_variable changed;  // an operation is done, or was added
  std::map<int, Context*> contexts;
  Handles<Stream> streams;
  std::set<std::shared_ptr<Stream>> running;  // streams with a thread, destroyed ones too
  Handles<Event> events;
  Handles<Graph> graphs;
  Handles<GraphExec> execs;
  std::set<std::shared_ptr<Capture>> captures;
  std::map<uint64_t, Allocation> allocations;  // by device address
  std::map<int, size_t> used;                  // by device, with what pools keep
  Handles<Pool> pools;
  std::map<int, void*> default_pools;          // by device
  std::map<uint64_t, size_t> pinned;           // page-locked host memory
  size_t pinned_bytes = 0;
  std::set<Module*> modules;
};
State& state();
inline Lock locked() { return Lock(state().mutex); }

// The contexts of this thread, the current one last.
std::vector<Context*>& stack();
Context* current();
// 201 without a context, its sticky error, 800 in a host function, or success.
int usable();
// Whether this thread is in a function that a stream called.
bool& in_host_function();
// Major * 10 + minor, from STANDIN_CAPABILITY ("9.0").
int capability();
int device_count();
size_t device_memory();

// All below: with the lock held.

// stream.cc. The stream of a handle, null meaning the default one; `current`: whether its context must be the current one.
int find_stream(void* handle, char const* call, std::shared_ptr<Stream>& found, bool current = true);
// Adds to the stream, or to the capture that it is in.
int submit(Lock& lock, std::shared_ptr<Stream> const& stream, Operation operation, std::vector<Point> after = {});
void push(Lock& lock, std::shared_ptr<Stream> const& stream, std::shared_ptr<Operation const> operation, std::vector<Point> after = {});
Point end_of(std::shared_ptr<Stream> const& stream);
void wait_for(Lock& lock, Point const& point);
void wait_for(Lock& lock, Context* context);
// The operation that uses [address, address + bytes) and is not done, or null.
char const* user_of(uint64_t address, size_t bytes);

// memory.cc. The allocation around an address, or null.
Allocation* allocation_of(uint64_t address, size_t bytes);
bool is_pinned(uint64_t address, size_t bytes);
int allocate(unsigned long long* address, size_t bytes, int device, std::shared_ptr<Pool> pool = nullptr);
void release(uint64_t address);
// Dies if memory is gone; an error if it is another device's.
int check_uses(Operation const& operation, int device);

// capture.cc. What a call answers that would be unsafe in a capture (900, and the capture is lost), or success.
int forbid_unsafe();
// The same for what waits for or asks after all of a context.
int forbid_broad(Context* context);
int invalidate(Capture& capture, int result);

}  // namespace standin

using namespace standin;
