#include "../layers.h"

namespace ntrt {

Layer* lower_softmax(Lowering& l, Node const& node) {
  // TensorRT does not take vectors: make it a column.
  bool const vector = node.outputs[0].shape.size() == 1;
  Tensor* input = l.input(node, 0);
  if (vector) input = l.helper(node, l.reshape(input, {0, 1}), "column");
  Layer* layer = l.add<m::Network::addSoftMax>(input);
  if (layer) l.call<m::SoftMaxLayer::setAxes>(layer, 1u << node.params.integer("axis"));
  return vector ? l.reshape(l.helper(node, layer, "softmax"), {0}) : layer;
}

}  // namespace ntrt
