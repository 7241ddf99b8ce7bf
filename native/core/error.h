// The addon's only exception.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace ntrt {

// A layer of the network, by its name and kind in JavaScript; empty for none.
struct LayerRef {
  std::string name;
  std::string kind;
};

// An error with a stable code; it reaches JavaScript as a TensorRTError.
struct Error : std::runtime_error {
  std::string code;
  LayerRef layer;
  Error(std::string code, std::string const& message, LayerRef layer = {}) : std::runtime_error(message), code(std::move(code)), layer(std::move(layer)) {}
};

}  // namespace ntrt
