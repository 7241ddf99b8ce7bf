// Lowering: every node of a graph becomes INetworkDefinition calls. All layers pass through Lowering::finish.
#pragma once

#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "../tensorrt/callbacks.h"
#include "../program/graph.h"

namespace ntrt {

class ReadBack;

class Lowering {
 public:
  // `keep_records`: for take_records. `reads_back`: every layer is read back, which takes about half as long again.
  Lowering(Api const& api, ntrt::Network* network, Program const& program, LogSink& log, bool keep_records, bool reads_back);

  Api const& api;
  ntrt::Network* const network;

  // Lowers the whole program: inputs, layers, outputs.
  void run();

  // For the files of the layer kinds -----------------------------------------------------------

  template <class M, class... A>
  auto call(typename M::Interface::Handle* handle, A... args) {
    return ntrt::call<M>(api, handle, args...);
  }
  // Calls a method of INetworkDefinition.
  template <class M, class... A>
  auto add(A... args) {
    return ntrt::call<M>(api, network, args...);
  }

  // The tensor at a node's input index; throws if it is absent.
  Tensor* input(Node const& node, size_t index) const;
  bool has_input(Node const& node, size_t index) const { return index < node.inputs.size() && node.inputs[index] >= 0; }
  // A node's weights by role; empty float32 weights if the role is absent.
  Weights weights(Node const& node, char const* role);
  Weight const* weight(Node const& node, char const* role) const;
  // What a plugin layer of ours is made of; null for other layers.
  PluginParts const* plugin(Node const& node) const;
  // The network has a plugin that tells TensorRT of an input that it updates in place.
  bool has_aliases = false;
  // Layers get the node's name as metadata, which TensorRT's inspector tells of layers that its compiler made of several.
  bool notes_names = false;
  // Gives a layer the optional tensors at input indices `from` and above.
  void set_optional_inputs(Node const& node, Layer* layer, size_t from);

  // An enumerator by the IR's name: ("PoolingType", "max") is PoolingType::kMAX.
  int32_t enumerator(char const* name, std::string const& value) const;
  int32_t dtype(std::string const& name) const;

  // Adds a layer beside the node's own: checked for null and named "node/suffix". Returns its first output.
  Tensor* helper(Node const& node, Layer* layer, char const* suffix);
  // A tensor in a dtype: itself if it has that dtype, else cast to it beside the node's own layer.
  Tensor* cast(Node const& node, Tensor* tensor, std::string const& to, char const* suffix);
  // A tensor of rank 1: itself, or one of rank 0 reshaped to [1] beside the node's own layer.
  Tensor* vector(Node const& node, Tensor* tensor, std::string const& suffix);
  // Like `helper`, for a layer without outputs.
  Layer* part(Node const& node, Layer* layer, char const* suffix);
  // A shuffle layer that reshapes; 0 copies the dim at the same index.
  Layer* reshape(Tensor* tensor, std::vector<int64_t> const& dims);
  // A constant of int64 or int32 elements, e.g. a shape tensor; rank 0 if `scalar`.
  Tensor* constant(Node const& node, std::vector<int64_t> const& values, char const* suffix, bool scalar = false, char const* dtype = "int64");
  // A constant of raw elements, kept until the build ends.
  Tensor* constant(Node const& node, std::string const& dtype, std::vector<int64_t> const& shape, void const* data, size_t bytes, char const* suffix);

  // Lowers a nested graph whose parameters are already bound.
  void lower_body(Graph const& body);
  // Whether the node that is being lowered belongs to a loop or branch.
  bool is_nested() const { return depth_ > 1; }
  // Whether a layer or output uses a value of a nested graph; always true in the outermost graph.
  bool is_used(int32_t id) { return depth_ <= 1 || has_users(id); }
  // The same in any graph.
  bool has_users(int32_t id);
  void bind(int32_t value, Tensor* tensor);
  Tensor* value(int32_t id) const;
  // The node that made a value; null for inputs of networks and nested graphs.
  Node const* maker_of(int32_t id) const;
  // The same, if it is a constant; else null.
  Node const* constant_of(int32_t id) const;
  // Names an output, compares TensorRT's dtype and dimensions with ours, and binds it.
  void finish_output(Node const& node, size_t index, Tensor* tensor);

  // -----------------------------------------------------------------------------------------

  // Every layer's outputs as TensorRT inferred them, in the order of lowering; only with `keep_records`.
  struct Record {
    std::string layer;
    std::string kind;
    std::string dtype;
    Dims shape;
  };
  std::vector<Record> take_records() { return std::move(records_); }
  // What the getters of every layer return; null without `keep_records`.
  ReadBack* read_back() const { return read_back_.get(); }

  // The names of everything in the network, as TensorRT reports them; layers in the order they were added.
  struct Names {
    struct Layer {
      std::string name;
      std::vector<std::string> outputs;
    };
    std::vector<std::string> inputs;
    std::vector<Layer> layers;
    std::vector<std::string> outputs;
  };
  Names names();

  // The node that is being lowered.
  Node const* current() const { return current_; }

 private:
  void lower_node(Node const& node);
  void add_inputs();
  void mark_outputs();
  void mark_debug();
  // Whether an output of the network, but another tensor, has the name.
  bool is_claimed(std::string const& name, int32_t id);
  [[noreturn]] void fail(Node const& node, std::string const& code, std::string const& message) const;

  Program const& program_;
  LogSink& log_;
  bool const keep_records_;
  Node const* current_ = nullptr;
  std::vector<Tensor*> values_;  // by id
  std::unordered_map<int32_t, Node const*> makers_;
  int depth_ = 0;
  std::unordered_set<int32_t> used_;
  std::unordered_map<std::string, int32_t> claimed_;  // ids of outputs by name
  std::vector<std::shared_ptr<void>> kept_;
  std::vector<std::pair<Weights, char const*>> unnamed_weights_;
  std::vector<Record> records_;
  std::shared_ptr<ReadBack> const read_back_;

 public:
  // A constant of the lowering's own.
  struct Constant {
    std::string name;
    std::string dtype;
    std::vector<int64_t> shape;
    std::shared_ptr<std::vector<char>> data;
  };
  // Whether the engine may be refitted: constants then get names, and are kept.
  bool keeps_constants = false;
  std::deque<Constant> constants;  // TensorRT is given their names
};

// The IR's name of a DataType.
std::string dtype_name(Api const& api, int32_t value);

// A row of table.cc. The function returns the layer whose outputs are the node's, or null if it bound them itself.
struct LayerKind {
  char const* kind;
  Layer* (*lower)(Lowering&, Node const&);
  // The method that adds the layer; its slots say which releases have the kind.
  MethodInfo const* method;
  // The method without which the layer is composed of others; null if no composition exists.
  MethodInfo const* decomposed;
};
std::vector<LayerKind> const& layer_kinds();

// Treats a method as missing in TensorRT 10, which accepts its layer but cannot build it.
template <class Method>
inline constexpr MethodInfo without_trt10{Method::info.interface, Method::info.name, {Slot{}, Method::info.slots[1], Method::info.slots[2]}};

}  // namespace ntrt
