// Padding for layers that cannot pad, or do not pad as they should.
#pragma once

#include <algorithm>

#include "../lower.h"

namespace ntrt {

// Pads the last axes of a float or int8 tensor with zeros; negative numbers crop. Done by a slice that reads beyond its input.
inline Layer* pad_by_slice(Lowering& l, Node const& node, Tensor* x, std::vector<int64_t> const& before, std::vector<int64_t> const& after) {
  // TensorRT could take an int8 fill value as quantized, without a scale.
  int32_t const type = l.call<m::Tensor::getType>(x);
  bool const narrow = type == l.dtype("int8");
  if (narrow) x = l.cast(node, x, "float32", "wide");
  Dims const from = l.call<m::Tensor::getDimensions>(x);
  Dims start, size, stride;
  start.rank = size.rank = stride.rank = from.rank;
  std::vector<int64_t> added(static_cast<size_t>(from.rank), 0);
  size_t const lead = added.size() - before.size();
  for (size_t i = 0; i < added.size(); i++) {
    if (i >= lead) {
      start.d[i] = -before[i - lead];
      added[i] = before[i - lead] + after[i - lead];
    }
    size.d[i] = std::max<int64_t>(from.d[i] + added[i], 0);
    stride.d[i] = 1;
  }
  Layer* layer = l.add<m::Network::addSlice>(x, start, size, stride);
  if (!layer) return nullptr;
  l.call<m::SliceLayer::setMode>(layer, l.enumerator("SampleMode", "fill"));
  if (std::any_of(from.d, from.d + from.rank, [](int64_t dim) { return dim < 0; })) {
    Tensor* sizes = l.helper(node, l.add<m::Network::addShape>(x), "shape");
    Tensor* padded = l.helper(node, l.add<m::Network::addElementWise>(sizes, l.constant(node, added, "added"), l.enumerator("ElementWiseOperation", "sum")), "size");
    l.call<m::Layer::setInput>(layer, 2, padded);
  }
  static constexpr char zero[4] = {};
  std::string const dtype = narrow ? "float32" : node.outputs[0].dtype;
  l.call<m::Layer::setInput>(layer, 4, l.constant(node, dtype, {}, zero, dtype == "float32" ? 4 : 2, "zero"));
  return narrow ? l.add<m::Network::addCast>(l.helper(node, layer, "padded"), type) : layer;
}

}  // namespace ntrt
