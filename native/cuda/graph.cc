#include "graph.h"

#include "../core/error.h"
#include "device.h"

namespace ntrt {

namespace {

void check_capture(CUresult result, char const* what) {
  if (result == 0) return;
  if (is_sticky(result)) check_cuda(result, what);
  throw Error("ERR_CAPTURE", std::string(what) + " failed: " + describe_cuda(result));
}

struct Captured {
  CUgraph graph = nullptr;
  ~Captured() {
    if (graph) driver().cuGraphDestroy(graph);
  }
};

}  // namespace

CudaGraph CudaGraph::end_capture(Stream const& stream) {
  Captured captured;
  check_capture(driver().cuStreamEndCapture(stream.get(), &captured.graph), "capturing");
  CudaGraph graph;
  graph.device_ = stream.device();
  check_capture(driver().cuGraphInstantiateWithFlags(&graph.graph_, captured.graph, 0), "making a graph of what was captured");
  return graph;
}

void CudaGraph::abandon_capture(Stream const& stream) noexcept {
  if (!stream.is_capturing()) return;
  Captured captured;
  driver().cuStreamEndCapture(stream.get(), &captured.graph);
}

CudaGraph::~CudaGraph() {
  if (!graph_) return;
  try {
    OnDevice const on(device_);
    driver().cuGraphExecDestroy(graph_);
  } catch (...) {
  }
}

void CudaGraph::upload(Stream const& stream) const { check_cuda(driver().cuGraphUpload(graph_, stream.get()), "uploading a graph"); }

void CudaGraph::launch(Stream const& stream) const { check_cuda(driver().cuGraphLaunch(graph_, stream.get()), "launching a graph"); }

}  // namespace ntrt
