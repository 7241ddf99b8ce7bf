#include "read_back.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace ntrt {

namespace {

struct Row {
  char const* parameter;
  MethodInfo const* getter;
  Value (*read)(LayerReader&);
  // Whether the IR's number became a float32.
  bool narrow;
  // Whether null is a value of its own.
  bool reads_null;
};
struct WeightsRow {
  char const* role;
  Weights (*read)(LayerReader&);
  int32_t input;
};
struct Kind {
  char const* type = nullptr;
  void (*extra)(LayerReader&) = nullptr;
  std::vector<Row> rows;
  std::vector<WeightsRow> weights;
  std::vector<char const*> without_getter;
};

template <class M>
inline constexpr bool is_narrow_getter = std::is_same_v<typename Virtual<typename M::Signature>::Result, float>;
template <class T>
inline constexpr bool reads_null = std::is_same_v<std::decay_t<T>, as::Order>;

std::unordered_map<std::string_view, Kind> const& kinds() {
  static auto const* const map = [] {
    auto* kinds = new std::unordered_map<std::string_view, Kind>;
#define KIND(NAME, TYPE) (*kinds)[#NAME].type = #TYPE;
#define KIND_AND(NAME, TYPE, FUNCTION) (*kinds)[#NAME].type = #TYPE, (*kinds)[#NAME].extra = FUNCTION;
#define KIND_BY(NAME, FUNCTION) (*kinds)[#NAME].extra = FUNCTION;
#define READ(NAME, PARAMETER, ITF, GETTER, AS) \
  (*kinds)[#NAME].rows.push_back({#PARAMETER, &m::ITF::GETTER::info, [](LayerReader& r) { return AS(r, r.get<m::ITF::GETTER>()); }, is_narrow_getter<m::ITF::GETTER>, reads_null<decltype(AS)>});
#define READ_AT(NAME, PARAMETER, ITF, GETTER, INDEX, AS) \
  (*kinds)[#NAME].rows.push_back({#PARAMETER, &m::ITF::GETTER::info, [](LayerReader& r) { return AS(r, r.get<m::ITF::GETTER>(INDEX)); }, false, false});
#define WEIGHTS(NAME, ROLE, ITF, GETTER, INPUT) (*kinds)[#NAME].weights.push_back({#ROLE, [](LayerReader& r) { return r.get<m::ITF::GETTER>(); }, INPUT});
#define NO_GETTER(NAME, PARAMETER, WHY) (*kinds)[#NAME].without_getter.push_back(#PARAMETER);
#include "read_back.def"
#undef KIND
#undef KIND_AND
#undef KIND_BY
#undef READ
#undef READ_AT
#undef WEIGHTS
#undef NO_GETTER
    return kinds;
  }();
  return *map;
}

Kind const& kind_of(Node const& node) {
  auto const found = kinds().find(node.kind);
  if (found == kinds().end()) throw Error("ERR_INTERNAL", "no rows in read_back.def");
  return found->second;
}

// Bytes of elements in TensorRT's layout, two of 4 bits in each.
size_t byte_count(std::string const& dtype, int64_t count) {
  auto const elements = static_cast<size_t>(count);
  if (dtype == "int4" || dtype == "float4e2m1") return (elements + 1) / 2;
  if (dtype == "int64") return elements * 8;
  if (dtype == "float32" || dtype == "int32") return elements * 4;
  return dtype == "float16" || dtype == "bfloat16" ? elements * 2 : elements;
}

std::string name_of(Lowering& l, Tensor* tensor) { return tensor ? "'" + std::string(l.call<m::Tensor::getName>(tensor)) + "'" : "none"; }

}  // namespace

void fail_read_back(std::string const& what, std::string const& wanted, std::string const& held) {
  throw Error("ERR_READ_BACK", what + ": asked for " + wanted + ", TensorRT holds " + held);
}

void require_same(std::string const& what, Value const& wanted, Value const& held) {
  if (!is_same(wanted, held, false)) fail_read_back(what, describe(wanted), describe(held));
}

Value numbers(int64_t const* list, int32_t count) {
  Value::List values;
  for (int32_t i = 0; i < count && i < 8; i++) values.push_back(number(static_cast<double>(list[i])));
  return {std::move(values)};
}

namespace as {

namespace {

Value bits(uint32_t mask) {
  Value::List list;
  for (int i = 0; i < 32; i++) {
    if (mask >> i & 1) list.push_back(::ntrt::number(i));
  }
  return {std::move(list)};
}

}  // namespace

Value Axes::operator()(LayerReader& r, uint32_t mask) const {
  uint32_t asked = 0;
  for (int64_t axis : r.node.params.integers("axes")) asked |= 1u << axis;
  return asked == mask ? r.node.params.value("axes") : bits(mask);
}

Value Axis::operator()(LayerReader&, uint32_t mask) const {
  Value list = bits(mask);
  auto const& found = std::get<Value::List>(list.data);
  return found.size() == 1 ? found[0] : list;
}

Value Order::operator()(LayerReader& r, Permutation const& value) const {
  bool const is_set = r.node.params.has(parameter);
  size_t const rank = is_set ? r.node.params.integers(parameter).size() : 8;
  bool same = true;
  Value::List order;
  for (size_t i = 0; i < rank; i++) {
    same = same && value.order[i] == static_cast<int32_t>(i);
    order.push_back(::ntrt::number(value.order[i]));
  }
  if (!is_set && same) return {};
  return {std::move(order)};
}

}  // namespace as

bool LayerReader::knows(MethodInfo const& getter) const {
  std::string const setter = std::string(",set") + (getter.name + 3) + ',';
  return l.api.has(getter) && l.api.without.find(setter) == std::string::npos;
}

bool LayerReader::is_type(Layer* one, char const* type) const { return l.call<m::Layer::getType>(one) == l.api.untraced_enumerator("LayerType", type); }

std::vector<Layer*> LayerReader::of_type(char const* type) const {
  std::vector<Layer*> found;
  for (Layer* one : own) {
    if (is_type(one, type)) found.push_back(one);
  }
  return found;
}

Layer* LayerReader::maker(Tensor* tensor) const {
  for (Layer* one : own) {
    if (tensor && l.call<m::Layer::getNbOutputs>(one) > 0 && l.call<m::Layer::getOutput>(one, 0) == tensor) return one;
  }
  return nullptr;
}

Tensor* LayerReader::origin(Tensor* tensor) const {
  for (Layer* before = maker(tensor); before && before != layer; before = maker(tensor)) {
    if (!is_type(before, "kCAST") && !is_type(before, "kSHUFFLE") && !is_type(before, "kCONDITIONAL_INPUT")) break;
    tensor = l.call<m::Layer::getInput>(before, 0);
  }
  return tensor;
}

Layer* LayerReader::constant(Tensor* tensor) const {
  Layer* before = maker(origin(tensor));
  return before && is_type(before, "kCONSTANT") ? before : nullptr;
}

Value LayerReader::integers(Tensor* tensor) const {
  Layer* before = constant(tensor);
  if (!before) return {};
  Weights const weights = l.call<m::ConstantLayer::getWeights>(before);
  bool const wide = weights.type == l.dtype("int64");
  if (!wide && weights.type != l.dtype("int32")) return {};
  Value::List list;
  for (int64_t i = 0; i < weights.count; i++) {
    list.push_back(number(wide ? static_cast<double>(static_cast<int64_t const*>(weights.values)[i]) : static_cast<int32_t const*>(weights.values)[i]));
  }
  if (l.call<m::ConstantLayer::getDimensions>(before).rank == 0 && list.size() == 1) return list[0];
  return {std::move(list)};
}

void LayerReader::check(std::string const& parameter, Value read, Value const& wanted, bool narrow) {
  if (!is_same(wanted, read, narrow)) fail_read_back(parameter, describe(wanted), describe(read));
  held.parameters.emplace_back(parameter, std::move(read));
}

void LayerReader::check_tensor(std::string const& what, Tensor* read, Tensor* wanted) const {
  if (read != wanted) fail_read_back(what, name_of(l, wanted), name_of(l, read));
}

void LayerReader::check_weights(char const* role, Weights read, int32_t input) {
  Weight const* wanted = l.weight(node, role);
  if (read.count == 0 && input >= 0) {
    Layer* bringing = constant(get<m::Layer::getInput>(input));
    if (bringing) read = l.call<m::ConstantLayer::getWeights>(bringing);
  }
  auto const text = [&](std::string const& dtype, int64_t count) { return std::to_string(count) + " of " + dtype; };
  std::string const what = std::string("weights '") + role + "'";
  std::string const dtype = dtype_name(l.api, read.type);
  if (!wanted) {
    if (read.count != 0) fail_read_back(what, "none", text(dtype, read.count));
    return;
  }
  if (read.count != wanted->count || (wanted->count > 0 && dtype != wanted->dtype)) fail_read_back(what, text(wanted->dtype, wanted->count), text(dtype, read.count));
  if (wanted->count > 0 && read.values != wanted->data && std::memcmp(read.values, wanted->data, byte_count(dtype, read.count)) != 0) {
    fail_read_back(what, "the elements of '" + wanted->name + "'", "others");
  }
}

void LayerReader::check_inputs() {
  auto const count = get<m::Layer::getNbInputs>();
  for (size_t i = 0; i < std::max(node.inputs.size(), static_cast<size_t>(count)); i++) {
    Tensor* const read = static_cast<int32_t>(i) < count ? get<m::Layer::getInput>(static_cast<int32_t>(i)) : nullptr;
    // What a parameter or weights became is read with those.
    if (!input(i) && constant(read)) continue;
    check_tensor("input " + std::to_string(i), origin(read), input(i));
  }
}

void LayerReader::check_outputs() {
  bool direct = true;
  for (size_t i = 0; i < node.outputs.size(); i++) {
    Tensor* const made = get<m::Layer::getOutput>(static_cast<int32_t>(i));
    Tensor* const bound = l.value(node.outputs[i].id);
    check_tensor("output " + std::to_string(i), made, origin(bound));
    direct = direct && made == bound;
  }
  if (direct) require_same("name", text(node.name), text(get<m::Layer::getName>()));
}

void read_rows(LayerReader& r) {
  Kind const& kind = kind_of(r.node);
  for (auto const& row : kind.rows) {
    Value const& wanted = r.node.params.value(row.parameter);
    if (wanted.is_null() && !row.reads_null) continue;
    if (r.knows(*row.getter)) {
      r.check(row.parameter, row.read(r), wanted, row.narrow);
    } else {
      r.held.unread.emplace_back(row.parameter);
    }
  }
  for (auto const& row : kind.weights) r.check_weights(row.role, row.read(r), row.input);
  r.held.unread.insert(r.held.unread.end(), kind.without_getter.begin(), kind.without_getter.end());
}

void ReadBack::read(Node const& node, int32_t first) {
  auto const last = static_cast<size_t>(l_.add<m::Network::getNbLayers>());
  read_.resize(last);
  std::vector<Layer*> own;
  for (auto i = static_cast<size_t>(first); i < last; i++) {
    if (!read_[i]) own.push_back(l_.add<m::Network::getLayer>(static_cast<int32_t>(i)));
    read_[i] = true;
  }
  LayerReader reader(l_, node, std::move(own));
  Kind const& kind = kind_of(node);
  if (is_made_of_others(reader)) {
    for (Layer* one : reader.own) reader.held.parts.emplace_back(l_.call<m::Layer::getName>(one));
  } else if (!kind.type) {
    kind.extra(reader);
  } else {
    auto const found = reader.of_type(kind.type);
    if (found.size() != 1) fail_read_back("layer", std::string("one ") + (kind.type + 1), std::to_string(found.size()) + " among " + std::to_string(reader.own.size()));
    reader.layer = found[0];
    reader.check_inputs();
    reader.check_outputs();
    read_rows(reader);
    if (kind.extra) kind.extra(reader);
  }
  layers_.push_back(std::move(reader.held));
}

}  // namespace ntrt
