#include "../layers.h"

namespace ntrt {

Layer* lower_reduce(Lowering& l, Node const& node) {
  uint32_t mask = 0;
  for (int64_t axis : node.params.integers("axes")) mask |= 1u << axis;
  // TensorRT does not reduce scalars, whose reduction is the scalar itself.
  if (mask == 0) return l.add<m::Network::addIdentity>(l.input(node, 0));
  return l.add<m::Network::addReduce>(l.input(node, 0), l.enumerator("ReduceOperation", node.params.text("operation")), mask, node.params.flag("keepDims"));
}

}  // namespace ntrt
