#include <algorithm>
#include <optional>
#include <sstream>

#include "read_back.h"

namespace ntrt {

namespace {

std::optional<double> as_number(Value const& value) {
  if (auto const* real = std::get_if<double>(&value.data)) return *real;
  if (auto const* whole = std::get_if<int64_t>(&value.data)) return static_cast<double>(*whole);
  return std::nullopt;
}

}  // namespace

std::string describe(Value const& value) {
  if (auto const number = as_number(value)) {
    std::ostringstream text;
    text.precision(17);
    text << *number;
    return text.str();
  }
  if (auto const* flag = std::get_if<bool>(&value.data)) return *flag ? "true" : "false";
  if (auto const* text = std::get_if<std::string>(&value.data)) return "'" + *text + "'";
  std::string inner;
  if (auto const* list = std::get_if<Value::List>(&value.data)) {
    for (auto const& item : *list) inner += (inner.empty() ? "" : ", ") + describe(item);
    return "[" + inner + "]";
  }
  if (auto const* object = std::get_if<Value::Object>(&value.data)) {
    for (auto const& [key, item] : *object) inner += (inner.empty() ? "" : ", ") + key + ": " + describe(item);
    return "{ " + inner + " }";
  }
  return "none";
}

bool is_same(Value const& wanted, Value const& held, bool narrow) {
  auto const a = as_number(wanted), b = as_number(held);
  if (a && b) {
    auto const* x = std::get_if<int64_t>(&wanted.data);
    auto const* y = std::get_if<int64_t>(&held.data);
    if (x && y) return *x == *y;
    return (narrow ? static_cast<double>(static_cast<float>(*a)) : *a) == *b;
  }
  if (wanted.data.index() != held.data.index()) return false;
  if (auto const* list = std::get_if<Value::List>(&wanted.data)) {
    auto const& other = std::get<Value::List>(held.data);
    return std::equal(list->begin(), list->end(), other.begin(), other.end(), [&](Value const& x, Value const& y) { return is_same(x, y, narrow); });
  }
  if (auto const* object = std::get_if<Value::Object>(&wanted.data)) {
    auto const& other = std::get<Value::Object>(held.data);
    return std::equal(object->begin(), object->end(), other.begin(), other.end(),
                      [&](auto const& x, auto const& y) { return x.first == y.first && is_same(x.second, y.second, narrow); });
  }
  if (auto const* flag = std::get_if<bool>(&wanted.data)) return *flag == std::get<bool>(held.data);
  if (auto const* text = std::get_if<std::string>(&wanted.data)) return *text == std::get<std::string>(held.data);
  return true;  // null
}

void ReadBack::read_ends(Program const& program) {
  auto const& [inputs, nodes, outputs] = program.graph;
  require_same("name of the network", text(program.name), text(l_.add<m::Network::getName>()));
  require_same("number of inputs", number(static_cast<double>(inputs.size())), number(l_.add<m::Network::getNbInputs>()));
  for (size_t i = 0; i < inputs.size(); i++) {
    Tensor* const tensor = l_.add<m::Network::getInput>(static_cast<int32_t>(i));
    std::string const what = "input '" + inputs[i].name + "'";
    require_same(what + ", name", {inputs[i].name}, text(l_.call<m::Tensor::getName>(tensor)));
    require_same(what + ", dtype", {inputs[i].dtype}, {dtype_name(l_.api, l_.call<m::Tensor::getType>(tensor))});
    Dims const dims = l_.call<m::Tensor::getDimensions>(tensor);
    require_same(what + ", dims", numbers(inputs[i].shape.data(), static_cast<int32_t>(inputs[i].shape.size())), numbers(dims.d, dims.rank));
    for (size_t axis = 0; axis < inputs[i].dim_names.size(); axis++) {
      require_same(what + ", name of dim " + std::to_string(axis), {inputs[i].dim_names[axis]}, text(l_.call<m::Tensor::getDimensionName>(tensor, static_cast<int32_t>(axis))));
    }
  }
  require_same("number of outputs", number(static_cast<double>(outputs.size())), number(l_.add<m::Network::getNbOutputs>()));
  for (size_t i = 0; i < outputs.size(); i++) {
    Tensor* const tensor = l_.add<m::Network::getOutput>(static_cast<int32_t>(i));
    require_same("output " + std::to_string(i) + ", name", {outputs[i].second}, text(l_.call<m::Tensor::getName>(tensor)));
    // If the value is an input, or already an output, an identity follows it.
    if (tensor == l_.value(outputs[i].first)) continue;
    bool found = false;
    for (auto k = static_cast<int32_t>(read_.size()); !found && k < l_.add<m::Network::getNbLayers>(); k++) {
      Layer* const layer = l_.add<m::Network::getLayer>(k);
      found = l_.call<m::Layer::getOutput>(layer, 0) == tensor && l_.call<m::Layer::getType>(layer) == l_.api.untraced_enumerator("LayerType", "kIDENTITY") &&
              l_.call<m::Layer::getInput>(layer, 0) == l_.value(outputs[i].first);
    }
    if (!found) fail_read_back("output '" + outputs[i].second + "'", "the value recorded for it", "another tensor");
  }
  for (auto const& node : nodes) {
    for (auto const& output : node.outputs) {
      bool const wanted = std::find(program.debug.begin(), program.debug.end(), output.id) != program.debug.end();
      auto const* tensor = static_cast<Tensor const*>(l_.value(output.id));
      require_same(node.kind + " '" + node.name + "': debug tensor", {wanted}, {l_.add<m::Network::isDebugTensor>(tensor)});
    }
  }
}

}  // namespace ntrt
