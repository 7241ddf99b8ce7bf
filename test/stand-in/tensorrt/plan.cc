#include "plan.h"

#include <algorithm>

namespace standin {

std::optional<int64_t> operate(int64_t operation, int64_t a, int64_t b) {
  auto const wrapped = [](uint64_t value) { return static_cast<int64_t>(value); };
  uint64_t const ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  switch (operation) {
    case 0: return wrapped(ua + ub);
    case 1: return wrapped(ua * ub);
    case 2: return std::max(a, b);
    case 3: return std::min(a, b);
    case 4: return wrapped(ua - ub);
    case 5: return a == b;
    case 6: return a < b;
    case 7:
    case 8: {
      if (b == 0) return std::nullopt;
      if (b == -1) return wrapped(0 - ua);
      int64_t const quotient = a / b;
      bool const exact = a % b == 0, positive = (a < 0) == (b < 0);
      return operation == 7 ? quotient - (!exact && !positive) : quotient + (!exact && positive);
    }
    default: die("DimensionOperation " + std::to_string(operation));
  }
}

std::optional<int64_t> Plan::evaluate(int32_t index, Leaf const& leaf, bool* failed) const {
  Node const& node = nodes.at(index);
  if (node.kind == Node::constant) return node.value;
  if (node.kind != Node::operation) return leaf(node);
  auto const a = evaluate(node.a, leaf, failed), b = evaluate(node.b, leaf, failed);
  if (!a || !b) return std::nullopt;
  auto const result = operate(node.value, *a, *b);
  if (!result && failed) *failed = true;
  return result;
}

Dims Plan::evaluate(PlanTensor const& tensor, Leaf const& leaf, bool* failed) const {
  Dims dims;
  dims.rank = static_cast<int32_t>(tensor.dims.size());
  for (int i = 0; i < dims.rank; i++) dims.d[i] = evaluate(tensor.dims[i], leaf, failed).value_or(-1);
  return dims;
}

Leaf Plan::in_profile(size_t profile, int which) const {
  return [this, profile, which](Node const& node) -> std::optional<int64_t> {
    if (node.kind == Node::size) return which == 0 ? 0 : evaluate(which == 1 ? node.b : static_cast<int32_t>(node.value), in_profile(profile, which));
    auto const found = profiles.at(profile).find(tensors.at(node.a).name);
    if (found == profiles.at(profile).end()) return std::nullopt;
    if (node.kind == Node::dim) return found->second.dims[which].d[node.b];
    auto const& values = found->second.values[which];
    return static_cast<size_t>(node.b) < values.size() ? std::optional(values[node.b]) : std::nullopt;
  };
}

int32_t Plan::find(std::string const& tensor) const {
  for (size_t i = 0; i < tensors.size(); i++) {
    if (tensors[i].name == tensor) return static_cast<int32_t>(i);
  }
  return -1;
}

size_t field_bytes(int32_t type, int32_t length) {
  constexpr size_t sizes[] = {2, 4, 8, 1, 2, 4, 1, sizeof(Dims), 1, 2, 8, 1};
  if (type < 0 || type > 13) die("a field of type " + std::to_string(type));
  return type > 11 ? (length + 1) / 2 : sizes[type] * length;
}

namespace {

// Writes or reads everything in one order.
struct Stream {
  std::string bytes;
  bool writes;
  size_t at = 0;
  bool failed = false;

  void raw(void* data, size_t size) {
    if (writes) {
      bytes.append(static_cast<char*>(data), size);
    } else if (failed || size > bytes.size() - at) {
      failed = true;
    } else {
      std::memcpy(data, bytes.data() + at, size);
      at += size;
    }
  }
  template <class T>
  std::enable_if_t<std::is_arithmetic_v<T>> item(T& value) {
    raw(&value, sizeof value);
  }
  void item(Dims& dims) { raw(&dims, sizeof dims); }
  void item(Node::Kind& kind) { raw(&kind, sizeof kind); }
  size_t count(size_t size) {
    uint64_t number = size;
    item(number);
    if (!writes && number > bytes.size()) failed = true;
    return failed ? 0 : number;
  }
  void item(std::string& text) {
    text.resize(count(text.size()));
    raw(text.data(), text.size());
  }
  template <class T>
  void item(std::vector<T>& list) {
    list.resize(count(list.size()));
    for (auto& one : list) item(one);
  }
  void item(Profile& profile) {
    size_t const size = count(profile.size());
    if (writes) {
      for (auto& [name, range] : profile) all(const_cast<std::string&>(name), range);
    } else {
      for (size_t i = 0; i < size; i++) {
        std::string name;
        item(name);
        item(profile[name]);
      }
    }
  }
  void item(Range& r) { all(r.dims[0], r.dims[1], r.dims[2], r.values[0], r.values[1], r.values[2]); }
  void item(Node& n) { all(n.kind, n.value, n.a, n.b); }
  void item(PlanTensor& t) { all(t.name, t.type, t.mode, t.on_host, t.debug, t.format, t.dims); }
  void item(PlanField& f) { all(f.name, f.type, f.length, f.bytes); }
  void item(PlanLayer& l) {
    all(l.type, l.name, l.inputs, l.outputs, l.parameter, l.constant, l.weight, l.refittable, l.plugin, l.version, l.space, l.shape_inputs, l.tactic, l.workspace, l.aliases, l.fields);
  }
  void item(Plan& p) { all(p.release, p.name, p.nodes, p.tensors, p.layers, p.inputs, p.outputs, p.profiles, p.streams_weights, p.stripped); }
  template <class... T>
  void all(T&... items) {
    (item(items), ...);
  }
};

// Begins as plans do; the rest is no serialization version of TensorRT.
constexpr char magic[] = "ftrtSTANDIN-PLAN";

}  // namespace

std::string Plan::write() const {
  Stream stream{magic, true};
  Plan copy = *this;
  stream.item(copy);
  return stream.bytes;
}

bool Plan::read(std::string const& bytes, Plan& plan) {
  if (bytes.compare(0, sizeof magic - 1, magic) != 0) return false;
  Stream stream{bytes, false, sizeof magic - 1};
  stream.item(plan);
  return !stream.failed && bytes.find_first_not_of('\0', stream.at) == std::string::npos;
}

}  // namespace standin
