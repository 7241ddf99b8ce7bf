#include "../layers.h"

namespace ntrt {

Layer* lower_dist_collective(Lowering& l, Node const& node) {
  auto const& p = node.params;
  auto groups = p.integers("groups");
  Layer* layer = l.add<m::Network::addDistCollective>(l.input(node, 0), l.enumerator("CollectiveOperation", p.text("operation")),
                                              l.enumerator("ReduceOperation", p.text("reduceOperation")), p.integer("root"),
                                              groups.empty() ? nullptr : groups.data(), static_cast<int64_t>(groups.size()));
  if (layer && !l.call<m::Layer::setNbRanks>(layer, static_cast<int32_t>(p.integer("ranks")))) return nullptr;
  return layer;
}

}  // namespace ntrt
