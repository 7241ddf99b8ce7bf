#include "submit.h"

#include <algorithm>
#include <limits>

#include "../plugin/failure.h"

namespace ntrt {

using At = Placement::At;

size_t IOTensor::byte_size(Dims const& dims) const {
  size_t count = 1;
  for (int32_t k = 0; k < dims.rank; k++) {
    if (__builtin_mul_overflow(count, static_cast<size_t>(dims.d[k]), &count)) count = std::numeric_limits<size_t>::max();
  }
  if (count > std::numeric_limits<size_t>::max() / 64) throw Error("ERR_SHAPE", "tensor '" + name + "' is larger than any memory");
  return (count * static_cast<size_t>(bits) + 7) / 8;
}

namespace {

bool is_known(Dims const& dims) {
  return dims.rank >= 0 && std::all_of(dims.d, dims.d + dims.rank, [](int64_t size) { return size >= 0; });
}

bool equal(Dims const& a, Dims const& b) { return a.rank == b.rank && std::equal(a.d, a.d + std::max(a.rank, 0), b.d); }

// What `work` puts on the stream, as a graph. A capture that fails leaves no stream capturing.
template <class F>
CudaGraph capture(Stream const& stream, F&& work) {
  stream.begin_capture();
  try {
    work();
  } catch (...) {
    CudaGraph::abandon_capture(stream);
    throw;
  }
  return CudaGraph::end_capture(stream);
}

// One run on its way to the GPU.
class Submission {
 public:
  Submission(ContextState& context, RunBuffers* slot, Placements const& placements, Outcome& outcome)
      : c_(context), engine_(*context.engine), io_(context.engine->io), api_(*context.engine->api), slot_(slot), p_(placements), o_(outcome) {
    o_.shapes.resize(io_.size());
    o_.blocks.resize(io_.size());
    o_.device.resize(io_.size());
    addresses_.resize(io_.size());
  }

  // Returns the event after which all is done, or null if it `waits` for that.
  std::shared_ptr<Event> submit(bool waits) {
    bool const changed = set_shapes();
    for (size_t i = 0; i < io_.size(); i++) {
      if (io_[i].input) bring(i);
    }
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
    for (size_t i = 0; i < io_.size(); i++) {
      if (!io_[i].input) fetch(i);
    }
    if (waits) {
      c_.output_stream().synchronize("running the engine");
      tell_others(nullptr);
      return nullptr;
    }
    auto done = Event::record(c_.output_stream());
    tell_others(computed ? computed : done);
    return done;
  }

  // The same run as a graph, right after it was submitted.
  CudaGraph capture_whole() {
    auto const refuse = [](std::string const& why) { return Error("ERR_CAPTURE", "the network cannot be captured: " + why); };
    if (depends_on_data_) throw refuse("the size of an output depends on the data");
    if (has_shape_inputs()) throw refuse("TensorRT reads an input in host memory");
    if (c_.debug) throw refuse("debug tensors are reported while the run is enqueued");
    capturing_ = true;
    try {
      return capture(c_.compute, [&] {
        for (size_t i = 0; i < io_.size(); i++) {
          if (io_[i].input) bring(i);
        }
        enqueue_plainly();
        for (size_t i = 0; i < io_.size(); i++) {
          if (!io_[i].input) fetch(i);
        }
      });
    } catch (Error const& error) {
      if (error.code == "ERR_CUDA_CONTEXT_LOST") throw;
      throw refuse(error.what());
    }
  }

  // Shapes of the outputs, without a run.
  void infer_only() {
    bool const changed = set_shapes();
    for (size_t i = 0; i < io_.size(); i++) {
      if (io_[i].input && io_[i].host) bring(i);
    }
    set_addresses(true);
    if (changed || has_shape_inputs()) infer();
  }

 private:
  bool set_shapes() {
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

  // Once all inputs are set: finds errors that TensorRT would otherwise report as a failed run.
  void infer() {
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

  bool has_shape_inputs() const {
    return std::any_of(io_.begin(), io_.end(), [](IOTensor const& one) { return one.input && one.host; });
  }

  // Lets others use the memory after the event, or now if it is null.
  void tell_others(std::shared_ptr<Event> const& computed) {
    if (c_.activations) tell(*c_.activations, true, computed);
    for (size_t i = 0; i < io_.size(); i++) {
      auto const& device = o_.device[i] ? o_.device[i] : p_[i].device;
      if (device) tell(*device, !io_[i].input || is_in_place(i), computed);
    }
  }

  // Whether the input is a tensor on the GPU that the run writes as an output.
  bool is_in_place(size_t input) const {
    int32_t const output = io_[input].alias;
    return output >= 0 && p_[input].device && p_[input].device == p_[output].device;
  }

  Stream const& input_stream() const { return capturing_ ? c_.compute : c_.input_stream(); }
  Stream const& output_stream() const { return capturing_ ? c_.compute : c_.output_stream(); }

  // Gives the input its address, and copies what is not there yet.
  void bring(size_t i) {
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

  // Memory for an input that is copied: that of the output which works in place, or the slot's.
  void* home_of(size_t i) {
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

  DeviceBuffer& buffer(size_t i) {
    if (!slot_) throw Error("ERR_INTERNAL", "a run that needs buffers has no slot");
    return slot_->device[i];
  }

  void require_room(size_t i, size_t bytes) const {
    if (bytes <= p_[i].bytes) return;
    throw Error("ERR_OUTPUT", "output '" + io_[i].name + "' takes " + std::to_string(bytes) + " bytes, and the tensor given for it holds " + std::to_string(p_[i].bytes));
  }

  void prepare(size_t i) {
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

  void* host_memory(size_t i) const { return p_[i].at == At::host ? p_[i].host->block->get() : o_.blocks[i]->get(); }

  // Memory on the GPU for an output of at most this size.
  void* target(size_t i, size_t bytes) {
    if (p_[i].at == At::device) {
      require_room(i, bytes);
      if (!capturing_) p_[i].device->before_write(c_.compute);
      return p_[i].device->get();
    }
    if (p_[i].at != At::fresh_device) return buffer(i).reserve(bytes);
    o_.device[i] = DeviceMemory::allocate(engine_.device, bytes, &c_.compute);
    return o_.device[i]->get();
  }

  // The size depends on the data: TensorRT requests memory while it enqueues, and reports the shape.
  void prepare_allocator(size_t i) {
    if (!c_.allocators[i]) {
      c_.allocators[i] = std::make_unique<OutputAllocator>(api_.flavor, [&c = c_, i](uint64_t bytes) { return c.allocate(i, bytes); });
      if (!call<m::ExecutionContext::setOutputAllocator>(api_, c_.handle(), io_[i].name.c_str(), static_cast<void*>(c_.allocators[i].get()))) {
        c_.allocators[i] = nullptr;
        throw Error("ERR_RUN", "TensorRT refused an allocator for output '" + io_[i].name + "'");
      }
    }
    c_.allocators[i]->shape = Dims{-1, {}};
  }

  void set_addresses(bool inputs) {
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

  void enqueue() {
    if (c_.graphs.limit && replay()) return;
    enqueue_plainly();
  }

  void enqueue_plainly() {
    std::exception_ptr failed;
    c_.allocate = [&](size_t i, size_t bytes) -> void* {
      try {
        return target(i, bytes);
      } catch (...) {
        failed = std::current_exception();
        return nullptr;
      }
    };
    take_failure();
    bool const enqueued = call<m::ExecutionContext::enqueueV3>(api_, c_.handle(), c_.compute.get());
    c_.allocate = nullptr;
    if (c_.debug) o_.debug = c_.debug->take();
    if (enqueued) return;
    if (failed) std::rethrow_exception(failed);
    auto const failure = take_failure();
    CUresult const result = driver().cuStreamSynchronize(c_.compute.get());
    if (failure) throw *failure;
    if (is_sticky(result)) check_cuda(result, "running the engine");
    throw Error("ERR_RUN", "TensorRT could not run the engine");
  }

  // Launches a graph for these shapes and addresses. The first run of its kind is a plain one, the second is captured.
  bool replay() {
    if (depends_on_data_) return refuse_graphs("the size of an output depends on the data");
    if (has_shape_inputs()) return refuse_graphs("TensorRT reads an input in host memory");
    if (c_.debug) return refuse_graphs("debug tensors are reported while the run is enqueued");
    std::vector<int64_t> key;
    for (size_t i = 0; i < io_.size(); i++) {
      key.push_back(reinterpret_cast<int64_t>(addresses_[i]));
      if (io_[i].input) key.insert(key.end(), p_[i].shape.d, p_[i].shape.d + p_[i].shape.rank);
    }
    auto& entries = c_.graphs.entries;
    auto found = std::find_if(entries.begin(), entries.end(), [&](GraphCache::Entry const& one) { return one.key == key; });
    if (found == entries.end()) {
      if (entries.size() == c_.graphs.limit) entries.pop_back();
      entries.insert(entries.begin(), {std::move(key), nullptr});
      return false;
    }
    std::rotate(entries.begin(), found, found + 1);
    auto& entry = entries.front();
    if (!entry.graph) {
      try {
        entry.graph = std::make_unique<CudaGraph>(capture(c_.compute, [&] { enqueue_plainly(); }));
      } catch (Error const& error) {
        if (error.code == "ERR_CUDA_CONTEXT_LOST") throw;
        return refuse_graphs(error.what());
      }
    }
    entry.graph->launch(c_.compute);
    return true;
  }

  bool refuse_graphs(std::string const& why) {
    c_.refuse_graphs(why);
    return false;
  }

  void fetch(size_t i) {
    auto const& tensor = io_[i];
    if (c_.allocators[i] && !is_known(o_.shapes[i])) o_.shapes[i] = c_.allocators[i]->shape;
    if (!is_known(o_.shapes[i])) throw Error("ERR_RUN", "TensorRT did not tell the shape of output '" + tensor.name + "'");
    if (p_[i].at == At::device || p_[i].at == At::fresh_device || tensor.host) return;
    size_t const bytes = tensor.byte_size(o_.shapes[i]);
    if (p_[i].at == At::host) require_room(i, bytes);
    if (p_[i].at == At::fresh_host && !o_.blocks[i]) o_.blocks[i] = take_pinned(bytes, engine_.device);
    void* const to = host_memory(i);
    size_t const home = tensor.alias >= 0 ? static_cast<size_t>(tensor.alias) : i;
    if (bytes) output_stream().to_host(to, buffer(home).get(), bytes, "copying an output from the GPU");
  }

  ContextState& c_;
  EngineState& engine_;
  std::vector<IOTensor> const& io_;
  Api const& api_;
  RunBuffers* slot_;
  Placements const& p_;
  Outcome& o_;
  std::vector<void*> addresses_;
  bool copied_in_ = false;
  bool depends_on_data_ = false;
  bool capturing_ = false;
};

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

std::shared_ptr<Event> submit_run(ContextState& context, RunBuffers* slot, Placements const& placements, Outcome& outcome) {
  return cleaning(context, placements, [&] { return Submission(context, slot, placements, outcome).submit(false); });
}

void run_and_wait(ContextState& context, RunBuffers* slot, Placements const& placements, Outcome& outcome) {
  cleaning(context, placements, [&] { return Submission(context, slot, placements, outcome).submit(true); });
}

CudaGraph capture_run(ContextState& context, RunBuffers& slot, Placements const& placements) {
  return cleaning(context, placements, [&] {
    Outcome outcome;
    Submission submission(context, &slot, placements, outcome);
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
