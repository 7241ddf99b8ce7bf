#include "wire.h"

#include <cstring>
#include <deque>

namespace ntrt {

namespace {

enum class Tag : uint8_t { null, no, yes, integer, real, big, text, list, object };

class Reader {
 public:
  void open(std::vector<uint8_t> const& bytes) {
    at_ = bytes.data();
    end_ = at_ + bytes.size();
  }
  bool more() const { return at_ != end_; }

  void start(Program& program) {
    io(program.graph);
    program.debug.resize(size());
    for (auto& id : program.debug) id = whole();
  }

  void io(Graph& graph) {
    graph.inputs.resize(size());
    for (auto& input : graph.inputs) input = input_type();
    graph.outputs.resize(size());
    for (auto& [id, name] : graph.outputs) {
      id = whole();
      name = text();
    }
  }

  Node node(int depth = 0) {
    if (depth > 16) fail();
    Node node;
    node.kind = word();
    node.name = text();
    node.inputs.resize(size());
    for (auto& input : node.inputs) input = whole() - 1;
    node.weights.resize(size());
    for (auto& [role, index] : node.weights) {
      role = word();
      index = whole();
    }
    node.params = params();
    node.outputs.resize(size());
    for (auto& output : node.outputs) {
      output.id = whole();
      output.dtype = word();
      output.shape.resize(size());
      for (auto& dim : output.shape) dim = static_cast<int64_t>(number()) - 1;
    }
    for (size_t i = size(); i > 0; i--) {
      auto const& role = word();
      node.bodies.emplace(role, body(depth + 1));
    }
    return node;
  }

 private:
  [[noreturn]] static void fail() { throw Error("ERR_INTERNAL", "the graph's bytes are damaged"); }

  uint8_t byte() {
    if (at_ == end_) fail();
    return *at_++;
  }
  // LEB128
  uint64_t number() {
    uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t const part = byte();
      result |= static_cast<uint64_t>(part & 127) << shift;
      if (part < 128) return result;
    }
    fail();
  }
  int32_t whole() { return static_cast<int32_t>(number()); }
  // A count: each counted thing takes at least a byte.
  size_t size() {
    uint64_t const count = number();
    if (count > static_cast<uint64_t>(end_ - at_)) fail();
    return count;
  }
  void raw(void* into, size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) fail();
    std::memcpy(into, at_, bytes);
    at_ += bytes;
  }
  std::string text() {
    std::string result(size(), '\0');
    raw(result.data(), result.size());
    return result;
  }
  // A string: its number, followed by the string the first time.
  std::string const& word() {
    uint64_t const index = number();
    if (index > words_.size()) fail();
    if (index == words_.size()) words_.push_back(text());
    return words_[index];
  }

  // Parameters: a number, followed by the parameters the first time.
  Params const& params() {
    uint64_t const index = number();
    if (index > params_.size()) fail();
    if (index == params_.size()) params_.emplace_back(object(0));
    return params_[index];
  }
  Value::Object object(int depth) {
    if (depth > 32) fail();
    Value::Object object(size());
    for (auto& [key, item] : object) {
      key = word();
      item = value(depth + 1);
    }
    return object;
  }

  Value value(int depth) {
    if (depth > 32) fail();
    Value result;
    switch (static_cast<Tag>(byte())) {
      case Tag::null: break;
      case Tag::no: result.data = false; break;
      case Tag::yes: result.data = true; break;
      case Tag::integer: {
        uint64_t const zigzag = number();
        result.data = static_cast<double>(static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1));
        break;
      }
      case Tag::real: {
        double real = 0;
        raw(&real, sizeof real);
        result.data = real;
        break;
      }
      case Tag::big: {
        int64_t big = 0;
        raw(&big, sizeof big);
        result.data = big;
        break;
      }
      case Tag::text: result.data = word(); break;
      case Tag::list: {
        Value::List list(size());
        for (auto& item : list) item = value(depth + 1);
        result.data = std::move(list);
        break;
      }
      case Tag::object: result.data = object(depth + 1); break;
      default: fail();
    }
    return result;
  }

  ValueType input_type() {
    ValueType type;
    type.id = whole();
    type.name = text();
    type.dtype = word();
    type.shape.resize(size());
    type.dim_names.resize(type.shape.size());
    for (size_t i = 0; i < type.shape.size(); i++) {
      type.shape[i] = static_cast<int64_t>(number()) - 1;
      if (type.shape[i] < 0) type.dim_names[i] = word();
    }
    return type;
  }

  std::unique_ptr<Graph> body(int depth) {
    auto graph = std::make_unique<Graph>();
    io(*graph);
    graph->nodes.resize(size());
    for (auto& inner : graph->nodes) inner = node(depth);
    return graph;
  }

  uint8_t const* at_ = nullptr;
  uint8_t const* end_ = nullptr;
  std::deque<std::string> words_;
  std::deque<Params> params_;
};

}  // namespace

void read_program(Program& program) {
  auto const pieces = std::move(program.encoded);
  Reader reader;
  for (size_t i = 0; i < pieces.size(); i++) {
    reader.open(pieces[i]);
    if (i == 0) reader.start(program);
    while (reader.more()) program.graph.nodes.push_back(reader.node());
  }
}

}  // namespace ntrt
