#include <algorithm>

#include "../layers.h"

namespace ntrt {

namespace {

// (x·scale + shift)^power, with an element-wise layer for each coefficient given.
Layer* by_element_wise(Lowering& l, Node const& node, Dims const& input) {
  auto const& p = node.params;
  Dims dims;
  dims.rank = input.rank;
  std::fill(dims.d, dims.d + dims.rank, 1);
  if (auto const mode = p.text("mode"); mode != "uniform") {
    int64_t const axis = p.integer("channelAxis");
    std::copy(input.d + axis, input.d + (mode == "channel" ? axis + 1 : input.rank), dims.d + axis);
  }
  static constexpr char const* steps[][2] = {{"scale", "prod"}, {"shift", "sum"}, {"power", "pow"}};
  Tensor* x = l.input(node, 0);
  Layer* layer = nullptr;
  for (auto const& [role, operation] : steps) {
    if (!l.weight(node, role)) continue;
    if (layer) x = l.helper(node, layer, (std::string("before_") + role).c_str());
    Tensor* coefficient = l.helper(node, l.add<m::Network::addConstant>(dims, l.weights(node, role)), role);
    layer = l.add<m::Network::addElementWise>(x, coefficient, l.enumerator("ElementWiseOperation", operation));
  }
  return layer ? layer : l.add<m::Network::addIdentity>(x);
}

}  // namespace

Layer* lower_scale(Lowering& l, Node const& node) {
  auto const& p = node.params;
  Tensor* x = l.input(node, 0);
  // TensorRT takes scale layers of rank 4 and 5 with channels on axis 1; TensorRT-RTX takes any.
  Dims const dims = l.call<m::Tensor::getDimensions>(x);
  bool const basic = (dims.rank == 4 || dims.rank == 5) && (p.text("mode") == "uniform" || p.integer("channelAxis") == 1);
  if (l.api.flavor != Flavor::rtx1 && !basic) return by_element_wise(l, node, dims);
  auto const coefficient = [&](char const* role) {
    Weights weights = l.weights(node, role);
    weights.type = l.dtype(node.outputs[0].dtype);  // also if absent
    return weights;
  };
  return l.add<m::Network::addScaleNd>(x, l.enumerator("ScaleMode", p.text("mode")), coefficient("shift"), coefficient("scale"), coefficient("power"),
                                       static_cast<int32_t>(p.integer("channelAxis")));
}

}  // namespace ntrt
