#include "../layers.h"

namespace ntrt {

Layer* lower_one_hot(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Tensor* depth = l.constant(node, {p.integer("depth")}, "depth", true, "int32");
  Tensor* indices = l.input(node, 0);
  // These are the dtypes TensorRT documents; TensorRT-RTX also takes int64.
  if (l.api.flavor != Flavor::rtx1) indices = l.cast(node, indices, "int32", "indices");
  return l.add<m::Network::addOneHot>(indices, l.input(node, 1), depth, static_cast<int32_t>(p.integer("axis")));
}

}  // namespace ntrt
