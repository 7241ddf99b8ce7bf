#include "../layers.h"

namespace ntrt {

Layer* lower_assertion(Lowering& l, Node const& node) {
  return l.add<m::Network::addAssertion>(l.input(node, 0), node.params.text("message").c_str());
}

}  // namespace ntrt
