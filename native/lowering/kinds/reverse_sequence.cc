#include "../layers.h"

namespace ntrt {

Layer* lower_reverse_sequence(Lowering& l, Node const& node) {
  Layer* layer = l.add<m::Network::addReverseSequence>(l.input(node, 0), l.input(node, 1));
  if (!layer) return nullptr;
  l.call<m::ReverseSequenceLayer::setBatchAxis>(layer, static_cast<int32_t>(node.params.integer("batchAxis")));
  l.call<m::ReverseSequenceLayer::setSequenceAxis>(layer, static_cast<int32_t>(node.params.integer("sequenceAxis")));
  return layer;
}

}  // namespace ntrt
