#include "../shared/indices.h"
#include "../layers.h"

namespace ntrt {

Layer* lower_nms(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Layer* layer = l.add<m::Network::addNMS>(l.input(node, 0), l.input(node, 1), l.input(node, 2));
  if (!layer) return nullptr;
  l.set_optional_inputs(node, layer, 3);
  l.call<m::NMSLayer::setBoundingBoxFormat>(layer, l.enumerator("BoundingBoxFormat", p.text("format")));
  l.call<m::NMSLayer::setTopKBoxLimit>(layer, static_cast<int32_t>(p.integer("topKBoxLimit")));
  if (l.api.has(m::NMSLayer::setIndicesType::info)) l.call<m::NMSLayer::setIndicesType>(layer, l.dtype(p.text("indices")));
  l.call<m::Layer::setName>(layer, node.name.c_str());
  finish_indices(l, node, 0, l.call<m::Layer::getOutput>(layer, 0));
  l.finish_output(node, 1, l.call<m::Layer::getOutput>(layer, 1));
  return nullptr;
}

}  // namespace ntrt
