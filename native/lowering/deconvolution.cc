#include "layers.h"

namespace ntrt {

Layer* lower_deconvolution(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Layer* layer = l.add<m::Network::addDeconvolutionNd>(l.input(node, 0), p.integer("outChannels"), p.dims("kernel"), l.weights(node, "kernel"), l.weights(node, "bias"));
  if (!layer) return nullptr;
  l.call<m::DeconvolutionLayer::setStrideNd>(layer, p.dims("stride"));
  l.call<m::DeconvolutionLayer::setPrePadding>(layer, p.dims("prePadding"));
  l.call<m::DeconvolutionLayer::setPostPadding>(layer, p.dims("postPadding"));
  l.call<m::DeconvolutionLayer::setPaddingMode>(layer, l.enumerator("PaddingMode", p.text("paddingMode")));
  l.call<m::DeconvolutionLayer::setDilationNd>(layer, p.dims("dilation"));
  l.call<m::DeconvolutionLayer::setNbGroups>(layer, p.integer("groups"));
  l.set_optional_inputs(node, layer, 1);
  return layer;
}

}  // namespace ntrt
