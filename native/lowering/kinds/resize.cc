#include "../layers.h"

namespace ntrt {

Layer* lower_resize(Lowering& l, Node const& node) {
  auto const& p = node.params;
  // TensorRT 10.6 does not resize bfloat16: run it in float32, which holds every sample exactly.
  bool const wide = l.api.flavor == Flavor::trt10 && node.outputs[0].dtype == "bfloat16";
  Tensor* input = l.input(node, 0);
  if (wide) input = l.cast(node, input, "float32", "float32");
  Layer* layer = l.add<m::Network::addResize>(input);
  if (!layer) return nullptr;
  l.call<m::ResizeLayer::setResizeMode>(layer, l.enumerator("InterpolationMode", p.text("mode")));
  l.call<m::ResizeLayer::setCoordinateTransformation>(layer, l.enumerator("ResizeCoordinateTransformation", p.text("coordinateTransformation")));
  l.call<m::ResizeLayer::setSelectorForSinglePixel>(layer, l.enumerator("ResizeSelector", p.text("selector")));
  l.call<m::ResizeLayer::setNearestRounding>(layer, l.enumerator("ResizeRoundMode", p.text("nearestRounding")));
  l.call<m::ResizeLayer::setCubicCoeff>(layer, static_cast<float>(p.real("cubicCoeff")));
  l.call<m::ResizeLayer::setExcludeOutside>(layer, p.flag("excludeOutside"));
  if (p.has("scales")) {
    auto const reals = p.reals("scales");
    std::vector<float> const scales(reals.begin(), reals.end());
    l.call<m::ResizeLayer::setScales>(layer, scales.data(), static_cast<int32_t>(scales.size()));
  }
  if (p.has("sizes")) l.call<m::ResizeLayer::setOutputDimensions>(layer, p.dims("sizes"));
  l.set_optional_inputs(node, layer, 1);
  return wide ? l.add<m::Network::addCast>(l.helper(node, layer, "resized"), l.dtype("bfloat16")) : layer;
}

}  // namespace ntrt
