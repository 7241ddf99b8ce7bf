#include <algorithm>

#include "../layers.h"
#include "../shared/pad.h"

namespace ntrt {

namespace {

struct Pool {
  std::string type;
  Dims pre, post;
  bool excludes_padding;
};

Layer* add_pool(Lowering& l, Node const& node, Tensor* x, Pool const& pool) {
  auto const& p = node.params;
  Layer* layer = l.add<m::Network::addPoolingNd>(x, l.enumerator("PoolingType", pool.type), p.dims("kernel"));
  if (!layer) return nullptr;
  l.call<m::PoolingLayer::setStrideNd>(layer, p.dims("stride"));
  l.call<m::PoolingLayer::setPrePadding>(layer, pool.pre);
  l.call<m::PoolingLayer::setPostPadding>(layer, pool.post);
  l.call<m::PoolingLayer::setPaddingMode>(layer, l.enumerator("PaddingMode", p.text("paddingMode")));
  l.call<m::PoolingLayer::setAverageCountExcludesPadding>(layer, pool.excludes_padding);
  l.call<m::PoolingLayer::setBlendFactor>(layer, static_cast<float>(p.real("blendFactor")));
  return layer;
}

Tensor* times(Lowering& l, Node const& node, Tensor* x, float share, std::string const& suffix) {
  std::vector<int64_t> const ones(node.outputs[0].shape.size(), 1);
  Tensor* factor = l.constant(node, "float32", ones, &share, sizeof share, (suffix + "/share32").c_str());
  factor = l.cast(node, factor, node.outputs[0].dtype, (suffix + "/share").c_str());
  return l.helper(node, l.add<m::Network::addElementWise>(x, factor, l.enumerator("ElementWiseOperation", "prod")), (suffix + "/part").c_str());
}

}  // namespace

Layer* lower_pooling(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Tensor* x = l.input(node, 0);
  Pool const plain{p.text("type"), p.dims("prePadding"), p.dims("postPadding"), p.flag("averageCountExcludesPadding")};
  if (plain.type == "max" || plain.excludes_padding || p.text("paddingMode") != "explicit_round_up") return add_pool(l, node, x, plain);

  // TensorRT's average also counts the elements that rounding up adds at the end. Padding the input instead leaves them out.
  Dims none;
  none.rank = plain.pre.rank;
  Pool const average{"average", none, none, true};
  auto const pre = p.integers("prePadding"), post = p.integers("postPadding");
  auto const is_zero = [](int64_t pad) { return pad == 0; };
  if (std::all_of(pre.begin(), pre.end(), is_zero) && std::all_of(post.begin(), post.end(), is_zero)) return add_pool(l, node, x, {plain.type, none, none, true});
  Tensor* padded = l.helper(node, pad_by_slice(l, node, x, pre, post), "input");
  if (plain.type == "average") return add_pool(l, node, padded, average);
  // Padding with zeros would change the maxima.
  float const share = static_cast<float>(p.real("blendFactor"));
  Tensor* parts[] = {l.helper(node, add_pool(l, node, x, {"max", plain.pre, plain.post, true}), "max"), l.helper(node, add_pool(l, node, padded, average), "average")};
  // Separate statements: compilers evaluate arguments in different orders, which would change the plan.
  Tensor* maximum = times(l, node, parts[0], 1 - share, "max");
  Tensor* mean = times(l, node, parts[1], share, "average");
  return l.add<m::Network::addElementWise>(maximum, mean, l.enumerator("ElementWiseOperation", "sum"));
}

}  // namespace ntrt
