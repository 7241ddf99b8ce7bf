// How a loop collects its outputs.
#pragma once

#include "../lower.h"

namespace ntrt {

// TensorRT 10.6 and RTX 1.7 build a loop that iterates over nothing only if it collects in order, along axis 0. Other outputs
// are collected so and then rearranged.
inline bool collects_in_order(Lowering& l, Node const& node) {
  Graph const& body = *node.bodies.at("body");
  for (auto i = static_cast<size_t>(node.params.integer("states")); i < body.inputs.size(); i++) {
    if (l.has_users(body.inputs[i].id)) return false;
  }
  return true;
}

inline bool is_rearranged(bool in_order, Params const& output) { return in_order && (output.flag("reverse") || output.integer("axis") != 0); }

}  // namespace ntrt
