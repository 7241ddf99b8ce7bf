#include "../layers.h"

namespace ntrt {

namespace {

// Ones or zeros in a float dtype.
Tensor* filled(Lowering& l, Node const& node, std::vector<int64_t> const& shape, bool one, char const* suffix) {
  std::string const& dtype = node.outputs[0].dtype;
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  if (dtype == "float32") {
    std::vector<float> const values(static_cast<size_t>(count), one ? 1.0f : 0.0f);
    return l.constant(node, dtype, shape, values.data(), values.size() * 4, suffix);
  }
  std::vector<uint16_t> const values(static_cast<size_t>(count), one ? (dtype == "float16" ? 0x3c00 : 0x3f80) : 0);
  return l.constant(node, dtype, shape, values.data(), values.size() * 2, suffix);
}

}  // namespace

Layer* lower_normalization(Lowering& l, Node const& node) {
  auto const& p = node.params;
  std::vector<int64_t> const shape = p.integers("shape");
  Dims const dims = p.dims("shape");
  auto const coefficient = [&](char const* role, size_t index) {
    if (l.weight(node, role)) return l.helper(node, l.add<m::Network::addConstant>(dims, l.weights(node, role)), role);
    return l.helper(node, l.reshape(l.input(node, index), shape), role);
  };
  Tensor* scale = coefficient("scale", 1);
  Tensor* bias = coefficient("bias", 2);
  uint32_t mask = 0;
  for (int64_t axis : p.integers("axes")) mask |= 1u << axis;
  int64_t const groups = p.integer("groups");
  auto const configure = [&](Layer* layer) {
    if (!layer) return layer;
    l.call<m::NormalizationLayer::setEpsilon>(layer, static_cast<float>(p.real("eps")));
    l.call<m::NormalizationLayer::setNbGroups>(layer, groups);
    return layer;
  };
  Tensor* input = l.input(node, 0);
  if (l.api.has(m::Network::addNormalizationV2::info)) return configure(l.add<m::Network::addNormalizationV2>(input, scale, bias, mask));
  if (groups == 1) return configure(l.add<m::Network::addNormalization>(input, scale, bias, mask));
  // The first adder takes one scale and bias per group; those per channel are applied afterwards.
  std::vector<int64_t> per_group(shape.size(), 1);
  per_group[1] = groups;
  Tensor* one = filled(l, node, per_group, true, "one");
  Tensor* zero = filled(l, node, per_group, false, "zero");
  Tensor* normalized = l.helper(node, configure(l.add<m::Network::addNormalization>(input, one, zero, mask)), "normalized");
  Tensor* scaled = l.helper(node, l.add<m::Network::addElementWise>(normalized, scale, l.enumerator("ElementWiseOperation", "prod")), "scaled");
  return l.add<m::Network::addElementWise>(scaled, bias, l.enumerator("ElementWiseOperation", "sum"));
}

}  // namespace ntrt
