#include <algorithm>

#include "../layers.h"
#include "../shared/reshape.h"

namespace ntrt {

Layer* lower_squeeze(Lowering& l, Node const& node) {
  auto const axes = node.params.integers("axes");
  bool const has_layer = l.api.has(m::Network::addSqueeze::info) && !is_narrow(l, l.input(node, 0));
  if (has_layer && !axes.empty()) return l.add<m::Network::addSqueeze>(l.input(node, 0), l.constant(node, axes, "axes"));
  Dims const from = l.call<m::Tensor::getDimensions>(l.input(node, 0));
  std::vector<int64_t> sources;
  for (int32_t i = 0; i < from.rank; i++) {
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) sources.push_back(i);
  }
  return reshape_by_axes(l, node, sources);
}

}  // namespace ntrt
