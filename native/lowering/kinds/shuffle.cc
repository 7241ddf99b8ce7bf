#include "../layers.h"

namespace ntrt {

namespace {

Permutation permutation(Params const& params, char const* name) {
  Dims const dims = params.dims(name);
  Permutation result;
  for (int32_t i = 0; i < dims.rank; i++) result.order[i] = static_cast<int32_t>(dims.d[i]);
  return result;
}

}  // namespace

Layer* lower_shuffle(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Layer* layer = l.add<m::Network::addShuffle>(l.input(node, 0));
  if (!layer) return nullptr;
  if (p.has("firstTranspose")) l.call<m::ShuffleLayer::setFirstTranspose>(layer, permutation(p, "firstTranspose"));
  if (p.has("reshape")) l.call<m::ShuffleLayer::setReshapeDimensions>(layer, p.dims("reshape"));
  l.set_optional_inputs(node, layer, 1);
  if (p.has("secondTranspose")) l.call<m::ShuffleLayer::setSecondTranspose>(layer, permutation(p, "secondTranspose"));
  l.call<m::ShuffleLayer::setZeroIsPlaceholder>(layer, p.flag("zeroIsPlaceholder"));
  return layer;
}

}  // namespace ntrt
