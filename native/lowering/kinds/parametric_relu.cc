#include "../layers.h"

namespace ntrt {

Layer* lower_parametric_relu(Lowering& l, Node const& node) {
  Tensor* slope = nullptr;
  if (l.weight(node, "slope")) {
    slope = l.helper(node, l.add<m::Network::addConstant>(node.params.dims("slopeShape"), l.weights(node, "slope")), "slope");
  } else {
    slope = l.input(node, 1);
  }
  return l.add<m::Network::addParametricReLU>(l.input(node, 0), slope);
}

}  // namespace ntrt
