// One run on its way to the GPU: what submit.cc, run_tensors.cc and replay.cc share.
#pragma once

#include "submit.h"

namespace ntrt {

class Submission {
 public:
  Submission(ContextState& context, RunBuffers* buffers, Placements const& placements, Outcome& outcome)
      : c_(context), engine_(*context.engine), io_(context.engine->io), api_(*context.engine->api), buffers_(buffers), p_(placements), o_(outcome) {
    o_.shapes.resize(io_.size());
    o_.blocks.resize(io_.size());
    o_.device.resize(io_.size());
    addresses_.resize(io_.size());
  }

  // Returns the event after which all is done, or null if it `waits` for that.
  std::shared_ptr<Event> submit(bool waits);
  // The same run as a graph, right after it was submitted.
  CudaGraph capture_whole();
  // Shapes of the outputs, without a run.
  void infer_only();

  // The parts of a run that `submit` has prepared, to do them again: by who has had the turn since.
  void copy_in();
  void enqueue_plainly();
  void copy_out();
  // What `enqueue_plainly` does, as a graph. What TensorRT reads in host memory stays as it is now. Throws ERR_CAPTURE.
  CudaGraph capture_enqueue();

 private:
  // Whether one is another than before.
  bool set_shapes();
  // Once all inputs are set: finds errors that TensorRT would otherwise report as a failed run.
  void infer();
  bool has_shape_inputs() const;
  void set_addresses(bool inputs);
  // Lets others use the memory after the event, or now if it is null.
  void tell_others(std::shared_ptr<Event> const& computed);

  // Whether the input is a tensor on the GPU that the run writes as an output.
  bool is_in_place(size_t input) const;
  // Gives the input its address, and copies what is not there yet.
  void bring(size_t input);
  // Memory for an input that is copied: that of the output which works in place, or a buffer of the run's.
  void* home_of(size_t input);
  // Gives the output its address, if its size is known.
  void prepare(size_t output);
  // The size depends on the data: TensorRT requests memory while it enqueues, and reports the shape.
  void prepare_allocator(size_t output);
  // Memory on the GPU for an output of at most this size.
  void* target(size_t output, size_t bytes);
  void* host_memory(size_t output) const;
  void require_room(size_t output, size_t bytes) const;
  // Copies the output to the host, if it goes there.
  void fetch(size_t output);
  DeviceBuffer& buffer(size_t i);
  Stream const& input_stream() const { return capturing_ ? c_.compute : c_.input_stream(); }
  Stream const& output_stream() const { return capturing_ ? c_.compute : c_.output_stream(); }

  void enqueue();
  // Why the run can be no graph; null if nothing is known to be in the way.
  char const* hindrance() const;
  // Launches a graph for these shapes and addresses. The first run of its kind is a plain one, the second is captured.
  bool replay();
  bool refuse_graphs(std::string const& why);

  ContextState& c_;
  EngineState& engine_;
  std::vector<IOTensor> const& io_;
  Api const& api_;
  RunBuffers* buffers_;
  Placements const& p_;
  Outcome& o_;
  std::vector<void*> addresses_;
  bool copied_in_ = false;
  bool depends_on_data_ = false;
  bool capturing_ = false;
};

}  // namespace ntrt
