#include <unordered_set>
#include <vector>

#include "../layers.h"
#include "../shared/collect.h"
#include "../shared/reshape.h"

namespace ntrt {

namespace {

// Kinds that TensorRT's compiler looks through: they move elements, or leave them alone where an operand is a constant such as 1.
bool moves(Lowering& l, Node const& node) {
  if (node.kind == "element_wise") return l.constant_of(node.inputs[0]) || l.constant_of(node.inputs[1]);
  for (char const* kind : {"shuffle", "squeeze", "unsqueeze", "identity", "slice", "padding", "concatenation", "reverse_sequence"}) {
    if (node.kind == kind) return true;
  }
  return false;
}

bool widens(Lowering& l, Node const& cast) {
  std::string const from = dtype_name(l.api, l.call<m::Tensor::getType>(l.input(cast, 0)));
  return (from == "float16" || from == "bfloat16") && cast.outputs[0].dtype == "float32";
}

// Whether a value is a widened or gathered one that was at most moved since.
bool is_widened_or_gathered(Lowering& l, int32_t id) {
  std::vector<int32_t> open{id};
  std::unordered_set<int32_t> seen;
  while (!open.empty()) {
    int32_t const next = open.back();
    open.pop_back();
    Node const* maker = seen.insert(next).second ? l.maker_of(next) : nullptr;
    if (!maker) continue;
    if (maker->kind == "gather" || (maker->kind == "cast" && widens(l, *maker))) return true;
    if (maker->kind != "cast" && !moves(l, *maker)) continue;
    // Inputs after the first of most kinds are sizes, which gathers make.
    bool const joins = maker->kind == "concatenation" || maker->kind == "element_wise";
    open.insert(open.end(), maker->inputs.begin(), joins ? maker->inputs.end() : maker->inputs.begin() + 1);
  }
  return false;
}

// The tensor that an iterator goes over. TensorRT 10.6 and RTX 1.7.1 take a body's reshape of a slice for one of the whole tensor, if a widening cast
// or a gather made that: the build fails, or the run ("shape input value is out of bounds inferred by analysis"). max(x, x) stands between.
Tensor* iterated(Lowering& l, Node const& node, size_t index, size_t iterator) {
  Tensor* x = l.input(node, index);
  if (!is_widened_or_gathered(l, node.inputs[index])) return x;
  std::string const dtype = dtype_name(l.api, l.call<m::Tensor::getType>(x));
  // TensorRT has no element-wise operations of these.
  if (is_narrow(l, x) || dtype == "int8" || dtype == "uint8") return x;
  char const* operation = dtype == "bool" ? "or" : "max";
  return l.helper(node, l.add<m::Network::addElementWise>(x, x, l.enumerator("ElementWiseOperation", operation)), ("iterated" + std::to_string(iterator)).c_str());
}

// The last of `length` slices first.
Tensor* reversed(Lowering& l, Node const& node, Tensor* collected, Tensor* length, std::string const& name) {
  auto const named = [&](char const* suffix) { return name + "/" + suffix; };
  Tensor* count = l.cast(node, length, "int64", named("count").c_str());
  Tensor* one = l.constant(node, {1}, named("one").c_str(), true);
  Tensor* last = l.helper(node, l.add<m::Network::addElementWise>(count, one, l.enumerator("ElementWiseOperation", "sub")), named("last").c_str());
  Layer* fill = l.add<m::Network::addFillV2>(Dims{}, l.enumerator("FillOperation", "linspace"), l.dtype("int64"));
  if (!fill) throw Error("ERR_LAYER", "TensorRT refused the order of a reversed output");
  l.call<m::Layer::setInput>(fill, 0, l.helper(node, l.reshape(count, {1}), named("counts").c_str()));
  l.call<m::Layer::setInput>(fill, 1, last);
  l.call<m::Layer::setInput>(fill, 2, l.constant(node, {-1}, named("step").c_str()));
  Tensor* order = l.helper(node, fill, named("order").c_str());
  return l.helper(node, l.add<m::Network::addGather>(collected, order, 0), named("reversed").c_str());
}

// Axis 0 at another place.
Tensor* moved(Lowering& l, Node const& node, Tensor* collected, int64_t axis, std::string const& name) {
  int32_t const rank = l.call<m::Tensor::getDimensions>(collected).rank;
  Permutation order{};
  for (int32_t i = 0; i < rank && i < 8; i++) order.order[i] = i < axis ? i + 1 : i == axis ? 0 : i;
  Layer* shuffle = l.add<m::Network::addShuffle>(collected);
  if (shuffle) l.call<m::ShuffleLayer::setFirstTranspose>(shuffle, order);
  return l.helper(node, shuffle, (name + "/moved").c_str());
}

}  // namespace

Layer* lower_loop(Lowering& l, Node const& node) {
  Graph const& body = *node.bodies.at("body");
  auto const iterators = node.params.list("iterators");
  auto const outputs = node.params.list("outputs");
  auto const states = static_cast<size_t>(node.params.integer("states"));
  Loop* loop = l.add<m::Network::addLoop>();
  if (!loop) throw Error("ERR_LAYER", "TensorRT refused the loop");
  l.call<m::Loop::setName>(loop, node.name.c_str());
  auto add_limit = [&](Tensor* tensor, char const* kind) {
    l.part(node, l.call<m::Loop::addTripLimit>(loop, tensor, l.enumerator("TripLimit", kind)), kind);
  };
  if (l.has_input(node, 0)) add_limit(l.input(node, 0), "count");

  std::vector<Layer*> recurrences;
  std::vector<Tensor*> current;
  for (size_t i = 0; i < states; i++) {
    Layer* recurrence = l.call<m::Loop::addRecurrence>(loop, l.input(node, 1 + i));
    current.push_back(l.helper(node, recurrence, ("state" + std::to_string(i)).c_str()));
    recurrences.push_back(recurrence);
    l.bind(body.inputs[i].id, current.back());
  }
  for (size_t i = 0; i < iterators.size(); i++) {
    auto const axis = static_cast<int32_t>(iterators[i].integer("axis"));
    Layer* iterator = l.call<m::Loop::addIterator>(loop, iterated(l, node, 1 + states + i, i), axis, iterators[i].flag("reverse"));
    l.bind(body.inputs[states + i].id, l.helper(node, iterator, ("slice" + std::to_string(i)).c_str()));
  }
  if (auto const found = node.bodies.find("while"); found != node.bodies.end()) {
    Graph const& condition = *found->second;
    for (size_t i = 0; i < states; i++) l.bind(condition.inputs[i].id, current[i]);
    l.lower_body(condition);
    add_limit(l.value(condition.outputs.front().first), "while");
  }
  l.lower_body(body);

  for (size_t i = 0; i < states; i++) l.call<m::Layer::setInput>(recurrences[i], 1, l.value(body.outputs[i].first));
  bool const in_order = collects_in_order(l, node);
  for (size_t i = 0; i < states + outputs.size(); i++) {
    bool const is_state = i < states;
    Params const* output = is_state ? nullptr : &outputs[i - states];
    bool const rearranged = output && is_rearranged(in_order, *output);
    char const* kind = is_state ? "last_value" : output->flag("reverse") && !rearranged ? "reverse" : "concatenate";
    auto const axis = is_state || rearranged ? 0 : static_cast<int32_t>(output->integer("axis"));
    Tensor* tensor = is_state ? current[i] : l.value(body.outputs[i].first);
    // An unused output confuses the scopes of a conditional around the loop.
    if (!l.is_used(node.outputs[i].id)) {
      l.bind(node.outputs[i].id, tensor);
      continue;
    }
    std::string const name = "output" + std::to_string(i);
    Layer* layer = l.part(node, l.call<m::Loop::addLoopOutput>(loop, tensor, l.enumerator("LoopOutput", kind), axis), name.c_str());
    Tensor* length = nullptr;
    if (!is_state) {
      size_t const index = 1 + iterators.size() + i;
      length = l.input(node, l.has_input(node, index) ? index : 0);
      l.call<m::Layer::setInput>(layer, 1, length);
    }
    Tensor* result = rearranged ? l.helper(node, layer, name.c_str()) : l.call<m::Layer::getOutput>(layer, 0);
    if (rearranged && output->flag("reverse")) result = reversed(l, node, result, length, name);
    if (rearranged && output->integer("axis") != 0) result = moved(l, node, result, output->integer("axis"), name);
    l.finish_output(node, i, result);
  }
  return nullptr;
}

}  // namespace ntrt
