#include "../layers.h"

namespace ntrt {

Layer* lower_einsum(Lowering& l, Node const& node) {
  std::vector<Tensor*> inputs;
  for (size_t i = 0; i < node.inputs.size(); i++) inputs.push_back(l.input(node, i));
  return l.add<m::Network::addEinsum>(inputs.data(), inputs.size(), node.params.text("equation").c_str());
}

}  // namespace ntrt
