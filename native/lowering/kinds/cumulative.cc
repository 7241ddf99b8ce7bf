#include "../layers.h"

namespace ntrt {

namespace {

// A loop over the slices of the axis, with their sum as its state.
Layer* lower_by_loop(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Tensor* x = l.input(node, 0);
  int32_t const axis = static_cast<int32_t>(p.integer("axis"));
  bool const reverse = p.flag("reverse");
  std::string const& dtype = node.outputs[0].dtype;
  // An empty axis has no first slice.
  if (l.call<m::Tensor::getDimensions>(x).d[axis] == 0) return l.add<m::Network::addIdentity>(x);

  Tensor* shape = l.helper(node, l.add<m::Network::addShape>(x), "shape");
  Tensor* length = l.helper(node, l.add<m::Network::addGather>(shape, l.constant(node, {axis}, "axis", true, "int32"), 0), "length");

  // Zeros in the shape of a slice: a select that never takes the first slice.
  Tensor* first = l.helper(node, l.add<m::Network::addGather>(x, l.constant(node, {0}, "zero", true, "int32"), axis), "first");
  Dims const slice = l.call<m::Tensor::getDimensions>(first);
  std::vector<int64_t> const ones(static_cast<size_t>(slice.rank), 1);
  char const zero[8] = {};
  size_t const bytes = dtype == "int64" ? 8 : dtype == "float32" || dtype == "int32" ? 4 : 2;
  Tensor* nowhere = l.constant(node, "bool", ones, zero, 1, "nowhere");
  Tensor* nothing = l.constant(node, dtype, ones, zero, bytes, "nothing");
  Tensor* initial = l.helper(node, l.add<m::Network::addSelect>(nowhere, first, nothing), "initial");

  Loop* loop = l.add<m::Network::addLoop>();
  if (!loop) return nullptr;
  l.call<m::Loop::setName>(loop, (node.name + "/loop").c_str());
  Layer* limit = l.call<m::Loop::addTripLimit>(loop, length, l.enumerator("TripLimit", "count"));
  if (!limit) return nullptr;
  Tensor* element = l.helper(node, l.call<m::Loop::addIterator>(loop, x, axis, reverse), "element");
  Layer* recurrence = l.call<m::Loop::addRecurrence>(loop, initial);
  Tensor* before = l.helper(node, recurrence, "before");
  Tensor* after = l.helper(node, l.add<m::Network::addElementWise>(before, element, l.enumerator("ElementWiseOperation", "sum")), "after");
  l.call<m::Layer::setInput>(recurrence, 1, after);
  Layer* output = l.call<m::Loop::addLoopOutput>(loop, p.flag("exclusive") ? before : after, l.enumerator("LoopOutput", reverse ? "reverse" : "concatenate"), axis);
  if (output) l.call<m::Layer::setInput>(output, 1, length);
  return output;
}

}  // namespace

Layer* lower_cumulative(Lowering& l, Node const& node) {
  if (!l.api.has(m::Network::addCumulative::info)) return lower_by_loop(l, node);
  auto const& p = node.params;
  Tensor* axis = l.constant(node, {p.integer("axis")}, "axis", true, "int32");
  return l.add<m::Network::addCumulative>(l.input(node, 0), axis, l.enumerator("CumulativeOperation", p.text("operation")), p.flag("exclusive"), p.flag("reverse"));
}

}  // namespace ntrt
