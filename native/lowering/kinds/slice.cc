#include "../layers.h"

namespace ntrt {

Layer* lower_slice(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Dims any;
  any.rank = l.call<m::Tensor::getDimensions>(l.input(node, 0)).rank;
  auto const part = [&](char const* name) { return p.has(name) ? p.dims(name) : any; };
  Layer* layer = l.add<m::Network::addSlice>(l.input(node, 0), part("start"), part("size"), part("stride"));
  if (!layer) return nullptr;
  l.call<m::SliceLayer::setMode>(layer, l.enumerator("SampleMode", p.text("mode")));
  l.set_optional_inputs(node, layer, 1);
  return layer;
}

}  // namespace ntrt
