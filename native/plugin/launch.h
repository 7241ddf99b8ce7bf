// The launches of a recipe for known sizes.
#pragma once

#include "expression.h"
#include "parts.h"

namespace ntrt {

// Memory of a plugin, as TensorRT gives it to enqueue.
struct PluginMemory {
  void const* const* inputs = nullptr;
  void* const* outputs = nullptr;
  void* workspace = nullptr;
};

// A kernel launch or a fill, ready but for the addresses.
struct Launch {
  Recipe::Step const* step = nullptr;
  uint32_t grid[3] = {};
  uint32_t block[3] = {};
  uint32_t shared = 0;            // dynamic shared memory, bytes
  uint64_t bytes = 0;             // of a fill
  std::vector<uint64_t> slots;    // the arguments' bytes; none is wider
  std::vector<void*> addresses;   // of the slots, for cuLaunchKernel

  struct Place {
    Recipe::Pointer::To to;
    uint32_t index;   // of an input or output
    uint64_t offset;  // in the workspace, bytes
    void* in(PluginMemory const& memory) const;
  };
  std::vector<std::pair<uint32_t, Place>> pointers;  // by slot
  Place target{};                                    // of a fill

  void set_addresses(PluginMemory const& memory) {
    for (auto const& [slot, place] : pointers) slots[slot] = reinterpret_cast<uint64_t>(place.in(memory));
  }
};

struct Launches {
  // An input, to the output that updates it, where the two have different memory.
  struct Copy {
    uint32_t input, output;
    uint64_t bytes;
  };
  std::vector<Copy> copies;  // before all launches
  std::vector<Launch> list;  // empty if there is nothing to compute
  uint64_t workspace = 0;    // bytes
};

// The launches of a tactic. `outputs`: the sizes of outputs as TensorRT has them, for those that `values` does not know; or null.
// Throws ERR_PLUGIN_RUN for a grid that CUDA does not take, an integer that does not fit, or a place outside the memory.
Launches make_launches(Recipe const& recipe, Values const& values, uint32_t tactic, std::vector<PluginAttribute> const& attributes, Dims const* outputs = nullptr);

// Bytes of an argument as the kernel gets it.
size_t argument_size(Recipe const& recipe, Recipe::Argument const& argument);
// "argument 3 (int32)", counted from 1 as people do.
std::string argument_title(Recipe const& recipe, Recipe::Argument const& argument, size_t index);

// Sizes of an output; of the dims in `outputs`, those that `values` does not know. Throws ERR_PLUGIN_RUN for one that neither knows.
std::vector<int64_t> output_shape(Recipe const& recipe, Values const& values, size_t output, Dims const* outputs = nullptr);
// Bytes of a tensor of a recipe's dtype.
uint64_t tensor_bytes(uint8_t dtype, int64_t elements);

}  // namespace ntrt
