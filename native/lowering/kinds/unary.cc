#include "../layers.h"

namespace ntrt {

Layer* lower_unary(Lowering& l, Node const& node) {
  return l.add<m::Network::addUnary>(l.input(node, 0), l.enumerator("UnaryOperation", node.params.text("operation")));
}

}  // namespace ntrt
