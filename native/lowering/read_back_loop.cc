#include "read_back.h"

#include <algorithm>

#include "shared/collect.h"

namespace ntrt {

namespace {

void check_count(char const* what, size_t wanted, size_t held) {
  if (wanted != held) fail_read_back(what, std::to_string(wanted), std::to_string(held));
}

Value axis_and_direction(int32_t axis, bool reverse) { return {Value::Object{{"axis", number(axis)}, {"reverse", {reverse}}}}; }

// max(x, x) or x or x, which stands before some iterators.
bool is_barrier(LayerReader& r, Layer* one) {
  if (!r.is_type(one, "kELEMENTWISE")) return false;
  std::string const operation = r.l.api.spelling("ElementWiseOperation", r.l.call<m::ElementWiseLayer::getOperation>(one));
  return (operation == "max" || operation == "or") && r.l.call<m::Layer::getInput>(one, 0) == r.l.call<m::Layer::getInput>(one, 1);
}

// The tensor that an iterator was asked to go over.
Tensor* before_barrier(LayerReader& r, Tensor* tensor) {
  Layer* const maker = r.maker(tensor);
  return maker && is_barrier(r, maker) ? r.l.call<m::Layer::getInput>(maker, 0) : tensor;
}

}  // namespace

void read_loop(LayerReader& r) {
  auto& l = r.l;
  Node const& node = r.node;
  auto const& p = node.params;
  Graph const& body = *node.bodies.at("body");
  auto const states = static_cast<size_t>(p.integer("states"));
  auto const iterators = p.list("iterators"), outputs = p.list("outputs");
  auto const input = [&](Layer* layer, int32_t index) { return l.call<m::Layer::getInput>(layer, index); };
  auto const output = [&](Layer* layer) { return l.call<m::Layer::getOutput>(layer, 0); };
  // Parts after an output that is rearranged.
  auto const follows = [&](Layer* one) { return std::string_view(l.call<m::Layer::getName>(one)).rfind(node.name + "/output", 0) == 0; };
  bool const in_order = collects_in_order(l, node);
  bool rearranged = false;
  for (auto const& one : outputs) rearranged = rearranged || is_rearranged(in_order, one);
  Loop* loop = nullptr;
  for (Layer* one : r.own) {
    bool boundary = false;
    for (char const* type : {"kTRIP_LIMIT", "kRECURRENCE", "kITERATOR", "kLOOP_OUTPUT"}) boundary = boundary || r.is_type(one, type);
    if (!boundary && is_barrier(r, one)) continue;
    if (!boundary && rearranged && follows(one)) continue;
    if (!boundary) fail_read_back("loop", "parts of a loop alone", std::string("'") + l.call<m::Layer::getName>(one) + "'");
    Loop* const found = l.call<m::LoopBoundaryLayer::getLoop>(one);
    if (loop && found != loop) fail_read_back("loop", "one", "two");
    loop = found;
  }
  if (!loop) fail_read_back("loop", "one", "none");
  require_same("name", text(node.name), text(l.call<m::Loop::getName>(loop)));

  std::vector<std::pair<std::string, Tensor*>> wanted_limits;
  if (r.input(0)) wanted_limits.emplace_back("count", r.input(0));
  if (auto const condition = node.bodies.find("while"); condition != node.bodies.end()) wanted_limits.emplace_back("while", l.value(condition->second->outputs.front().first));
  auto const limits = r.of_type("kTRIP_LIMIT");
  check_count("trip limits", wanted_limits.size(), limits.size());
  for (size_t i = 0; i < limits.size(); i++) {
    auto const& [kind, tensor] = wanted_limits[i];
    Value const held = as::enumerator("TripLimit")(r, l.call<m::TripLimitLayer::getTripLimit>(limits[i]));
    if (!is_same(text(kind), held, false)) fail_read_back("trip limit", kind, describe(held));
    r.check_tensor("trip limit, " + kind, input(limits[i], 0), tensor);
  }

  auto const recurrences = r.of_type("kRECURRENCE");
  check_count("states", states, recurrences.size());
  for (size_t i = 0; i < states; i++) {
    std::string const name = "state " + std::to_string(i);
    r.check_tensor(name + ", initial", input(recurrences[i], 0), r.input(1 + i));
    r.check_tensor(name + ", next", input(recurrences[i], 1), l.value(body.outputs.at(i).first));
    r.check_tensor(name, output(recurrences[i]), l.value(body.inputs.at(i).id));
  }
  r.check("states", number(static_cast<double>(recurrences.size())));

  auto const slices = r.of_type("kITERATOR");
  check_count("iterators", iterators.size(), slices.size());
  Value::List held;
  for (size_t i = 0; i < slices.size(); i++) {
    held.push_back(axis_and_direction(l.call<m::IteratorLayer::getAxis>(slices[i]), l.call<m::IteratorLayer::getReverse>(slices[i])));
    std::string const name = "iterator " + std::to_string(i);
    r.check_tensor(name, before_barrier(r, input(slices[i], 0)), r.input(1 + states + i));
    r.check_tensor(name + ", slice", output(slices[i]), l.value(body.inputs.at(states + i).id));
  }
  r.check("iterators", Value{std::move(held)});

  // An unused result has no layer.
  auto const results = r.of_type("kLOOP_OUTPUT");
  size_t next = 0;
  Value::List collected;
  for (size_t i = 0; i < states + outputs.size(); i++) {
    bool const is_state = i < states;
    if (!l.is_used(node.outputs[i].id)) {
      if (!is_state) collected.push_back(std::get<Value::List>(p.value("outputs").data)[i - states]);
      continue;
    }
    std::string const name = "output " + std::to_string(i);
    if (next == results.size()) fail_read_back(name, "a layer", "none");
    Layer* const result = results[next++];
    std::string const kind = l.api.spelling("LoopOutput", l.call<m::LoopOutputLayer::getLoopOutput>(result));
    if (is_state != (kind == "last_value")) fail_read_back(name, is_state ? "last_value" : "concatenate or reverse", kind);
    r.check_tensor(name + ", value", input(result, 0), is_state ? output(recurrences[i]) : l.value(body.outputs.at(i).first));
    Tensor* const length = is_state ? nullptr : r.input(1 + states + iterators.size() + (i - states));
    if (!is_state) r.check_tensor(name + ", length", input(result, 1), length ? length : r.input(0));
    Tensor* bound = l.value(node.outputs[i].id);
    int32_t axis = is_state ? 0 : l.call<m::LoopOutputLayer::getAxis>(result);
    bool reverse = kind == "reverse";
    if (!is_state && is_rearranged(in_order, outputs[i - states])) {
      if (axis != 0 || reverse) fail_read_back(name, "a collection in order along axis 0", kind + " along axis " + std::to_string(axis));
      if (Layer* const moved = r.maker(bound); moved && r.is_type(moved, "kSHUFFLE")) {
        Permutation const order = l.call<m::ShuffleLayer::getFirstTranspose>(moved);
        axis = static_cast<int32_t>(std::find(order.order, order.order + 8, 0) - order.order);
        bound = input(moved, 0);
      }
      if (Layer* const reversed = r.maker(bound); reversed && r.is_type(reversed, "kGATHER")) {
        reverse = true;
        bound = input(reversed, 0);
      }
    }
    r.check_tensor(name, output(result), bound);
    if (!is_state) collected.push_back(axis_and_direction(axis, reverse));
  }
  check_count("outputs", next, results.size());
  r.check("outputs", Value{std::move(collected)});
}

}  // namespace ntrt
