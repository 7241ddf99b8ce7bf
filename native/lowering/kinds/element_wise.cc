#include "../layers.h"

namespace ntrt {

Layer* lower_element_wise(Lowering& l, Node const& node) {
  return l.add<m::Network::addElementWise>(l.input(node, 0), l.input(node, 1), l.enumerator("ElementWiseOperation", node.params.text("operation")));
}

}  // namespace ntrt
