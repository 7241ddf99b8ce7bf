#include "../layers.h"
#include "../shared/reshape.h"

#include <set>

namespace ntrt {

namespace {

// Values that a nested graph, or one inside it, takes from the graphs around it.
void collect_captured(Graph const& graph, std::set<int32_t>& defined, std::set<int32_t>& captured) {
  auto use = [&](int32_t id) {
    if (id >= 0 && !defined.count(id)) captured.insert(id);
  };
  for (auto const& input : graph.inputs) defined.insert(input.id);
  for (auto const& node : graph.nodes) {
    for (int32_t id : node.inputs) use(id);
    for (auto const& [role, body] : node.bodies) collect_captured(*body, defined, captured);
    for (auto const& output : node.outputs) defined.insert(output.id);
  }
  for (auto const& [id, name] : graph.outputs) use(id);
}

std::set<int32_t> captured_by(Graph const& graph) {
  std::set<int32_t> defined, captured;
  collect_captured(graph, defined, captured);
  return captured;
}

}  // namespace

Layer* lower_if_conditional(Lowering& l, Node const& node) {
  IfConditional* conditional = l.add<m::Network::addIfConditional>();
  if (!conditional) throw Error("ERR_LAYER", "TensorRT refused the conditional");
  l.call<m::IfConditional::setName>(conditional, node.name.c_str());
  l.part(node, l.call<m::IfConditional::setCondition>(conditional, l.input(node, 0)), "condition");

  // Each value that the branches use enters through an input layer.
  std::map<int32_t, Tensor*> entered;
  std::vector<std::vector<Tensor*>> results;
  for (char const* role : {"then", "else"}) {
    Graph const& branch = *node.bodies.at(role);
    std::map<int32_t, Tensor*> outer;
    for (int32_t id : captured_by(branch)) {
      std::string const suffix = "input" + std::to_string(id);
      outer[id] = l.value(id);
      // A constant is repeated inside the branch, so that it is still known when the engine is built.
      if (Node const* constant = l.constant_of(id)) {
        l.bind(id, l.helper(node, lower_constant(l, *constant), (std::string(role) + "/" + suffix).c_str()));
        continue;
      }
      if (is_narrow(l, outer[id])) {
        throw Error("ERR_DTYPE", "a branch uses " + std::string(l.call<m::Tensor::getName>(outer[id])) + ", whose dtype cannot enter branches: dequantize it first");
      }
      Tensor*& inner = entered[id];
      if (!inner) inner = l.helper(node, l.call<m::IfConditional::addInput>(conditional, outer[id]), suffix.c_str());
      l.bind(id, inner);
    }
    l.lower_body(branch);
    auto& outputs = results.emplace_back();
    for (auto const& [id, name] : branch.outputs) outputs.push_back(l.value(id));
    for (auto const& [id, tensor] : outer) l.bind(id, tensor);
  }
  for (size_t i = 0; i < node.outputs.size(); i++) {
    Layer* output = l.call<m::IfConditional::addOutput>(conditional, results[0][i], results[1][i]);
    l.finish_output(node, i, l.helper(node, output, ("output" + std::to_string(i)).c_str()));
  }
  return nullptr;
}

}  // namespace ntrt
