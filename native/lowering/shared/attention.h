// When an attention, and what belongs to it, is composed of other layers though the release has the layer.
#pragma once

#include "../lower.h"

namespace ntrt {

inline bool is_composed_attention(Lowering& l, Node const& node) {
  auto const& p = node.params;
  if (l.api.flavor == Flavor::trt10 && p.text("causalKind") == "lower_right") return true;
  if (p.text("queryForm") != "padded_bhnd" || p.text("keyValueForm") != "padded_bhnd") return false;
  // TensorRT-RTX 1.7 does not find the inputs of an attention in a loop or branch.
  if (l.api.flavor == Flavor::rtx1 && l.is_nested()) return true;
  Dims const query = l.call<m::Tensor::getDimensions>(l.input(node, 0)), key = l.call<m::Tensor::getDimensions>(l.input(node, 1));
  Dims const value = l.call<m::Tensor::getDimensions>(l.input(node, 2));
  // It requires even -1, a dynamic number of heads, to be a multiple of the key's; and values of the same size as keys.
  return (query.d[1] < 0 && key.d[1] > 1) || key.d[3] != value.d[3];
}

// TensorRT-RTX 1.7 does not resolve the shapes of one in a loop or branch.
inline bool is_composed_rotary_embedding(Lowering& l) { return l.api.flavor == Flavor::rtx1 && l.is_nested(); }

// TensorRT's layer takes an input of the network alone as its cache.
inline bool is_composed_cache_update(Lowering& l, Node const& node) { return l.is_nested() && node.params.text("updateForm") == "padded_bhnd"; }

}  // namespace ntrt
