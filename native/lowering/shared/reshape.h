// Squeeze and unsqueeze for releases without those layers: a shuffle, with a shape tensor if several dims are dynamic.
#pragma once

#include "../lower.h"

namespace ntrt {

// Whether TensorRT's builder takes the tensor in shuffles, but not in the squeeze and unsqueeze layers.
inline bool is_narrow(Lowering& l, Tensor* x) {
  std::string const dtype = dtype_name(l.api, l.call<m::Tensor::getType>(x));
  return dtype == "float8e4m3" || dtype == "float4e2m1" || dtype == "float8e8m0" || dtype == "int4";
}

// `sources[i]` is the input axis that axis i of the result takes its size from, or -1 for a new axis of size 1.
inline Layer* reshape_by_axes(Lowering& l, Node const& node, std::vector<int64_t> const& sources) {
  Tensor* x = l.input(node, 0);
  Dims const from = l.call<m::Tensor::getDimensions>(x);
  Dims to;
  to.rank = static_cast<int32_t>(sources.size());
  int dynamic = 0;
  bool has_zero = false;
  for (size_t i = 0; i < sources.size(); i++) {
    to.d[i] = sources[i] < 0 ? 1 : from.d[sources[i]];
    dynamic += to.d[i] < 0;
    has_zero = has_zero || to.d[i] == 0;
  }
  Layer* layer = l.add<m::Network::addShuffle>(x);
  if (!layer) return nullptr;
  l.call<m::ShuffleLayer::setZeroIsPlaceholder>(layer, false);
  if (dynamic == 0 || (dynamic == 1 && !has_zero)) {
    l.call<m::ShuffleLayer::setReshapeDimensions>(layer, to);
    return layer;
  }
  // The input's sizes followed by a 1, which new axes pick.
  Tensor* parts[] = {l.helper(node, l.add<m::Network::addShape>(x), "shape"), l.constant(node, {1}, "one")};
  Tensor* sizes = l.helper(node, l.add<m::Network::addConcatenation>(static_cast<Tensor* const*>(parts), 2), "sizes");
  std::vector<int64_t> indices;
  for (int64_t source : sources) indices.push_back(source < 0 ? from.rank : source);
  Tensor* dims = l.helper(node, l.add<m::Network::addGather>(sizes, l.constant(node, indices, "axes", false, "int32"), 0), "dims");
  l.call<m::Layer::setInput>(layer, 1, dims);
  return layer;
}

}  // namespace ntrt
