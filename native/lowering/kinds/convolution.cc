#include "../layers.h"

namespace ntrt {

Layer* lower_convolution(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Layer* layer = l.add<m::Network::addConvolutionNd>(l.input(node, 0), p.integer("outChannels"), p.dims("kernel"), l.weights(node, "kernel"), l.weights(node, "bias"));
  if (!layer) return nullptr;
  l.call<m::ConvolutionLayer::setStrideNd>(layer, p.dims("stride"));
  l.call<m::ConvolutionLayer::setPrePadding>(layer, p.dims("prePadding"));
  l.call<m::ConvolutionLayer::setPostPadding>(layer, p.dims("postPadding"));
  l.call<m::ConvolutionLayer::setPaddingMode>(layer, l.enumerator("PaddingMode", p.text("paddingMode")));
  l.call<m::ConvolutionLayer::setDilationNd>(layer, p.dims("dilation"));
  l.call<m::ConvolutionLayer::setNbGroups>(layer, p.integer("groups"));
  l.set_optional_inputs(node, layer, 1);
  return layer;
}

}  // namespace ntrt
