#include "../layers.h"
#include "../shared/pad.h"

namespace ntrt {

// TensorRT 10 accepts padding layers, but its builder loses their input (10.6: "No such ILayer input").
Layer* lower_padding(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Tensor* x = l.input(node, 0);
  if (!l.api.has(without_trt10<m::Network::addPaddingNd>)) return pad_by_slice(l, node, x, p.integers("prePadding"), p.integers("postPadding"));
  return l.add<m::Network::addPaddingNd>(x, p.dims("prePadding"), p.dims("postPadding"));
}

}  // namespace ntrt
