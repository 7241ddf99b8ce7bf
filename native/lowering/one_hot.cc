#include "layers.h"

namespace ntrt {

Layer* lower_one_hot(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Tensor* depth = l.constant(node, {p.integer("depth")}, "depth", true, "int32");
  Tensor* indices = l.input(node, 0);
  // All that TensorRT documents; TensorRT-RTX takes int64, too.
  int32_t const narrow = l.dtype("int32");
  if (l.api.flavor != Flavor::rtx1 && l.call<m::Tensor::getType>(indices) != narrow) indices = l.helper(node, l.add<m::Network::addCast>(indices, narrow), "indices");
  return l.add<m::Network::addOneHot>(indices, l.input(node, 1), depth, static_cast<int32_t>(p.integer("axis")));
}

}  // namespace ntrt
