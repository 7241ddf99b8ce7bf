// Where the inputs and outputs of a run lie.
#pragma once

#include <memory>
#include <vector>

#include "../core/js.h"
#include "../cuda/copy.h"
#include "../cuda/device_memory.h"
#include "../cuda/host_memory.h"
#include "state.h"

namespace ntrt {

struct Placement {
  enum class At { fresh_host, fresh_device, staged, host, device };
  At at = At::fresh_host;
  Dims shape;        // of an input
  size_t bytes = 0;  // of an input: its size; of a given output: what it can hold
  std::shared_ptr<PinnedBlock> block;  // the copy of an ordinary array
  std::shared_ptr<PieceCopy> copy;     // under way
  bool transferred = false;            // the array stays as it is until the run ends
  std::shared_ptr<HostMemory> host;
  std::shared_ptr<DeviceMemory> device;
};

// One for each input and output, in the engine's order.
using Placements = std::vector<Placement>;

// Reads what JavaScript gives; starts to copy ordinary arrays. Throws ERR_FEED, ERR_OUTPUT, ERR_DISPOSED.
Placements read_placements(EngineState const& engine, Given const& given);

// Throws ERR_DISPOSED if one of the tensors was disposed.
void check(Placements const& placements);

// Copies along until all ordinary arrays are copied; those of the call: that JavaScript may change when it returns.
void finish_copies(Placements const& placements);
void finish_copies_of_call(Placements const& placements);

// Whether a run with them needs buffers of the context's.
bool needs_buffers(EngineState const& engine, Placements const& placements);

}  // namespace ntrt
