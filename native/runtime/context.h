// An execution context: its buffers, and whose turn it is to use it.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../cuda/graph.h"
#include "../cuda/stream.h"
#include "../cuda/turn.h"
#include "../tensorrt/callbacks.h"
#include "completer.h"
#include "memory_strategy.h"
#include "observe.h"
#include "placement.h"
#include "state.h"

namespace ntrt {

class ContextJob;

// Buffers on the GPU of one run at a time, one per input and output.
struct RunBuffers {
  std::vector<DeviceBuffer> device;
  bool busy = false;
};

// What was set on TensorRT's context last.
struct Applied {
  std::vector<Dims> shapes;  // of inputs: set; of outputs: inferred. Rank -1: unknown
  std::vector<void const*> addresses;
  void forget(size_t count) {
    shapes.assign(count, Dims{-1, {}});
    addresses.assign(count, nullptr);
  }
};

// Graphs that `cudaGraph: true` captured, latest first.
struct GraphCache {
  struct Entry {
    std::vector<int64_t> key;  // shapes and addresses
    std::unique_ptr<CudaGraph> graph;  // null before the second run
  };
  size_t limit = 0;
  int64_t refits = 0;  // of the engine, when they were captured: TensorRT does not say that its graphs outlive a refit
  std::vector<Entry> entries;
};

struct ContextState {
  static constexpr char handle_kind[] = "an execution context";
  std::shared_ptr<EngineState> engine;
  std::unique_ptr<DebugTensors> debug;  // outlives TensorRT's context
  CreatedContext created;
  Stream compute;
  Stream in, out;  // of copies; the same as `compute` where one run is in flight at a time
  std::vector<Stream> auxiliary;
  std::shared_ptr<DeviceMemory> activations;  // shared with other contexts, or given; null for its own
  size_t memory_size = 0;                     // bytes of activations

  // Used by whose turn it is.
  Applied applied;
  std::vector<std::unique_ptr<OutputAllocator>> allocators;
  std::function<void*(size_t output, size_t bytes)> allocate;  // for outputs whose size depends on the data
  GraphCache graphs;
  // Why runs are not captured; empty if they are. For all threads.
  std::string graph_refusal();
  void refuse_graphs(std::string why);

  ~ContextState();

  ExecutionContext* handle() const { return created.context.get(); }
  bool copies_beside() const { return in.get() != nullptr; }
  Stream const& input_stream() const { return copies_beside() ? in : compute; }
  Stream const& output_stream() const { return copies_beside() ? out : compute; }

  // Queues the job, which may not be ready yet, or hands it to a thread at once.
  void add(std::shared_ptr<ContextJob> job);
  void look_again();
  // The same, once the engine's gate is open again.
  void enter_gate_again();
  // Whether one is on its way, and none waits.
  bool has_one_run();
  // The job with the ticket, if it still waits.
  std::shared_ptr<ContextJob> find(int64_t ticket);
  // Waits until all runs before have been submitted and takes the turn, with buffers if wanted.
  RunBuffers* wait_for_turn(bool with_buffers);
  // Ends the turn; the buffers, if any, stay in use until `end_run`.
  void end_turn();
  void end_run(RunBuffers* buffers);
  void remove(ContextJob const* job);

  std::vector<RunBuffers> run_buffers;
  std::shared_ptr<Pace> const pace = std::make_shared<Pace>();  // of runs, once submitted

 private:
  std::shared_ptr<ContextJob> next();
  RunBuffers* free_buffers();
  static void post(std::shared_ptr<ContextJob> const& job);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<ContextJob>> waiting_;
  std::string graph_refusal_;
  bool waits_at_gate_ = false;  // of the engine
  bool taken_ = false;
  int in_flight_ = 0;
};

// The turn of a context, while it exists.
struct ContextTurn {
  // Waits for it.
  ContextTurn(ContextState& context, bool with_buffers) : context(context), buffers(context.wait_for_turn(with_buffers)) {}
  ~ContextTurn() {
    context.end_turn();
    context.end_run(buffers);
  }
  ContextTurn(ContextTurn const&) = delete;
  ContextState& context;
  RunBuffers* const buffers;
};

// A job that works on a context when it is its turn.
class ContextJob : public Job {
 public:
  ContextJob(std::shared_ptr<ContextState> context, bool with_buffers, int64_t ticket) : context_(std::move(context)), with_buffers_(with_buffers), ticket_(ticket) {}
  // On the event loop: waits in the queue, and for those that use the same tensors on the GPU.
  void begin(Placements const& placements);
  void work() final;
  void leave() override;

 protected:
  // Submits; returns the event after which all is done. `buffers` is null for a job without them.
  virtual std::shared_ptr<Event> submit(RunBuffers* buffers) = 0;
  ContextState& context() const { return *context_; }
  std::shared_ptr<ContextState> const context_;

 private:
  friend struct ContextState;
  void expect_end(Pace::Duration within);
  bool waits_for(std::shared_ptr<Event> const& done, std::chrono::steady_clock::time_point begun, std::chrono::steady_clock::time_point submitted);
  void complete(std::exception_ptr error);
  void end_turn();
  bool const with_buffers_;
  int64_t const ticket_;
  RunBuffers* buffers_ = nullptr;
  Turn tensors_;
  std::atomic<bool> is_ready_{false};
  std::atomic<bool> has_turn_{false};
  std::atomic<bool> is_running_{false};
};

// What a call does with memory on the GPU that others may use.
void use_tensors(Turn& turn, ContextState const& context, Placements const& placements);

// Turns a lost CUDA context into the error that says how to go on; rethrows all others.
[[noreturn]] void rethrow_run_error(EngineState const& engine);

Napi::Value create_context(Napi::CallbackInfo const& info);

}  // namespace ntrt
