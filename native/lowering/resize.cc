#include "layers.h"

namespace ntrt {

Layer* lower_resize(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Layer* layer = l.add<m::Network::addResize>(l.input(node, 0));
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
  return layer;
}

}  // namespace ntrt
