#include "../layers.h"

namespace ntrt {

namespace {

// A known weight or a tensor as float32; null if absent.
Tensor* widened(Lowering& l, Node const& node, char const* role, size_t index) {
  std::string const suffix = std::string(role) + ".float32";
  if (Weight const* known = l.weight(node, role)) {
    Dims dims;
    dims.rank = static_cast<int32_t>(known->shape.size());
    for (size_t i = 0; i < known->shape.size(); i++) dims.d[i] = known->shape[i];
    return l.cast(node, l.helper(node, l.add<m::Network::addConstant>(dims, l.weights(node, role)), role), "float32", suffix.c_str());
  }
  return l.has_input(node, index) ? l.cast(node, l.input(node, index), "float32", suffix.c_str()) : nullptr;
}

}  // namespace

Layer* lower_deconvolution(Lowering& l, Node const& node) {
  auto const& p = node.params;
  // Neither TensorRT 10.6 nor TensorRT-RTX has a bfloat16 deconvolution: run it in float32.
  bool const wide = node.outputs[0].dtype == "bfloat16";
  Tensor* input = wide ? l.cast(node, l.input(node, 0), "float32", "input.float32") : l.input(node, 0);
  Weights const kernel = wide ? Weights{} : l.weights(node, "kernel");
  Weights const bias = wide ? Weights{} : l.weights(node, "bias");
  Layer* layer = l.add<m::Network::addDeconvolutionNd>(input, p.integer("outChannels"), p.dims("kernel"), kernel, bias);
  if (!layer) return nullptr;
  l.call<m::DeconvolutionLayer::setStrideNd>(layer, p.dims("stride"));
  l.call<m::DeconvolutionLayer::setPrePadding>(layer, p.dims("prePadding"));
  l.call<m::DeconvolutionLayer::setPostPadding>(layer, p.dims("postPadding"));
  l.call<m::DeconvolutionLayer::setPaddingMode>(layer, l.enumerator("PaddingMode", p.text("paddingMode")));
  l.call<m::DeconvolutionLayer::setDilationNd>(layer, p.dims("dilation"));
  l.call<m::DeconvolutionLayer::setNbGroups>(layer, p.integer("groups"));
  if (!wide) {
    l.set_optional_inputs(node, layer, 1);
    return layer;
  }
  l.call<m::Layer::setInput>(layer, 1, widened(l, node, "kernel", 1));
  if (Tensor* added = widened(l, node, "bias", 2)) l.call<m::Layer::setInput>(layer, 2, added);
  return l.add<m::Network::addCast>(l.helper(node, layer, "float32"), l.dtype("bfloat16"));
}

}  // namespace ntrt
