// Layers whose indices come as int32, and from TensorRT 10.14 on as int64 too.
#pragma once

#include "../lower.h"

namespace ntrt {

// Binds output `index`, cast to int64 where the node wants that and the layer gave int32.
inline void finish_indices(Lowering& l, Node const& node, size_t index, Tensor* tensor) {
  if (tensor) tensor = l.cast(node, tensor, node.outputs[index].dtype, "cast");
  l.finish_output(node, index, tensor);
}

}  // namespace ntrt
