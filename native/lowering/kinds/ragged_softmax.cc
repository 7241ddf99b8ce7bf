#include "../layers.h"

namespace ntrt {

Layer* lower_ragged_softmax(Lowering& l, Node const& node) {
  // TensorRT 10.6 has no float16 kernel: run it in float32.
  bool const wide = l.api.flavor == Flavor::trt10 && node.outputs[0].dtype == "float16";
  Tensor* input = l.input(node, 0);
  if (wide) input = l.cast(node, input, "float32", "float32");
  Layer* layer = l.add<m::Network::addRaggedSoftMax>(input, l.input(node, 1));
  return layer && wide ? l.add<m::Network::addCast>(l.helper(node, layer, "softmax"), l.dtype("float16")) : layer;
}

}  // namespace ntrt
