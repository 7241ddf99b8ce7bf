#include "../layers.h"

namespace ntrt {

Layer* lower_grid_sample(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Layer* layer = l.add<m::Network::addGridSample>(l.input(node, 0), l.input(node, 1));
  if (!layer) return nullptr;
  l.call<m::GridSampleLayer::setInterpolationMode>(layer, l.enumerator("InterpolationMode", p.text("interpolation")));
  l.call<m::GridSampleLayer::setAlignCorners>(layer, p.flag("alignCorners"));
  l.call<m::GridSampleLayer::setSampleMode>(layer, l.enumerator("SampleMode", p.text("sampleMode")));
  return layer;
}

}  // namespace ntrt
