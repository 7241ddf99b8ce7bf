#include "placement.h"

#include <limits>

#include "../core/handle.h"

namespace ntrt {

namespace {

using At = Placement::At;

// The memory of a host or device tensor.
void place(Placement& placement, Given const& given, EngineState const& engine, IOTensor const& tensor) {
  Handle const& handle = handle_of(given, nullptr);
  if (handle.kind == HostMemory::handle_kind) {
    placement.at = At::host;
    placement.host = state_of<HostMemory>(given);
    placement.bytes = placement.host->bytes;
    return;
  }
  placement.at = At::device;
  placement.device = state_of<DeviceMemory>(given);
  placement.bytes = placement.device->bytes();
  char const* const code = tensor.input ? "ERR_FEED" : "ERR_OUTPUT";
  std::string const name = std::string(tensor.input ? "input '" : "output '") + tensor.name + "'";
  if (tensor.host) throw Error(code, name + " is read in host memory: give an array or a host tensor");
  if (placement.device->device() != engine.device) {
    throw Error(code, name + ": the tensor is on GPU " + std::to_string(placement.device->device()) + ", the engine on GPU " + std::to_string(engine.device));
  }
}

Dims read_shape(Given const& given, std::string const& name) {
  Dims shape;
  uint32_t const rank = given.list().Length();
  if (rank > 8) throw Error("ERR_SHAPE", "input '" + name + "' has " + std::to_string(rank) + " dims, TensorRT takes 8 at most");
  shape.rank = static_cast<int32_t>(rank);
  for (uint32_t d = 0; d < rank; d++) shape.d[d] = static_cast<int64_t>(given.item(d).size());
  return shape;
}

// Of an input: what its shape takes, which is what counts from now on.
void require_bytes(Placement& placement, IOTensor const& tensor) {
  size_t const expected = tensor.byte_size(placement.shape);
  if (placement.bytes < expected) {
    throw Error("ERR_FEED", "input '" + tensor.name + "' takes " + std::to_string(expected) + " bytes, given " + std::to_string(placement.bytes));
  }
  placement.bytes = expected;
}

// All but the elements of an ordinary array.
void read_input(Placement& placement, Given const& given, EngineState const& engine, IOTensor const& tensor) {
  placement.shape = read_shape(given.member("shape"), tensor.name);
  auto const memory = given.member("memory");
  if (!memory.value().IsUndefined()) {
    place(placement, memory, engine, tensor);
    return require_bytes(placement, tensor);
  }
  auto const transfer = given.member("transfer").value();
  placement.at = At::staged;
  placement.transferred = transfer.IsBoolean() && transfer.As<Napi::Boolean>();
}

// Starts to copy an ordinary array.
void stage(Placement& placement, Given const& given, EngineState const& engine, IOTensor const& tensor) {
  auto const data = given.bytes();
  placement.bytes = data.ByteLength();
  require_bytes(placement, tensor);
  placement.block = take_pinned(placement.bytes, engine.device);
  placement.copy = std::make_shared<PieceCopy>(placement.block->get(), data.Data(), placement.bytes);
}

}  // namespace

void check(Placements const& placements) {
  for (auto const& one : placements) {
    if ((one.host && one.host->disposed) || (one.device && one.device->disposed)) throw Error("ERR_DISPOSED", "a tensor of this run was disposed");
  }
}

Placements read_placements(EngineState const& engine, Given const& given) {
  if (given.list().Length() != engine.io.size()) given.refuse("a placement for each of " + std::to_string(engine.io.size()) + " inputs and outputs");
  Placements placements(engine.io.size());
  std::vector<std::pair<size_t, Given>> arrays;
  try {
    for (size_t i = 0; i < placements.size(); i++) {
      auto const item = given.item(static_cast<uint32_t>(i));
      auto const& tensor = engine.io[i];
      auto& placement = placements[i];
      if (tensor.input) {
        read_input(placement, item, engine, tensor);
        if (placement.at == At::staged) arrays.emplace_back(i, item.member("data"));
      } else if (item.value().IsString()) {
        if (tensor.host) throw Error("ERR_OUTPUT", "output '" + tensor.name + "' is written in host memory: it cannot stay on the GPU");
        placement.at = At::fresh_device;
      } else if (!item.value().IsUndefined()) {
        place(placement, item.member("memory"), engine, tensor);
      }
    }
    check(placements);
    // Last: a getter may detach an array that was read before.
    for (auto const& [i, data] : arrays) stage(placements[i], data, engine, engine.io[i]);
  } catch (...) {
    finish_copies(placements);  // nobody reads the arrays any more
    throw;
  }
  return placements;
}

void finish_copies(Placements const& placements) {
  for (auto const& one : placements) {
    if (one.copy) one.copy->finish();
  }
}

void finish_copies_of_call(Placements const& placements) {
  for (auto const& one : placements) {
    if (one.copy && !one.transferred) one.copy->finish();
  }
}

bool needs_buffers(EngineState const& engine, Placements const& placements) {
  for (size_t i = 0; i < placements.size(); i++) {
    if (!engine.io[i].host && placements[i].at != At::device && placements[i].at != At::fresh_device) return true;
  }
  return false;
}

}  // namespace ntrt
