#include "../layers.h"

namespace ntrt {

Layer* lower_matrix_multiply(Lowering& l, Node const& node) {
  auto const operation = [&](char const* name) { return l.enumerator("MatrixOperation", node.params.text(name)); };
  bool const wide = node.params.flag("useFp32Acc") && node.outputs[0].dtype == "float16";
  auto const operand = [&](size_t index, char const* suffix) {
    auto* tensor = l.input(node, index);
    return wide ? l.cast(node, tensor, "float32", suffix) : tensor;
  };
  auto* a = operand(0, "a");
  auto* b = operand(1, "b");
  auto* layer = l.add<m::Network::addMatrixMultiply>(a, operation("operationA"), b, operation("operationB"));
  return wide ? l.add<m::Network::addCast>(l.helper(node, layer, "float32"), l.dtype("float16")) : layer;
}

}  // namespace ntrt
