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

void read_input(Placement& placement, Given const& given, EngineState const& engine, IOTensor const& tensor) {
  placement.shape = read_shape(given.member("shape"), tensor.name);
  size_t const expected = tensor.byte_size(placement.shape);
  auto const memory = given.object().Get("memory");
  if (!memory.IsUndefined()) {
    place(placement, given.member("memory"), engine, tensor);
  } else {
    auto const data = given.member("data").bytes();
    placement.at = At::staged;
    placement.bytes = data.ByteLength();
    auto const transfer = given.object().Get("transfer");
    placement.transferred = transfer.IsBoolean() && transfer.As<Napi::Boolean>();
    placement.block = take_pinned(placement.bytes, engine.device);
    placement.copy = std::make_shared<PieceCopy>(placement.block->get(), data.Data(), placement.bytes);
  }
  if (placement.bytes < expected) {
    throw Error("ERR_FEED", "input '" + tensor.name + "' takes " + std::to_string(expected) + " bytes, given " + std::to_string(placement.bytes));
  }
  placement.bytes = expected;
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
  try {
    for (size_t i = 0; i < placements.size(); i++) {
      auto const item = given.item(static_cast<uint32_t>(i));
      auto const& tensor = engine.io[i];
      auto& placement = placements[i];
      if (tensor.input) {
        read_input(placement, item, engine, tensor);
      } else if (item.value().IsString()) {
        if (tensor.host) throw Error("ERR_OUTPUT", "output '" + tensor.name + "' is written in host memory: it cannot stay on the GPU");
        placement.at = At::fresh_device;
      } else if (!item.value().IsUndefined()) {
        place(placement, item.member("memory"), engine, tensor);
      }
    }
    check(placements);
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
