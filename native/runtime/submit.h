// Gives one run to TensorRT and the GPU.
#pragma once

#include "context.h"

namespace ntrt {

// What a run makes, in the engine's order; inputs have empty places.
struct Outcome {
  std::vector<Dims> shapes;
  std::vector<std::shared_ptr<PinnedBlock>> blocks;    // of outputs in new host memory
  std::vector<std::shared_ptr<DeviceMemory>> device;   // of outputs in new device memory
  std::vector<DebugTensor> debug;
};

// Submits a run, on a thread whose turn it is. Returns the event after which all is done. After an error nothing of it is on
// its way any more.
std::shared_ptr<Event> submit_run(ContextState& context, RunBuffers* buffers, Placements const& placements, Outcome& outcome);

// The same, and waits until all is done.
void run_and_wait(ContextState& context, RunBuffers* buffers, Placements const& placements, Outcome& outcome);

// Lets others use memory that work has read or written: after the event, or now if it is null.
void tell(DeviceMemory& memory, bool written, std::shared_ptr<Event> const& event);

// Runs once, then makes a graph of the run: its copies and its work. The buffers are the graph's own. Throws ERR_CAPTURE.
CudaGraph capture_run(ContextState& context, RunBuffers& buffers, Placements const& placements);

// The output shapes that TensorRT infers for the inputs' shapes; -1 where they depend on data. By whose turn it is.
std::vector<Dims> infer_output_shapes(ContextState& context, Placements const& placements);

}  // namespace ntrt
