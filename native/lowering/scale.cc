#include "layers.h"

namespace ntrt {

Layer* lower_scale(Lowering& l, Node const& node) {
  auto const& p = node.params;
  auto const coefficient = [&](char const* role) {
    Weights weights = l.weights(node, role);
    weights.type = l.dtype(node.outputs[0].dtype);  // of absent ones too
    return weights;
  };
  return l.add<m::Network::addScaleNd>(l.input(node, 0), l.enumerator("ScaleMode", p.text("mode")), coefficient("shift"), coefficient("scale"), coefficient("power"),
                                       static_cast<int32_t>(p.integer("channelAxis")));
}

}  // namespace ntrt
