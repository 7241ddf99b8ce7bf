// IExprBuilder and IDimensionExpr. They live in getOutputShapes only.
#include <limits>

#include "network.h"

namespace standin {

namespace {

NAMED(VDimensionExpr);
NAMED(VExprBuilder);

struct Builder : Handle {
  Layer& layer;
  std::vector<int32_t> sizes;  // outputs declared as sizes
  explicit Builder(Layer& layer);
};

thread_local Builder* open = nullptr;

void check_open() {
  if (!open) die("IExprBuilder or an IDimensionExpr is used outside getOutputShapes");
}

int32_t node_of(void const* expression) {
  if (!expression) die("a null IDimensionExpr");
  return static_cast<Expression const*>(static_cast<Handle const*>(expression))->node;
}

bool is_constant(void* facet) {
  check_open();
  auto const& e = self<Expression>(facet);
  return e.network.plan.nodes[e.node].kind == Node::constant;
}
int64_t constant_value(void* facet) {
  check_open();
  auto const& e = self<Expression>(facet);
  Node const& node = e.network.plan.nodes[e.node];
  return node.kind == Node::constant ? node.value : std::numeric_limits<int64_t>::min();
}
bool is_size(void* facet) {
  check_open();
  auto const& e = self<Expression>(facet);
  return e.network.plan.nodes[e.node].kind == Node::size;
}

void const* constant(void* facet, int64_t value) {
  check_open();
  auto& network = self<Builder>(facet).layer.network;
  return network.expression(network.plan.add({Node::constant, value}));
}
void const* operation(void* facet, int32_t operation, void const* first, void const* second) {
  check_open();
  auto& network = self<Builder>(facet).layer.network;
  int32_t const a = node_of(first), b = node_of(second);
  if (operation < 0 || operation > 8) return nullptr;
  Node const x = network.plan.nodes[a], y = network.plan.nodes[b];
  if (x.kind == Node::constant && y.kind == Node::constant) {
    auto const value = operate(operation, x.value, y.value);
    if (!value) {
      log(error, "IExprBuilder::operation: Error Code 4: Internal Error (divide by zero)");
      return nullptr;
    }
    return network.expression(network.plan.add({Node::constant, *value}));
  }
  return network.expression(network.plan.add({Node::operation, operation, a, b}));
}
void const* declare_size(void* facet, int32_t output, void const* opt, void const* upper) {
  check_open();
  auto& builder = self<Builder>(facet);
  auto& layer = builder.layer;
  auto const& outputs = layer.plan().outputs;
  if (output < 0 || static_cast<size_t>(output) >= outputs.size()) {
    log(error, "IExprBuilder::declareSizeTensor: Error Code 3: API Usage Error (output " + std::to_string(output) + " does not exist)");
    return nullptr;
  }
  builder.sizes.push_back(output);
  return layer.network.expression(layer.network.plan.add({Node::size, node_of(upper), outputs[output], node_of(opt)}));
}

void* const* expression_methods() {
  static void* const* const made = table<VDimensionExprName>({at(slot::VDimensionExpr::isConstant, &is_constant), at(slot::VDimensionExpr::getConstantValue, &constant_value), at(slot::VDimensionExpr::isSizeTensor, &is_size)});
  return made;
}
void* const* builder_methods() {
  static void* const* const made = table<VExprBuilderName>({at(slot::VExprBuilder::constant, &constant), at(slot::VExprBuilder::operation, &operation), at(slot::VExprBuilder::declareSizeTensor, &declare_size)});
  return made;
}

Builder::Builder(Layer& layer) : Handle(child_table(), builder_methods()), layer(layer) {}

}  // namespace

Expression::Expression(Network& network, int32_t node) : Handle(child_table(), expression_methods()), network(network), node(node) {}

void const* Network::expression(int32_t node) {
  auto& found = expressions[node];
  if (!found) found = std::make_unique<Expression>(*this, node);
  return static_cast<Handle const*>(found.get());
}

namespace {

// An element of a shape tensor: an input of the network, a constant, or one of these reshaped.
Node element_of(Network& network, int32_t tensor, int32_t element) {
  Layer const* const maker = network.tensors[tensor]->maker;
  if (!maker) return {Node::element, 0, tensor, element};
  PlanLayer const& plan = network.plan.layers[maker->index];
  if (plan.type == kSHUFFLE) return element_of(network, plan.inputs[0], element);
  if (plan.type != kCONSTANT) die("the stand-in computes no shape tensors");
  bool const wide = network.plan.tensors[tensor].type == kINT64;
  return {Node::constant, wide ? reinterpret_cast<int64_t const*>(plan.constant.data())[element] : reinterpret_cast<int32_t const*>(plan.constant.data())[element]};
}

}  // namespace

bool infer_shapes(Layer& layer) {
  auto& network = layer.network;
  auto const& plan = layer.plan();
  size_t const tensors = plan.inputs.size() - plan.shape_inputs;
  std::vector<DimsExprs> inputs, shapes, outputs(plan.outputs.size());
  for (size_t i = 0; i < plan.inputs.size(); i++) {
    int32_t const index = plan.inputs[i];
    Dims const dims = network.tensors[index]->dims();
    if (dims.rank < 0) return false;
    auto& list = i < tensors ? inputs : shapes;
    auto& one = list.emplace_back();
    if (i < tensors) {
      one.rank = dims.rank;
      for (int k = 0; k < dims.rank; k++) one.d[k] = network.expression(network.plan.tensors[index].dims[k]);
    } else {
      // The elements of a shape input stand where dimensions would.
      if (dims.rank != 1) {
        log(error, "Error Code 2: Internal Error (" + plan.name + ": Assertion rank() == 1 failed. )");
        return false;
      }
      one.rank = static_cast<int32_t>(dims.d[0]);
      for (int k = 0; k < one.rank; k++) one.d[k] = network.expression(network.plan.add(element_of(network, index, k)));
    }
  }
  auto const kept = std::make_shared<Builder>(layer);
  network.builders.push_back(kept);
  Builder& builder = *kept;
  open = &builder;
  int32_t const result = layer.plugin->output_shapes(inputs, shapes, outputs, static_cast<Handle*>(&builder));
  open = nullptr;
  if (result != 0) {
    log(error, "ITensor::getDimensions: Error Code 4: API Usage Error (" + plan.name + ": IPluginV3OneBuild::getOutputShapes returned error code " + std::to_string(result) + ")");
    return false;
  }
  for (size_t i = 0; i < outputs.size(); i++) {
    auto& dims = network.plan.tensors[plan.outputs[i]].dims;
    if (outputs[i].rank < 0 || outputs[i].rank > 8) die("output " + std::to_string(i) + " of " + plan.name + " has rank " + std::to_string(outputs[i].rank));
    for (int k = 0; k < outputs[i].rank; k++) dims.push_back(node_of(outputs[i].d[k]));
    network.tensors[plan.outputs[i]]->has_dims = true;
  }
  for (int32_t output : builder.sizes) {
    if (outputs[output].rank != 0) die("size tensor " + std::to_string(output) + " of " + plan.name + " must have rank 0");
    int32_t const type = network.plan.tensors[plan.outputs[output]].type;
    if (type != kINT32 && type != kINT64) die("size tensor " + std::to_string(output) + " of " + plan.name + " must be int32 or int64");
  }
  return true;
}

}  // namespace standin
