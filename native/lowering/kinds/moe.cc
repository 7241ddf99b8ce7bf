#include "../layers.h"

namespace ntrt {

Layer* lower_moe(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Layer* layer = l.add<m::Network::addMoE>(l.input(node, 0), l.input(node, 1), l.input(node, 2));
  if (!layer) return nullptr;
  l.call<m::MoELayer::setGatedWeights>(layer, l.input(node, 3), l.input(node, 4), l.input(node, 5), l.enumerator("MoEActType", p.text("activation")));
  if (l.has_input(node, 6)) l.call<m::MoELayer::setGatedBiases>(layer, l.input(node, 6), l.input(node, 7), l.input(node, 8));
  if (p.has("swiglu")) {
    Params const swiglu = p.object("swiglu");
    l.call<m::MoELayer::setSwigluParams>(layer, static_cast<float>(swiglu.real("limit")), static_cast<float>(swiglu.real("alpha")), static_cast<float>(swiglu.real("beta")));
  }
  if (p.has("quantize")) {
    Params const quantize = p.object("quantize");
    int32_t const to = l.dtype(quantize.text("to"));
    if (quantize.has("blockShape")) {
      l.call<m::MoELayer::setQuantizationDynamicDblQ>(layer, l.input(node, 9), to, quantize.dims("blockShape"), l.dtype(quantize.text("scaleType")));
    } else {
      l.call<m::MoELayer::setQuantizationStatic>(layer, l.input(node, 9), to);
    }
    // The setters return nothing: TensorRT-RTX 1.7 logs that it does not support blocks, and would continue without them.
    if (l.call<m::MoELayer::getQuantizationToType>(layer) != to) throw Error("ERR_LAYER", "TensorRT refused its quantization");
  }
  return layer;
}

}  // namespace ntrt
