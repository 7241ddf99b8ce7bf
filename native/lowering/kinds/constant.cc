#include "../layers.h"

namespace ntrt {

Layer* lower_constant(Lowering& l, Node const& node) {
  Weights const weights = l.weights(node, "value");
  Weight const* value = l.weight(node, "value");
  if (!value || value->dtype != "uint8") return l.add<m::Network::addConstant>(node.params.dims("shape"), weights);
  // TensorRT has no uint8 constants, but casts to uint8.
  auto const* bytes = static_cast<uint8_t const*>(weights.values);
  std::vector<int32_t> const wide(bytes, bytes + weights.count);
  Tensor* constant = l.constant(node, "int32", node.params.integers("shape"), wide.data(), wide.size() * sizeof(int32_t), "int32");
  return l.add<m::Network::addCast>(constant, l.dtype("uint8"));
}

}  // namespace ntrt
