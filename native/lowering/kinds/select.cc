#include "../layers.h"

namespace ntrt {

Layer* lower_select(Lowering& l, Node const& node) { return l.add<m::Network::addSelect>(l.input(node, 0), l.input(node, 1), l.input(node, 2)); }

}  // namespace ntrt
