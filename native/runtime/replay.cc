// Giving a run to TensorRT, plainly or as a CUDA graph.
#include "submission.h"

#include <algorithm>
#include <utility>

#include "../plugin/failure.h"

namespace ntrt {

namespace {

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

}  // namespace

char const* Submission::hindrance() const {
  if (depends_on_data_) return "the size of an output depends on the data";
  if (has_shape_inputs()) return "TensorRT reads an input in host memory";
  if (c_.debug) return "debug tensors are reported while the run is enqueued";
  return nullptr;
}

CudaGraph Submission::capture_whole() {
  auto const refuse = [](std::string const& why) { return Error("ERR_CAPTURE", "the network cannot be captured: " + why); };
  if (char const* const why = hindrance()) throw refuse(why);
  capturing_ = true;
  try {
    return capture(c_.compute, [&] {
      copy_in();
      enqueue_plainly();
      copy_out();
    });
  } catch (Error const& error) {
    if (error.code == "ERR_CUDA_CONTEXT_LOST") throw;
    throw refuse(error.what());
  }
}

CudaGraph Submission::capture_enqueue() {
  if (depends_on_data_ || c_.debug) throw Error("ERR_CAPTURE", hindrance());
  return capture(c_.compute, [&] { enqueue_plainly(); });
}

void Submission::enqueue() {
  if (c_.graphs.limit && replay()) return;
  enqueue_plainly();
}

void Submission::enqueue_plainly() {
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

bool Submission::replay() {
  if (char const* const why = hindrance()) return refuse_graphs(why);
  std::vector<int64_t> key;
  for (size_t i = 0; i < io_.size(); i++) {
    key.push_back(reinterpret_cast<int64_t>(addresses_[i]));
    if (io_[i].input) key.insert(key.end(), p_[i].shape.d, p_[i].shape.d + p_[i].shape.rank);
  }
  auto& entries = c_.graphs.entries;
  if (int64_t const refits = c_.engine->refits; std::exchange(c_.graphs.refits, refits) != refits) entries.clear();
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

bool Submission::refuse_graphs(std::string const& why) {
  c_.refuse_graphs(why);
  return false;
}

}  // namespace ntrt
