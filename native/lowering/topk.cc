#include "indices.h"
#include "layers.h"

namespace ntrt {

Layer* lower_topk(Lowering& l, Node const& node) {
  auto const& p = node.params;
  bool const dynamic = !p.has("k");
  Layer* layer = l.add<m::Network::addTopK>(l.input(node, 0), l.enumerator("TopKOperation", p.text("operation")), dynamic ? 1 : static_cast<int32_t>(p.integer("k")),
                                            1u << p.integer("axis"));
  if (!layer) return nullptr;
  if (dynamic) l.call<m::Layer::setInput>(layer, 1, l.input(node, 1));
  if (l.api.has(m::TopKLayer::setIndicesType::info)) l.call<m::TopKLayer::setIndicesType>(layer, l.dtype(p.text("indices")));
  l.call<m::Layer::setName>(layer, node.name.c_str());
  l.finish_output(node, 0, l.call<m::Layer::getOutput>(layer, 0));
  finish_indices(l, node, 1, l.call<m::Layer::getOutput>(layer, 1));
  return nullptr;
}

}  // namespace ntrt
