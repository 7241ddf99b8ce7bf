#include "../layers.h"

namespace ntrt {

Layer* lower_shape(Lowering& l, Node const& node) { return l.add<m::Network::addShape>(l.input(node, 0)); }

}  // namespace ntrt
