// Where a run's inputs come from, and where its outputs go.
#include "submission.h"

namespace ntrt {

using At = Placement::At;

bool Submission::is_in_place(size_t input) const {
  int32_t const output = io_[input].alias;
  return output >= 0 && p_[input].device && p_[input].device == p_[output].device;
}

void Submission::copy_in() {
  for (size_t i = 0; i < io_.size(); i++) {
    if (io_[i].input) bring(i);
  }
}

void Submission::copy_out() {
  for (size_t i = 0; i < io_.size(); i++) {
    if (!io_[i].input) fetch(i);
  }
}

void Submission::bring(size_t i) {
  auto const& placement = p_[i];
  void const* from = placement.at == At::staged ? placement.block->get() : placement.at == At::host ? placement.host->block->get() : nullptr;
  if (io_[i].host) {
    if (placement.copy) placement.copy->finish();
    addresses_[i] = const_cast<void*>(from);
    return;
  }
  if (placement.at == At::device && (io_[i].alias < 0 || is_in_place(i))) {
    if (capturing_) {
      // Waits come before a launch, outside the graph.
    } else if (is_in_place(i)) {
      placement.device->before_write(c_.compute);
    } else {
      placement.device->before_read(c_.compute);
    }
    addresses_[i] = placement.device->get();
    return;
  }
  addresses_[i] = home_of(i);
  copied_in_ = true;
  Stream const& stream = input_stream();
  if (placement.at == At::device) {
    if (!capturing_) placement.device->before_read(stream);
    stream.device_to_device(addresses_[i], placement.device->get(), placement.bytes, "copying an input that is worked on in place");
  } else if (placement.copy) {
    for (size_t piece = 0; piece < placement.copy->pieces(); piece++) {
      placement.copy->wait(piece);
      auto const [offset, bytes] = placement.copy->range(piece);
      stream.to_device(static_cast<char*>(addresses_[i]) + offset, static_cast<char const*>(from) + offset, bytes, "copying an input to the GPU");
    }
  } else if (placement.bytes) {
    stream.to_device(addresses_[i], from, placement.bytes, "copying an input to the GPU");
  }
}

void* Submission::home_of(size_t i) {
  int32_t const output = io_[i].alias;
  size_t const bytes = p_[i].bytes;
  if (output >= 0 && p_[output].at == At::device) {
    require_room(output, bytes);
    if (!capturing_) p_[output].device->before_write(input_stream());
    return p_[output].device->get();
  }
  if (output >= 0 && p_[output].at == At::fresh_device) {
    o_.device[output] = DeviceMemory::allocate(engine_.device, bytes, &input_stream());
    return o_.device[output]->get();
  }
  return buffer(i).reserve(bytes);
}

void Submission::prepare(size_t i) {
  auto const& tensor = io_[i];
  Dims const& shape = c_.applied.shapes[i];
  o_.shapes[i] = shape;
  if (tensor.alias >= 0) {
    addresses_[i] = addresses_[tensor.alias];
    return;
  }
  if (!is_known(shape)) {
    depends_on_data_ = true;
    prepare_allocator(i);
    return;
  }
  size_t const bytes = tensor.byte_size(shape);
  if (p_[i].at == At::host) require_room(i, bytes);
  if (p_[i].at == At::fresh_host) o_.blocks[i] = take_pinned(bytes, engine_.device);
  addresses_[i] = tensor.host ? host_memory(i) : target(i, bytes);
}

void Submission::prepare_allocator(size_t i) {
  if (!c_.allocators[i]) {
    c_.allocators[i] = std::make_unique<OutputAllocator>(api_.flavor, [&c = c_, i](uint64_t bytes) { return c.allocate(i, bytes); });
    if (!call<m::ExecutionContext::setOutputAllocator>(api_, c_.handle(), io_[i].name.c_str(), static_cast<void*>(c_.allocators[i].get()))) {
      c_.allocators[i] = nullptr;
      throw Error("ERR_RUN", "TensorRT refused an allocator for output '" + io_[i].name + "'");
    }
  }
  c_.allocators[i]->shape = Dims{-1, {}};
}

void* Submission::target(size_t i, size_t bytes) {
  if (p_[i].at == At::device) {
    require_room(i, bytes);
    if (!capturing_) p_[i].device->before_write(c_.compute);
    return p_[i].device->get();
  }
  if (p_[i].at != At::fresh_device) return buffer(i).reserve(bytes);
  o_.device[i] = DeviceMemory::allocate(engine_.device, bytes, &c_.compute);
  return o_.device[i]->get();
}

void* Submission::host_memory(size_t i) const { return p_[i].at == At::host ? p_[i].host->block->get() : o_.blocks[i]->get(); }

void Submission::require_room(size_t i, size_t bytes) const {
  if (bytes <= p_[i].bytes) return;
  throw Error("ERR_OUTPUT", "output '" + io_[i].name + "' takes " + std::to_string(bytes) + " bytes, and the tensor given for it holds " + std::to_string(p_[i].bytes));
}

void Submission::fetch(size_t i) {
  auto const& tensor = io_[i];
  if (c_.allocators[i] && !is_known(o_.shapes[i])) o_.shapes[i] = c_.allocators[i]->shape;
  if (!is_known(o_.shapes[i])) throw Error("ERR_RUN", "TensorRT did not tell the shape of output '" + tensor.name + "'");
  if (p_[i].at == At::device || tensor.host) return;
  size_t const bytes = tensor.byte_size(o_.shapes[i]);
  if (p_[i].at == At::fresh_device) {
    // TensorRT may request no memory for an output without elements.
    if (!o_.device[i] && bytes) throw Error("ERR_RUN", "TensorRT requested no memory for output '" + tensor.name + "'");
    if (!o_.device[i]) o_.device[i] = DeviceMemory::allocate(engine_.device, bytes, &c_.compute);
    return;
  }
  if (p_[i].at == At::host) require_room(i, bytes);
  if (p_[i].at == At::fresh_host && !o_.blocks[i]) o_.blocks[i] = take_pinned(bytes, engine_.device);
  void* const to = host_memory(i);
  size_t const home = tensor.alias >= 0 ? static_cast<size_t>(tensor.alias) : i;
  if (bytes) output_stream().to_host(to, buffer(home).get(), bytes, "copying an output from the GPU");
}

DeviceBuffer& Submission::buffer(size_t i) {
  if (!buffers_) throw Error("ERR_INTERNAL", "a run that needs buffers has none");
  return buffers_->device[i];
}

}  // namespace ntrt
