// TensorRT's IRefitter for an engine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../program/graph.h"
#include "../runtime/state.h"

namespace ntrt {

// Called on the engine lane, inside the library.
class EngineRefitter {
 public:
  // Throws ERR_REFIT if the engine was not built to be refitted.
  explicit EngineRefitter(EngineState const& engine);

  struct Named {
    std::string name;
    std::string dtype;  // empty if TensorRT does not say
    int64_t count = 0;
  };
  // All weights that can be given.
  std::vector<Named> all() const;
  // Those that TensorRT needs beside the ones that were set.
  std::vector<std::string> missing() const;

  // Gives elements, which must stay as they are until `refit` returns. Throws ERR_REFIT if TensorRT refuses them.
  void set(Weight const& weight);
  // Replaces the weights. False if TensorRT failed, which may have replaced some.
  bool refit();

  // Threads that TensorRT may use, and whether it looks for elements that it cannot represent.
  void configure(int32_t threads, bool validates);

 private:
  template <class M>
  std::vector<std::string> names() const;

  Api const& api_;
  Owned<Refitter> refitter_;
};

}  // namespace ntrt
