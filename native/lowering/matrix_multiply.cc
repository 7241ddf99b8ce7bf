#include "layers.h"

namespace ntrt {

Layer* lower_matrix_multiply(Lowering& l, Node const& node) {
  auto const operation = [&](char const* name) { return l.enumerator("MatrixOperation", node.params.text(name)); };
  return l.add<m::Network::addMatrixMultiply>(l.input(node, 0), operation("operationA"), l.input(node, 1), operation("operationB"));
}

}  // namespace ntrt
