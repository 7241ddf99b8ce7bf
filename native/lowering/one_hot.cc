#include "layers.h"

namespace ntrt {

Layer* lower_one_hot(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Tensor* depth = l.constant(node, {p.integer("depth")}, "depth", true, "int32");
  return l.add<m::Network::addOneHot>(l.input(node, 0), l.input(node, 1), depth, static_cast<int32_t>(p.integer("axis")));
}

}  // namespace ntrt
