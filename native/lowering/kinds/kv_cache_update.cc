#include "../layers.h"
#include "../shared/attention.h"

namespace ntrt {

namespace {

// Scatters every element of the update to row positions[batch] + token of the cache.
Layer* by_other_layers(Lowering& l, Node const& node) {
  if (node.params.text("updateForm") != "padded_bhnd") throw_unsupported(l.api, m::KVCacheUpdateLayer::setUpdateForm::info);
  Tensor* update = l.input(node, 1);
  int32_t const int64 = l.dtype("int64");
  Tensor* sizes = l.helper(node, l.add<m::Network::addShape>(update), "sizes");
  Layer* fill = l.add<m::Network::addFillV2>(Dims{}, l.enumerator("FillOperation", "linspace"), int64);
  if (!fill) throw Error("ERR_LAYER", "TensorRT refused the rows of the cache");
  l.call<m::Layer::setInput>(fill, 0, sizes);
  l.call<m::Layer::setInput>(fill, 1, l.constant(node, {0}, "first", true));
  l.call<m::Layer::setInput>(fill, 2, l.constant(node, {0, 0, 1, 0}, "steps"));
  Tensor* tokens = l.helper(node, fill, "tokens");
  Tensor* start = l.helper(node, l.reshape(l.cast(node, l.input(node, 2), "int64", "start"), {0, 1, 1, 1}), "start4");
  Tensor* rows = l.helper(node, l.add<m::Network::addElementWise>(tokens, start, l.enumerator("ElementWiseOperation", "sum")), "rows");
  Layer* layer = l.add<m::Network::addScatter>(l.input(node, 0), rows, update, l.enumerator("ScatterMode", "element"));
  if (layer) l.call<m::ScatterLayer::setAxis>(layer, 2);
  return layer;
}

}  // namespace

Layer* lower_kv_cache_update(Lowering& l, Node const& node) {
  auto const& p = node.params;
  if (!l.api.has(m::Network::addKVCacheUpdate::info) || is_composed_cache_update(l, node)) return by_other_layers(l, node);
  // The header also allows int64, but the builder refuses it.
  Tensor* start = l.cast(node, l.input(node, 2), "int32", "start");
  Layer* layer = l.add<m::Network::addKVCacheUpdate>(l.input(node, 0), l.input(node, 1), start, l.enumerator("KVCacheMode", p.text("mode")));
  if (!layer || p.text("updateForm") == "padded_bhnd") return layer;
  bool const taken = l.call<m::KVCacheUpdateLayer::setUpdateForm>(layer, l.enumerator("AttentionIOForm", p.text("updateForm"))) &&
                     l.call<m::KVCacheUpdateLayer::setUpdateLengths>(layer, l.input(node, 3));
  return taken ? layer : nullptr;
}

}  // namespace ntrt
