// A CUDA graph, ready to launch.
#pragma once

#include <utility>

#include "stream.h"

namespace ntrt {

class CudaGraph {
 public:
  // No graph yet.
  CudaGraph() = default;
  // Ends the stream's capture, whether or not it worked. Throws ERR_CAPTURE.
  static CudaGraph end_capture(Stream const& stream);
  // Ends a capture that failed, if there is one.
  static void abandon_capture(Stream const& stream) noexcept;
  CudaGraph(CudaGraph&& other) noexcept { *this = std::move(other); }
  CudaGraph& operator=(CudaGraph&& other) noexcept {
    std::swap(graph_, other.graph_);
    std::swap(device_, other.device_);
    return *this;
  }
  // Launches that are under way go on.
  ~CudaGraph();
  explicit operator bool() const { return graph_ != nullptr; }

  // Prepares the first launch.
  void upload(Stream const& stream) const;
  void launch(Stream const& stream) const;

 private:
  CUgraphExec graph_ = nullptr;
  int device_ = 0;
};

}  // namespace ntrt
