#include "../layers.h"

namespace ntrt {

Layer* lower_identity(Lowering& l, Node const& node) { return l.add<m::Network::addIdentity>(l.input(node, 0)); }

}  // namespace ntrt
