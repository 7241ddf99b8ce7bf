#include "../shared/indices.h"
#include "../layers.h"

namespace ntrt {

Layer* lower_non_zero(Lowering& l, Node const& node) {
  Layer* layer = l.add<m::Network::addNonZero>(l.input(node, 0));
  if (!layer) return nullptr;
  if (l.api.has(m::NonZeroLayer::setIndicesType::info)) l.call<m::NonZeroLayer::setIndicesType>(layer, l.dtype(node.params.text("indices")));
  l.call<m::Layer::setName>(layer, node.name.c_str());
  finish_indices(l, node, 0, l.call<m::Layer::getOutput>(layer, 0));
  return nullptr;
}

}  // namespace ntrt
