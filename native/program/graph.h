// The recorded graph as plain C++ data. It has no defaults: every parameter comes from TypeScript.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "../plugin/parts.h"
#include "../tensorrt/api.h"

namespace ntrt {

// A parameter: null, flag, number, text, list or object.
struct Value {
  using List = std::vector<Value>;
  // In the order they were written; there are few.
  using Object = std::vector<std::pair<std::string, Value>>;
  std::variant<std::monostate, bool, double, int64_t, std::string, List, Object> data;

  bool is_null() const { return std::holds_alternative<std::monostate>(data); }
};

// A node's parameters, by name; copies share them. A missing or mistyped one is an ERR_INTERNAL, because TypeScript's schema
// has already checked them.
class Params {
 public:
  Params() = default;
  explicit Params(Value::Object values) : values_(std::make_shared<Value::Object const>(std::move(values))) {}
  bool has(char const* name) const;
  bool flag(char const* name) const;
  int64_t integer(char const* name) const;
  double real(char const* name) const;
  std::string const& text(char const* name) const;
  std::vector<int64_t> integers(char const* name) const;
  std::vector<double> reals(char const* name) const;
  std::vector<std::string> texts(char const* name) const;
  Dims dims(char const* name) const;
  std::vector<Params> list(char const* name) const;
  Params object(char const* name) const;
  Value const& value(char const* name) const { return at(name); }
  // Entries that are objects themselves.
  std::vector<std::pair<std::string, Params>> entries() const;

 private:
  Value const* find(char const* name) const;
  Value const& at(char const* name) const;
  std::shared_ptr<Value::Object const> values_;
};

// Elements that stay valid while the graph lives: `owner` keeps a file mapping or a copy.
struct Weight {
  std::string name;
  std::string dtype;
  int64_t count = 0;
  std::vector<int64_t> shape;
  void const* data = nullptr;
  std::shared_ptr<void> owner;  // the mapping it lies in; null without elements
};

// A dynamic dim is -1.
struct ValueType {
  int32_t id = -1;
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<std::string> dim_names;  // of network inputs; "" where static
};

struct Graph;

struct Node {
  std::string kind;
  std::string name;
  std::vector<int32_t> inputs;  // -1: absent
  std::vector<std::pair<std::string, int32_t>> weights;  // by role
  Params params;
  std::vector<ValueType> outputs;
  std::map<std::string, std::unique_ptr<Graph>> bodies;
};

struct Graph {
  std::vector<ValueType> inputs;
  std::deque<Node> nodes;
  std::vector<std::pair<int32_t, std::string>> outputs;
};

// A whole network: its outermost graph and all weights.
struct Program {
  std::string name;
  std::vector<std::vector<uint8_t>> encoded;  // the graph as received, see wire.h
  Graph graph;
  std::vector<int32_t> debug;  // values that are debug tensors
  std::vector<Weight> weights;
  std::map<int32_t, PluginParts> plugins;  // of our own plugin layers, by their first output
};

}  // namespace ntrt
