// Reads every layer back through TensorRT's getters and compares it with what was recorded. What it expects comes only from
// the recorded node, never from the file that lowers the kind.
#pragma once

#include <type_traits>

#include "lower.h"

namespace ntrt {

// What TensorRT holds for one layer, in the IR's terms.
struct HeldLayer {
  std::string layer;
  std::string kind;
  Value::Object parameters;
  // Parameters that this release has no getter for.
  std::vector<std::string> unread;
  // Names of the layers it is composed of, if it has no layer of its own kind: these have none of its parameters.
  std::vector<std::string> parts;
};

class ReadBack {
 public:
  explicit ReadBack(Lowering& lowering) : l_(lowering) {}
  // Reads a node whose layers, and those of its nested graphs, begin at `first`. Throws ERR_READ_BACK.
  void read(Node const& node, int32_t first);
  // Names, dtypes and dims of inputs, names of outputs.
  void read_ends(Program const& program);
  std::vector<HeldLayer> take() { return std::move(layers_); }

 private:
  Lowering& l_;
  std::vector<bool> read_;  // by index of the network's layers: those of nested nodes are read first
  std::vector<HeldLayer> layers_;
};

// Throws ERR_READ_BACK: "alpha: asked for 0.5, TensorRT holds 0".
[[noreturn]] void fail_read_back(std::string const& what, std::string const& wanted, std::string const& held);
// Throws if the two differ.
void require_same(std::string const& what, Value const& wanted, Value const& held);
// Formats a value, almost as JSON.
std::string describe(Value const& value);
// Compares numbers by value, whatever their type; with `narrow`, the first one went through float32.
bool is_same(Value const& wanted, Value const& held, bool narrow);

// A node and its own layers.
class LayerReader {
 public:
  LayerReader(Lowering& lowering, Node const& node, std::vector<Layer*> own) : l(lowering), node(node), own(std::move(own)) { held = {node.name, node.kind, {}, {}, {}}; }

  Lowering& l;
  Node const& node;
  std::vector<Layer*> const own;
  // The object with the kind's parameters.
  Layer* layer = nullptr;
  Attention* attention = nullptr;
  HeldLayer held;

  template <class M, class... A>
  auto get(A... args) {
    if constexpr (std::is_same_v<typename M::Interface::Handle, Attention>) {
      return l.call<M>(attention, args...);
    } else {
      return l.call<M>(layer, args...);
    }
  }
  // Whether this release has the getter, and also the setter if a test hides it.
  bool knows(MethodInfo const& getter) const;

  bool is_type(Layer* one, char const* type) const;
  std::vector<Layer*> of_type(char const* type) const;
  // The node's own layer that makes a tensor; null if another made it.
  Layer* maker(Tensor* tensor) const;
  // A tensor as it was before the casts, reshapes and branch entries in front of this layer.
  Tensor* origin(Tensor* tensor) const;
  // The node's own constant that a tensor comes from; null if there is none.
  Layer* constant(Tensor* tensor) const;
  // The elements of such a constant of int32 or int64.
  Value integers(Tensor* tensor) const;
  // A node's tensor by its input index; null if absent.
  Tensor* input(size_t index) const { return l.has_input(node, index) ? l.value(node.inputs[index]) : nullptr; }

  // Records a value that was read, and compares it.
  void check(std::string const& parameter, Value read, Value const& wanted, bool narrow = false);
  // Like `check`, for a parameter.
  void check(char const* parameter, Value read, bool narrow = false) { check(parameter, std::move(read), node.params.value(parameter), narrow); }
  void check_tensor(std::string const& what, Tensor* read, Tensor* wanted) const;
  // `fallback`: the input through which a constant may bring them.
  void check_weights(char const* role, Weights read, int32_t fallback);
  void check_inputs();
  void check_outputs();
};

// How getters' results become the IR's values. -----------------------------------------------------

inline Value number(double value) { return {value}; }
inline Value text(std::string value) { return {std::move(value)}; }
inline Value text(char const* value) { return {std::string(value ? value : "")}; }
Value numbers(int64_t const* list, int32_t count);

namespace as {

struct Number {
  template <class T>
  Value operator()(LayerReader&, T value) const {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    return {static_cast<double>(value)};
  }
};
struct Flag {
  Value operator()(LayerReader&, bool value) const { return {value}; }
};
struct Text {
  Value operator()(LayerReader&, char const* value) const { return ::ntrt::text(value); }
};
struct DType {
  Value operator()(LayerReader& r, int32_t value) const { return {dtype_name(r.l.api, value)}; }
};
struct List {
  Value operator()(LayerReader&, Dims const& value) const { return numbers(value.d, value.rank); }
};
// Axes of a bit mask; in the order of the node's `axes` if they are the same.
struct Axes {
  Value operator()(LayerReader& r, uint32_t mask) const;
};
// The axis of a bit mask; a list if there are several or none.
struct Axis {
  Value operator()(LayerReader& r, uint32_t mask) const;
};
// null is the identity permutation.
struct Order {
  char const* parameter;
  Value operator()(LayerReader& r, Permutation const& value) const;
};
struct Enumerator {
  char const* name;
  Value operator()(LayerReader& r, int32_t value) const { return {r.l.api.spelling(name, value)}; }
};

inline constexpr Number number;
inline constexpr Flag flag;
inline constexpr Text text;
inline constexpr DType dtype;
inline constexpr List dims;
inline constexpr Axes axes;
inline constexpr Axis axis;
inline constexpr Order order(char const* parameter) { return {parameter}; }
inline constexpr Enumerator enumerator(char const* name) { return {name}; }

}  // namespace as

// Reads the kind's rows of read_back.def.
void read_rows(LayerReader& r);

// Whether a node may be composed of layers of other kinds, in this release or in any.
bool is_made_of_others(LayerReader& r);

#define KIND(KIND, TYPE)
#define KIND_AND(KIND, TYPE, FUNCTION) void FUNCTION(LayerReader& r);
#define KIND_BY(KIND, FUNCTION) void FUNCTION(LayerReader& r);
#define READ(...)
#define READ_AT(...)
#define WEIGHTS(...)
#define NO_GETTER(...)
#include "read_back.def"
#undef KIND
#undef KIND_AND
#undef KIND_BY
#undef READ
#undef READ_AT
#undef WEIGHTS
#undef NO_GETTER

}  // namespace ntrt
