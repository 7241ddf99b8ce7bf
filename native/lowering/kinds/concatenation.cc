#include "../layers.h"

namespace ntrt {

Layer* lower_concatenation(Lowering& l, Node const& node) {
  std::vector<Tensor*> inputs;
  for (size_t i = 0; i < node.inputs.size(); i++) inputs.push_back(l.input(node, i));
  Layer* layer = l.add<m::Network::addConcatenation>(static_cast<Tensor* const*>(inputs.data()), static_cast<int32_t>(inputs.size()));
  if (layer) l.call<m::ConcatenationLayer::setAxis>(layer, static_cast<int32_t>(node.params.integer("axis")));
  return layer;
}

}  // namespace ntrt
