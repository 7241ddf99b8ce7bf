#include "../layers.h"

namespace ntrt {

Layer* lower_activation(Lowering& l, Node const& node) {
  Layer* layer = l.add<m::Network::addActivation>(l.input(node, 0), l.enumerator("ActivationType", node.params.text("type")));
  if (!layer) return nullptr;
  l.call<m::ActivationLayer::setAlpha>(layer, static_cast<float>(node.params.real("alpha")));
  l.call<m::ActivationLayer::setBeta>(layer, static_cast<float>(node.params.real("beta")));
  return layer;
}

}  // namespace ntrt
