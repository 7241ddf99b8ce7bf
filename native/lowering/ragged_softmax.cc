#include "layers.h"

namespace ntrt {

Layer* lower_ragged_softmax(Lowering& l, Node const& node) { return l.add<m::Network::addRaggedSoftMax>(l.input(node, 0), l.input(node, 1)); }

}  // namespace ntrt
