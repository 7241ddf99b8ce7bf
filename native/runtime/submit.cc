#include "submission.h"

#include <algorithm>
#include <limits>

namespace ntrt {

size_t IOTensor::byte_size(Dims const& dims) const {
  size_t count = 1;
  for (int32_t k = 0; k < dims.rank; k++) {
    if (__builtin_mul_overflow(count, static_cast<size_t>(dims.d[k]), &count)) count = std::numeric_limits<size_t>::max();
  }
  if (count > std::numeric_limits<size_t>::max() / 64) throw Error("ERR_SHAPE", "tensor '" + name + "' is larger than any memory");
  return (count * static_cast<size_t>(bits) + 7) / 8;
}

namespace {

bool equal(Dims const& a, Dims const& b) { return a.rank == b.rank && std::equal(a.d, a.d + std::max(a.rank, 0), b.d); }

}  // namespace

std::shared_ptr<Event> Submission::submit(bool waits) {
  bool const changed = set_shapes();
  copy_in();
  if (c_.copies_beside() && copied_in_) c_.compute.wait(*Event::record(c_.in));
  set_addresses(true);
  if (changed || has_shape_inputs()) infer();
  for (size_t i = 0; i < io_.size(); i++) {
    if (!io_[i].input) prepare(i);
  }
  set_addresses(false);
  if (c_.activations) c_.activations->before_write(c_.compute);
  enqueue();
  std::shared_ptr<Event> computed;
  if (c_.copies_beside()) {
    computed = Event::record(c_.compute);
    c_.out.wait(*computed);
  }
  copy_out();
  if (waits) {
    c_.output_stream().synchronize("running the engine");
    tell_others(nullptr);
    return nullptr;
  }
  auto done = Event::record(c_.output_stream());
  tell_others(computed ? computed : done);
  return done;
}

void Submission::infer_only() {
  bool const changed = set_shapes();
  for (size_t i = 0; i < io_.size(); i++) {
    if (io_[i].input && io_[i].host) bring(i);
  }
  set_addresses(true);
  if (changed || has_shape_inputs()) infer();
}

bool Submission::set_shapes() {
  bool changed = false;
  for (size_t i = 0; i < io_.size(); i++) {
    if (!io_[i].input || equal(c_.applied.shapes[i], p_[i].shape)) continue;
    changed = true;
    c_.applied.shapes[i].rank = -1;
    Dims const shape = p_[i].shape;
    if (!call<m::ExecutionContext::setInputShape>(api_, c_.handle(), io_[i].name.c_str(), shape)) throw Error("ERR_SHAPE", "TensorRT refused the shape of input '" + io_[i].name + "'");
    c_.applied.shapes[i] = shape;
  }
  return changed;
}

void Submission::infer() {
  for (size_t i = 0; i < io_.size(); i++) {
    if (!io_[i].input) c_.applied.shapes[i].rank = -1;
  }
  std::vector<char const*> missing(io_.size());
  int32_t const count = call<m::ExecutionContext::inferShapes>(api_, c_.handle(), static_cast<int32_t>(missing.size()), missing.data());
  if (count < 0) throw Error("ERR_SHAPE", "TensorRT could not infer the shapes of the outputs from these inputs");
  if (count > 0) {
    std::string names;
    for (size_t i = 0; i < std::min(missing.size(), static_cast<size_t>(count)); i++) names += (i ? "', '" : "") + std::string(missing[i]);
    throw Error("ERR_SHAPE", "TensorRT needs the shape or the elements of input '" + names + "'");
  }
  for (size_t i = 0; i < io_.size(); i++) {
    if (io_[i].input) continue;
    c_.applied.shapes[i] = io_[i].alias >= 0 ? c_.applied.shapes[io_[i].alias] : call<m::ExecutionContext::getTensorShape>(api_, c_.handle(), io_[i].name.c_str());
  }
}

bool Submission::has_shape_inputs() const {
  return std::any_of(io_.begin(), io_.end(), [](IOTensor const& one) { return one.input && one.host; });
}

void Submission::set_addresses(bool inputs) {
  for (size_t i = 0; i < io_.size(); i++) {
    if (io_[i].input != inputs || (inputs && !addresses_[i]) || (!inputs && c_.allocators[i] && !is_known(o_.shapes[i]))) continue;
    // An address of host memory is set again, because its elements may have changed.
    if (c_.applied.addresses[i] == addresses_[i] && addresses_[i] && !io_[i].host) continue;
    if (!call<m::ExecutionContext::setTensorAddress>(api_, c_.handle(), io_[i].name.c_str(), addresses_[i])) {
      throw Error("ERR_RUN", std::string("TensorRT refused ") + (inputs ? "input '" : "output '") + io_[i].name + "'");
    }
    c_.applied.addresses[i] = addresses_[i];
  }
}

void Submission::tell_others(std::shared_ptr<Event> const& computed) {
  if (c_.activations) tell(*c_.activations, true, computed);
  for (size_t i = 0; i < io_.size(); i++) {
    auto const& device = o_.device[i] ? o_.device[i] : p_[i].device;
    if (device) tell(*device, !io_[i].input || is_in_place(i), computed);
  }
}

namespace {

// Runs `work` for a submission. After an error, nothing of it is on its way any more.
template <class F>
auto cleaning(ContextState& context, Placements const& placements, F&& work) {
  try {
    return work();
  } catch (...) {
    context.applied.forget(context.engine->io.size());
    // What was given to the GPU may still read the memory of this run.
    for (Stream const* stream : {&context.in, &context.compute, &context.out}) {
      if (stream->get()) driver().cuStreamSynchronize(stream->get());
    }
    finish_copies(placements);
    throw;
  }
}

}  // namespace

void tell(DeviceMemory& memory, bool written, std::shared_ptr<Event> const& event) {
  if (written && event) {
    memory.after_write(event);
  } else if (written) {
    memory.after_wait();
  } else if (event) {
    memory.after_read(event);
  }
}

std::shared_ptr<Event> submit_run(ContextState& context, RunBuffers* buffers, Placements const& placements, Outcome& outcome) {
  return cleaning(context, placements, [&] { return Submission(context, buffers, placements, outcome).submit(false); });
}

void run_and_wait(ContextState& context, RunBuffers* buffers, Placements const& placements, Outcome& outcome) {
  cleaning(context, placements, [&] { return Submission(context, buffers, placements, outcome).submit(true); });
}

CudaGraph capture_run(ContextState& context, RunBuffers& buffers, Placements const& placements) {
  return cleaning(context, placements, [&] {
    Outcome outcome;
    Submission submission(context, &buffers, placements, outcome);
    submission.submit(true);
    return submission.capture_whole();
  });
}

std::vector<Dims> infer_output_shapes(ContextState& context, Placements const& placements) {
  return cleaning(context, placements, [&] {
    Outcome outcome;
    Submission(context, nullptr, placements, outcome).infer_only();
    return context.applied.shapes;
  });
}

}  // namespace ntrt
