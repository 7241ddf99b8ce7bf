#include "../layers.h"

namespace ntrt {

Layer* lower_dequantize(Lowering& l, Node const& node) {
  Layer* layer = l.add<m::Network::addDequantizeV2>(l.input(node, 0), l.input(node, 1), l.dtype(node.params.text("to")));
  if (!layer) return nullptr;
  if (node.params.integer("axis") >= 0) l.call<m::DequantizeLayer::setAxis>(layer, static_cast<int32_t>(node.params.integer("axis")));
  if (node.params.has("blockShape")) l.call<m::DequantizeLayer::setBlockShape>(layer, node.params.dims("blockShape"));
  l.set_optional_inputs(node, layer, 2);
  return layer;
}

}  // namespace ntrt
