#include "../shared/indices.h"
#include "../layers.h"

namespace ntrt {

namespace {

Tensor* reshaped(Lowering& l, Node const& node, Tensor* tensor, std::vector<int64_t> const& shape, char const* suffix) {
  Dims dims;
  dims.rank = static_cast<int32_t>(shape.size());
  for (size_t i = 0; i < shape.size(); i++) dims.d[i] = shape[i];
  Layer* shuffle = l.add<m::Network::addShuffle>(tensor);
  if (shuffle) l.call<m::ShuffleLayer::setReshapeDimensions>(shuffle, dims);
  return l.helper(node, shuffle, suffix);
}

}  // namespace

Layer* lower_topk(Lowering& l, Node const& node) {
  auto const& p = node.params;
  bool const dynamic = !p.has("k");
  Tensor* x = l.input(node, 0);
  int64_t axis = p.integer("axis");
  // TensorRT does not take vectors: make them matrices of one row.
  bool const vector = l.call<m::Tensor::getDimensions>(x).rank == 1;
  if (vector) {
    x = reshaped(l, node, x, {1, -1}, "row");
    axis = 1;
  }
  Layer* layer = l.add<m::Network::addTopK>(x, l.enumerator("TopKOperation", p.text("operation")), dynamic ? 1 : static_cast<int32_t>(p.integer("k")), 1u << axis);
  if (!layer) return nullptr;
  if (dynamic) l.call<m::Layer::setInput>(layer, 1, l.input(node, 1));
  if (l.api.has(m::TopKLayer::setIndicesType::info)) l.call<m::TopKLayer::setIndicesType>(layer, l.dtype(p.text("indices")));
  l.call<m::Layer::setName>(layer, node.name.c_str());
  Tensor* values = l.call<m::Layer::getOutput>(layer, 0);
  Tensor* indices = l.call<m::Layer::getOutput>(layer, 1);
  if (vector && values && indices) {
    values = reshaped(l, node, values, {-1}, "values");
    indices = reshaped(l, node, indices, {-1}, "indices");
  }
  l.finish_output(node, 0, values);
  finish_indices(l, node, 1, indices);
  return nullptr;
}

}  // namespace ntrt
