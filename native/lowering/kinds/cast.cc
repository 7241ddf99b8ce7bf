#include "../layers.h"

namespace ntrt {

Layer* lower_cast(Lowering& l, Node const& node) { return l.add<m::Network::addCast>(l.input(node, 0), l.dtype(node.params.text("to"))); }

}  // namespace ntrt
