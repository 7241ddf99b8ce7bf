#include "layers.h"

namespace ntrt {

Layer* lower_pooling(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Layer* layer = l.add<m::Network::addPoolingNd>(l.input(node, 0), l.enumerator("PoolingType", p.text("type")), p.dims("kernel"));
  if (!layer) return nullptr;
  l.call<m::PoolingLayer::setStrideNd>(layer, p.dims("stride"));
  l.call<m::PoolingLayer::setPrePadding>(layer, p.dims("prePadding"));
  l.call<m::PoolingLayer::setPostPadding>(layer, p.dims("postPadding"));
  l.call<m::PoolingLayer::setPaddingMode>(layer, l.enumerator("PaddingMode", p.text("paddingMode")));
  l.call<m::PoolingLayer::setAverageCountExcludesPadding>(layer, p.flag("averageCountExcludesPadding"));
  l.call<m::PoolingLayer::setBlendFactor>(layer, static_cast<float>(p.real("blendFactor")));
  return layer;
}

}  // namespace ntrt
