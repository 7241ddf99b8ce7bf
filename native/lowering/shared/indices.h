// Layers whose indices are int32, or also int64 from TensorRT 10.14 on.
#pragma once

#include "../lower.h"

namespace ntrt {

// Binds output `index`, cast to int64 if the node expects int64 and the layer returned int32.
inline void finish_indices(Lowering& l, Node const& node, size_t index, Tensor* tensor) {
  if (tensor) tensor = l.cast(node, tensor, node.outputs[index].dtype, "cast");
  l.finish_output(node, index, tensor);
}

}  // namespace ntrt
