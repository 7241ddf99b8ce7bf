#include "../layers.h"

namespace ntrt {

Layer* lower_dynamic_quantize(Lowering& l, Node const& node) {
  auto const& p = node.params;
  int32_t const to = l.dtype(p.text("to"));
  int32_t const scale_type = l.dtype(p.text("scaleType"));
  auto const block = p.integers("blockShape");
  Tensor* x = l.input(node, 0);
  // The first adder takes blocks along one axis.
  int32_t axis = -1;
  bool one_axis = true;
  for (size_t i = 0; i < block.size(); i++) {
    if (block[i] == 1) continue;
    one_axis = one_axis && axis == -1 && block[i] > 0;
    axis = static_cast<int32_t>(i);
  }
  Layer* layer = one_axis && axis >= 0 ? l.add<m::Network::addDynamicQuantize>(x, axis, static_cast<int32_t>(block[axis]), to, scale_type)
                                       : l.add<m::Network::addDynamicQuantizeV2>(x, p.dims("blockShape"), to, scale_type);
  if (!layer) return nullptr;
  l.set_optional_inputs(node, layer, 1);
  return layer;
}

}  // namespace ntrt
