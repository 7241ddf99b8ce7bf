#include "layers.h"

namespace ntrt {

Layer* lower_padding(Lowering& l, Node const& node) {
  return l.add<m::Network::addPaddingNd>(l.input(node, 0), node.params.dims("prePadding"), node.params.dims("postPadding"));
}

}  // namespace ntrt
