#include "../layers.h"
#include "../shared/attention.h"

namespace ntrt {

namespace {

// Elements of axis 3.
Tensor* pick(Lowering& l, Node const& node, Tensor* x, std::vector<int64_t> const& index, std::string const& suffix) {
  Tensor* places = l.constant(node, index, (suffix + "/index").c_str(), false, "int32");
  return l.helper(node, l.add<m::Network::addGather>(x, places, 3), suffix.c_str());
}

// (a, b) becomes (a cos - b sin, b cos + a sin).
Layer* by_other_layers(Lowering& l, Node const& node, bool interleaved, int64_t rotary_dim) {
  Tensor* x = l.input(node, 0);
  int64_t const size = l.call<m::Tensor::getDimensions>(x).d[3];
  int64_t const turned = rotary_dim ? rotary_dim : size;
  int64_t const half = turned / 2;
  auto combine = [&](Tensor* a, Tensor* b, char const* operation, char const* suffix) {
    return l.helper(node, l.add<m::Network::addElementWise>(a, b, l.enumerator("ElementWiseOperation", operation)), suffix);
  };
  auto table = [&](size_t index, std::string const& suffix) {
    Tensor* rows = l.input(node, index);
    if (l.has_input(node, 3)) rows = l.helper(node, l.add<m::Network::addGather>(rows, l.input(node, 3), 0), suffix.c_str());
    // [batch, tokens, half] to [batch, 1, tokens, half].
    Layer* shuffle = l.reshape(rows, {0, 0, 1, half});
    if (shuffle) l.call<m::ShuffleLayer::setSecondTranspose>(shuffle, Permutation{{0, 2, 1, 3}});
    return l.helper(node, shuffle, (suffix + "/heads").c_str());
  };
  Tensor *cos = table(1, "cos"), *sin = table(2, "sin");
  std::vector<int64_t> first, second, rest, order;
  for (int64_t i = 0; i < half; i++) {
    first.push_back(interleaved ? 2 * i : i);
    second.push_back(interleaved ? 2 * i + 1 : i + half);
  }
  for (int64_t i = turned; i < size; i++) rest.push_back(i);
  for (int64_t i = 0; i < size; i++) order.push_back(i < turned ? (i % 2) * half + i / 2 : i);
  Tensor *a = pick(l, node, x, first, "first"), *b = pick(l, node, x, second, "second");
  // Separate statements: compilers evaluate arguments in different orders, which would change the plan.
  Tensor *first_cos = combine(a, cos, "prod", "firstCos"), *second_sin = combine(b, sin, "prod", "secondSin");
  Tensor *second_cos = combine(b, cos, "prod", "secondCos"), *first_sin = combine(a, sin, "prod", "firstSin");
  std::vector<Tensor*> parts = {combine(first_cos, second_sin, "sub", "turnedFirst"), combine(second_cos, first_sin, "sum", "turnedSecond")};
  if (!rest.empty()) parts.push_back(pick(l, node, x, rest, "rest"));
  Layer* joined = l.add<m::Network::addConcatenation>(static_cast<Tensor* const*>(parts.data()), static_cast<int32_t>(parts.size()));
  if (joined) l.call<m::ConcatenationLayer::setAxis>(joined, 3);
  if (!interleaved) return joined;
  return l.add<m::Network::addGather>(l.helper(node, joined, "joined"), l.constant(node, order, "order", false, "int32"), 3);
}

}  // namespace

Layer* lower_rotary_embedding(Lowering& l, Node const& node) {
  bool const interleaved = node.params.flag("interleaved");
  auto const rotary_dim = node.params.integer("rotaryDim");
  if (!l.api.has(m::Network::addRotaryEmbedding::info) || is_composed_rotary_embedding(l)) return by_other_layers(l, node, interleaved, rotary_dim);
  Layer* layer = l.add<m::Network::addRotaryEmbedding>(l.input(node, 0), l.input(node, 1), l.input(node, 2), interleaved, static_cast<int32_t>(rotary_dim));
  l.set_optional_inputs(node, layer, 3);
  return layer;
}

}  // namespace ntrt
