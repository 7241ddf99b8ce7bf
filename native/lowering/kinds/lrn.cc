#include "../layers.h"

namespace ntrt {

Layer* lower_lrn(Lowering& l, Node const& node) {
  auto const& p = node.params;
  return l.add<m::Network::addLRN>(l.input(node, 0), p.integer("window"), static_cast<float>(p.real("alpha")), static_cast<float>(p.real("beta")), static_cast<float>(p.real("k")));
}

}  // namespace ntrt
