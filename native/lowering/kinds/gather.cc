#include "../layers.h"

namespace ntrt {

Layer* lower_gather(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Layer* layer = l.add<m::Network::addGatherV2>(l.input(node, 0), l.input(node, 1), l.enumerator("GatherMode", p.text("mode")));
  if (!layer) return nullptr;
  l.call<m::GatherLayer::setGatherAxis>(layer, static_cast<int32_t>(p.integer("axis")));
  l.call<m::GatherLayer::setNbElementWiseDims>(layer, static_cast<int32_t>(p.integer("elementWiseDims")));
  return layer;
}

}  // namespace ntrt
