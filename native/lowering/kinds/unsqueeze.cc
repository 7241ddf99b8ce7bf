#include <algorithm>

#include "../layers.h"
#include "../shared/reshape.h"

namespace ntrt {

Layer* lower_unsqueeze(Lowering& l, Node const& node) {
  auto const axes = node.params.integers("axes");
  bool const has_layer = l.api.has(m::Network::addUnsqueeze::info) && !is_narrow(l, l.input(node, 0));
  if (has_layer && !axes.empty()) return l.add<m::Network::addUnsqueeze>(l.input(node, 0), l.constant(node, axes, "axes"));
  std::vector<int64_t> sources;
  int64_t next = 0;
  for (size_t i = 0; i < node.outputs[0].shape.size(); i++) sources.push_back(std::find(axes.begin(), axes.end(), i) == axes.end() ? next++ : -1);
  return reshape_by_axes(l, node, sources);
}

}  // namespace ntrt
