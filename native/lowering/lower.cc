#include "lower.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "read_back.h"

namespace ntrt {

namespace {

std::string describe(std::string const& dtype, std::vector<int64_t> const& shape) {
  std::string text = dtype + "[";
  for (size_t i = 0; i < shape.size(); i++) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Dims to_dims(std::vector<int64_t> const& shape) {
  Dims dims;
  dims.rank = static_cast<int32_t>(shape.size());
  for (size_t i = 0; i < shape.size() && i < 8; i++) dims.d[i] = shape[i];
  return dims;
}

struct DTypeRow {
  char const* name;
  char const* enumerator;
};
// Dtypes of newer releases come last, so that those of older ones are found first.
constexpr DTypeRow dtype_rows[] = {
    {"float32", "kFLOAT"}, {"float16", "kHALF"}, {"bfloat16", "kBF16"}, {"float8e4m3", "kFP8"}, {"int64", "kINT64"},    {"int32", "kINT32"},
    {"int8", "kINT8"},     {"int4", "kINT4"},    {"uint8", "kUINT8"},   {"bool", "kBOOL"},      {"float4e2m1", "kFP4"}, {"float8e8m0", "kE8M0"},
};

void collect_used(Graph const& graph, std::unordered_set<int32_t>& used) {
  for (auto const& node : graph.nodes) {
    used.insert(node.inputs.begin(), node.inputs.end());
    for (auto const& [role, body] : node.bodies) collect_used(*body, used);
  }
  for (auto const& [id, name] : graph.outputs) used.insert(id);
}

}  // namespace

Lowering::Lowering(Api const& api, ntrt::Network* network, Program const& program, LogSink& log, bool keep_records, bool reads_back)
    : api(api), network(network), program_(program), log_(log), keep_records_(keep_records), read_back_(reads_back ? std::make_shared<ReadBack>(*this) : nullptr) {}

std::string dtype_name(Api const& api, int32_t value) {
  for (auto const& row : dtype_rows) {
    if (api.untraced_enumerator("DataType", row.enumerator) == value) return row.name;
  }
  return "dtype " + std::to_string(value);
}

int32_t Lowering::dtype(std::string const& name) const {
  for (auto const& row : dtype_rows) {
    if (name == row.name) return api.enumerator("DataType", row.enumerator);
  }
  throw Error("ERR_INTERNAL", "no dtype '" + name + "'");
}

int32_t Lowering::enumerator(char const* name, std::string const& value) const {
  return api.enumerator(name, value);
}

void Lowering::fail(Node const& node, std::string const& code, std::string const& message) const {
  throw Error(code, node.kind + " '" + node.name + "': " + message, {node.name, node.kind});
}

Tensor* Lowering::value(int32_t id) const {
  auto const index = static_cast<size_t>(id);
  if (index >= values_.size() || !values_[index]) throw Error("ERR_INTERNAL", "value " + std::to_string(id) + " is used before it is defined");
  return values_[index];
}

void Lowering::bind(int32_t id, Tensor* tensor) {
  auto const index = static_cast<size_t>(id);
  if (index > 1u << 26) throw Error("ERR_INTERNAL", "value " + std::to_string(id) + " is out of range");
  if (index >= values_.size()) values_.resize(std::max(index + 1, values_.size() * 2));
  values_[index] = tensor;
}

Tensor* Lowering::input(Node const& node, size_t index) const {
  if (!has_input(node, index)) throw Error("ERR_INTERNAL", "input " + std::to_string(index) + " is missing");
  return value(node.inputs[index]);
}

Weight const* Lowering::weight(Node const& node, char const* role) const {
  for (auto const& [name, index] : node.weights) {
    if (name == role) return &program_.weights.at(static_cast<size_t>(index));
  }
  return nullptr;
}

PluginParts const* Lowering::plugin(Node const& node) const {
  auto const found = node.outputs.empty() ? program_.plugins.end() : program_.plugins.find(node.outputs[0].id);
  return found == program_.plugins.end() ? nullptr : &found->second;
}

Weights Lowering::weights(Node const& node, char const* role) {
  auto const* found = weight(node, role);
  if (!found) return {};
  Weights const result{dtype(found->dtype), found->count > 0 ? found->data : nullptr, found->count};
  if (!found->name.empty() && found->count > 0) unnamed_weights_.emplace_back(result, found->name.c_str());
  return result;
}

void Lowering::set_optional_inputs(Node const& node, Layer* layer, size_t from) {
  if (!layer) return;
  for (size_t i = from; i < node.inputs.size(); i++) {
    if (has_input(node, i)) call<m::Layer::setInput>(layer, static_cast<int32_t>(i), input(node, i));
  }
}

Node const* Lowering::maker_of(int32_t id) const {
  auto const found = makers_.find(id);
  return found == makers_.end() ? nullptr : found->second;
}

Node const* Lowering::constant_of(int32_t id) const {
  Node const* maker = maker_of(id);
  return maker && maker->kind == "constant" ? maker : nullptr;
}

Layer* Lowering::part(Node const& node, Layer* layer, char const* suffix) {
  if (!layer) fail(node, "ERR_LAYER", std::string("TensorRT refused the layer (in its part '") + suffix + "')");
  call<m::Layer::setName>(layer, (node.name + "/" + suffix).c_str());
  if (notes_names) call<m::Layer::setMetadata>(layer, node.name.c_str());
  return layer;
}

Tensor* Lowering::helper(Node const& node, Layer* layer, char const* suffix) {
  part(node, layer, suffix);
  Tensor* output = call<m::Layer::getOutput>(layer, 0);
  if (!output) fail(node, "ERR_LAYER", std::string("TensorRT returned no output for its part '") + suffix + "'");
  call<m::Tensor::setName>(output, (node.name + "/" + suffix).c_str());
  return output;
}

Tensor* Lowering::cast(Node const& node, Tensor* tensor, std::string const& to, char const* suffix) {
  int32_t const wanted = dtype(to);
  return call<m::Tensor::getType>(tensor) == wanted ? tensor : helper(node, add<m::Network::addCast>(tensor, wanted), suffix);
}

Tensor* Lowering::vector(Node const& node, Tensor* tensor, std::string const& suffix) {
  return call<m::Tensor::getDimensions>(tensor).rank == 0 ? helper(node, reshape(tensor, {1}), suffix.c_str()) : tensor;
}

Layer* Lowering::reshape(Tensor* tensor, std::vector<int64_t> const& dims) {
  Layer* layer = add<m::Network::addShuffle>(tensor);
  Dims const target = to_dims(dims);
  if (layer) call<m::ShuffleLayer::setReshapeDimensions>(layer, target);
  return layer;
}

Tensor* Lowering::constant(Node const& node, std::string const& type, std::vector<int64_t> const& shape, void const* data, size_t bytes, char const* suffix) {
  auto copy = std::make_shared<std::vector<char>>(bytes);
  std::memcpy(copy->data(), data, bytes);
  kept_.push_back(std::shared_ptr<void>(copy, copy->data()));
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  Dims const dims = to_dims(shape);
  Weights const weights{dtype(type), copy->data(), count};
  Tensor* const made = helper(node, add<m::Network::addConstant>(dims, weights), suffix);
  if (keeps_constants) {
    constants.push_back({node.name + "/" + suffix, type, shape, copy});
    add<m::Network::setWeightsName>(weights, constants.back().name.c_str());
  }
  return made;
}

Tensor* Lowering::constant(Node const& node, std::vector<int64_t> const& values, char const* suffix, bool scalar, char const* type) {
  std::vector<int64_t> const shape = scalar ? std::vector<int64_t>{} : std::vector<int64_t>{static_cast<int64_t>(values.size())};
  if (std::string_view(type) == "int64") return constant(node, type, shape, values.data(), values.size() * 8, suffix);
  std::vector<int32_t> const narrow(values.begin(), values.end());
  return constant(node, type, shape, narrow.data(), narrow.size() * 4, suffix);
}

bool Lowering::is_claimed(std::string const& name, int32_t id) {
  if (claimed_.empty()) {
    for (auto const& [output, its] : program_.graph.outputs) claimed_[its] = output;
  }
  auto const found = claimed_.find(name);
  return found != claimed_.end() && found->second != id;
}

void Lowering::finish_output(Node const& node, size_t index, Tensor* tensor) {
  ValueType const& ours = node.outputs.at(index);
  if (!tensor) fail(node, "ERR_LAYER", "TensorRT returned no output " + std::to_string(index));
  if (node.outputs.size() == 1 && !is_claimed(node.name, ours.id)) {
    call<m::Tensor::setName>(tensor, node.name.c_str());
  } else {
    call<m::Tensor::setName>(tensor, (node.name + ":" + std::to_string(index)).c_str());
  }
  int32_t const type = call<m::Tensor::getType>(tensor);
  Dims const dims = call<m::Tensor::getDimensions>(tensor);
  if (dims.rank < 0 || dims.rank > 8) fail(node, "ERR_LAYER", "TensorRT could not infer its shape");
  // A dim that only one side knows does not contradict the other.
  bool same = dtype(ours.dtype) == type && ours.shape.size() == static_cast<size_t>(dims.rank);
  for (size_t i = 0; same && i < ours.shape.size(); i++) same = ours.shape[i] == dims.d[i] || ours.shape[i] == -1 || dims.d[i] == -1;
  if (!same) {
    fail(node, "ERR_INFERENCE", "output " + std::to_string(index) + " was inferred as " + describe(ours.dtype, ours.shape) + ", TensorRT says " +
                                    describe(dtype_name(api, type), {dims.d, dims.d + dims.rank}));
  }
  if (keep_records_) records_.push_back({node.name, node.kind, ours.dtype, dims});
  bind(ours.id, tensor);
}

void Lowering::lower_node(Node const& node) {
  Node const* const outer = std::exchange(current_, &node);
  static std::unordered_map<std::string, LayerKind> const table = [] {
    std::unordered_map<std::string, LayerKind> map;
    for (auto const& row : layer_kinds()) {
      if (!map.emplace(row.kind, row).second) throw Error("ERR_INTERNAL", std::string("layer kind '") + row.kind + "' is in the table twice");
    }
    return map;
  }();
  auto const row = table.find(node.kind);
  if (row == table.end()) fail(node, "ERR_UNSUPPORTED", "the addon does not know this layer kind");
  for (auto const& output : node.outputs) makers_[output.id] = &node;
  try {
    int32_t const first = read_back_ ? add<m::Network::getNbLayers>() : 0;
    Layer* layer = row->second.lower(*this, node);
    // TensorRT names only weights that a layer already uses.
    for (auto const& [weights, name] : unnamed_weights_) add<m::Network::setWeightsName>(weights, name);
    unnamed_weights_.clear();
    if (layer) {
      call<m::Layer::setName>(layer, node.name.c_str());
      if (notes_names) call<m::Layer::setMetadata>(layer, node.name.c_str());
      for (size_t i = 0; i < node.outputs.size(); i++) finish_output(node, i, call<m::Layer::getOutput>(layer, static_cast<int32_t>(i)));
    } else {
      for (auto const& output : node.outputs) {
        if (static_cast<size_t>(output.id) >= values_.size() || !values_[output.id]) fail(node, "ERR_LAYER", "TensorRT refused the layer");
      }
    }
    if (read_back_) read_back_->read(node, first);
  } catch (Error const& error) {
    if (!error.layer.name.empty()) throw;
    fail(node, error.code, error.what());
  }
  current_ = outer;
}

void Lowering::lower_body(Graph const& body) {
  depth_++;
  for (auto const& node : body.nodes) lower_node(node);
  depth_--;
}

bool Lowering::has_users(int32_t id) {
  if (used_.empty()) collect_used(program_.graph, used_);
  return used_.count(id) > 0;
}

void Lowering::add_inputs() {
  for (auto const& input : program_.graph.inputs) {
    Dims const dims = to_dims(input.shape);
    Tensor* tensor = add<m::Network::addInput>(input.name.c_str(), dtype(input.dtype), dims);
    if (!tensor) throw Error("ERR_INPUT", "TensorRT refused the input '" + input.name + "' of " + describe(input.dtype, input.shape));
    for (size_t i = 0; i < input.dim_names.size(); i++) {
      if (!input.dim_names[i].empty()) call<m::Tensor::setDimensionName>(tensor, static_cast<int32_t>(i), input.dim_names[i].c_str());
    }
    bind(input.id, tensor);
  }
}

void Lowering::mark_outputs() {
  std::unordered_set<Tensor*> taken;
  for (auto const& input : program_.graph.inputs) taken.insert(value(input.id));
  for (auto const& [id, name] : program_.graph.outputs) {
    Tensor* tensor = value(id);
    // An input, or a tensor that is an output already, needs an identity.
    if (!taken.insert(tensor).second) {
      Layer* identity = add<m::Network::addIdentity>(tensor);
      if (!identity) throw Error("ERR_LAYER", "TensorRT refused the identity for output '" + name + "'");
      call<m::Layer::setName>(identity, ("output/" + name).c_str());
      tensor = call<m::Layer::getOutput>(identity, 0);
    }
    call<m::Tensor::setName>(tensor, name.c_str());
    add<m::Network::markOutput>(tensor);
  }
}

void Lowering::mark_debug() {
  for (int32_t id : program_.debug) {
    if (!add<m::Network::markDebug>(value(id))) throw Error("ERR_LAYER", std::string("TensorRT refused the debug tensor '") + call<m::Tensor::getName>(value(id)) + "'");
  }
}

Lowering::Names Lowering::names() {
  Names all;
  auto const name_of = [&](Tensor* tensor) { return std::string(tensor ? call<m::Tensor::getName>(tensor) : ""); };
  int32_t const inputs = add<m::Network::getNbInputs>(), layers = add<m::Network::getNbLayers>(), outputs = add<m::Network::getNbOutputs>();
  for (int32_t i = 0; i < inputs; i++) all.inputs.push_back(name_of(add<m::Network::getInput>(i)));
  for (int32_t i = 0; i < layers; i++) {
    Layer* layer = add<m::Network::getLayer>(i);
    auto& entry = all.layers.emplace_back();
    entry.name = call<m::Layer::getName>(layer);
    int32_t const count = call<m::Layer::getNbOutputs>(layer);
    for (int32_t k = 0; k < count; k++) entry.outputs.push_back(name_of(call<m::Layer::getOutput>(layer, k)));
  }
  for (int32_t i = 0; i < outputs; i++) all.outputs.push_back(name_of(add<m::Network::getOutput>(i)));
  return all;
}

void Lowering::run() {
  if (keep_records_) records_.reserve(program_.graph.nodes.size());
  add<m::Network::setName>(program_.name.c_str());
  add_inputs();
  lower_body(program_.graph);
  mark_outputs();
  mark_debug();
  if (read_back_) read_back_->read_ends(program_);
}

}  // namespace ntrt
