#include "../layers.h"

namespace ntrt {

Layer* lower_scatter(Lowering& l, Node const& node) {
  Layer* layer = l.add<m::Network::addScatter>(l.input(node, 0), l.input(node, 1), l.input(node, 2), l.enumerator("ScatterMode", node.params.text("mode")));
  if (layer) l.call<m::ScatterLayer::setAxis>(layer, static_cast<int32_t>(node.params.integer("axis")));
  return layer;
}

}  // namespace ntrt
