#include "network.h"

#include <algorithm>

namespace standin {

namespace {

NAMED(VNetworkDefinition);
NAMED(VTensor);
NAMED(VLayer);
NAMED(VActivationLayer);
NAMED(VCastLayer);
NAMED(VConstantLayer);
NAMED(VPluginV3Layer);
NAMED(VShuffleLayer);

Tensor* tensor_of(void* handle) { return handle ? static_cast<Tensor*>(static_cast<Handle*>(handle)) : nullptr; }
void* handle_of(Handle* object) { return object; }

// ITensor
void set_name(void* f, char const* name) { self<Tensor>(f).plan().name = name; }
char const* get_name(void* f) { return self<Tensor>(f).plan().name.c_str(); }
Dims get_dims(void* f) { return self<Tensor>(f).dims(); }
int32_t get_type(void* f) { return self<Tensor>(f).plan().type; }
bool is_input(void* f) { return self<Tensor>(f).plan().mode == 1; }
bool is_output(void* f) { return self<Tensor>(f).plan().mode == 2; }
void set_formats(void* f, uint32_t formats) { self<Tensor>(f).formats = formats; }
uint32_t get_formats(void* f) { return self<Tensor>(f).formats; }
bool is_shape(void* f) { return self<Tensor>(f).network.is_shape(self<Tensor>(f).index); }
bool is_execution(void*) { return true; }
void set_dim_name(void* f, int32_t axis, char const* name) { self<Tensor>(f).dim_names[axis] = name; }
char const* get_dim_name(void* f, int32_t axis) {
  auto const& names = self<Tensor>(f).dim_names;
  auto const found = names.find(axis);
  return found == names.end() ? nullptr : found->second.c_str();
}

void* const* tensor_methods() {
  namespace s = slot::VTensor;
  static void* const* const made = table<VTensorName>(
      {at(s::setName, &set_name), at(s::getName, &get_name), at(s::getDimensions, &get_dims), at(s::getType, &get_type), at(s::isNetworkInput, &is_input), at(s::isNetworkOutput, &is_output), at(s::setAllowedFormats, &set_formats),
       at(s::getAllowedFormats, &get_formats), at(s::isShapeTensor, &is_shape), at(s::isExecutionTensor, &is_execution), at(s::setDimensionName, &set_dim_name), at(s::getDimensionName, &get_dim_name)});
  return made;
}

// ILayer
int32_t layer_type(void* f) { return self<Layer>(f).plan().type; }
void layer_set_name(void* f, char const* name) { self<Layer>(f).plan().name = name; }
char const* layer_name(void* f) { return self<Layer>(f).plan().name.c_str(); }
int32_t layer_inputs(void* f) { return static_cast<int32_t>(self<Layer>(f).plan().inputs.size()); }
int32_t layer_outputs(void* f) { return static_cast<int32_t>(self<Layer>(f).plan().outputs.size()); }
void* layer_tensor(Layer& layer, std::vector<int32_t> const& list, int32_t i) {
  return i < 0 || static_cast<size_t>(i) >= list.size() ? nullptr : handle_of(layer.network.tensors[list[i]].get());
}
void* layer_input(void* f, int32_t i) { return layer_tensor(self<Layer>(f), self<Layer>(f).plan().inputs, i); }
void* layer_output(void* f, int32_t i) { return layer_tensor(self<Layer>(f), self<Layer>(f).plan().outputs, i); }
void layer_set_metadata(void* f, char const* text) { self<Layer>(f).metadata = text; }
char const* layer_metadata(void* f) { return self<Layer>(f).metadata.c_str(); }

void* const* layer_methods() {
  namespace s = slot::VLayer;
  static void* const* const made = table<VLayerName>({at(s::getType, &layer_type), at(s::setName, &layer_set_name), at(s::getName, &layer_name), at(s::getNbInputs, &layer_inputs), at(s::getNbOutputs, &layer_outputs),
                                                      at(s::getInput, &layer_input), at(s::getOutput, &layer_output), at(s::setMetadata, &layer_set_metadata), at(s::getMetadata, &layer_metadata)});
  return made;
}

void set_parameter(void* f, int32_t value) { self<Layer>(f).plan().parameter = value; }
int32_t get_parameter(void* f) { return self<Layer>(f).plan().parameter; }
void set_alpha(void* f, float value) { self<Layer>(f).alpha = value; }
void set_beta(void* f, float value) { self<Layer>(f).beta = value; }
float get_alpha(void* f) { return self<Layer>(f).alpha; }
float get_beta(void* f) { return self<Layer>(f).beta; }
void reshape(void* f, Dims const& dims) {
  auto& layer = self<Layer>(f);
  auto& plan = layer.network.plan;
  auto& sizes = plan.tensors[layer.plan().outputs[0]].dims;
  sizes.clear();
  for (int i = 0; i < dims.rank; i++) {
    if (dims.d[i] < 0) die("the stand-in reshapes to known sizes only");
    sizes.push_back(plan.add({Node::constant, dims.d[i]}));
  }
}
Weights get_weights(void* f) { return self<Layer>(f).weights; }
Dims constant_dims(void* f) { return self<Layer>(f).network.tensors[self<Layer>(f).plan().outputs[0]]->dims(); }
void* get_plugin(void* f) { return self<Layer>(f).plugin->object(); }

void* const* methods_of(int32_t type) {
  static void* const* const activation =
      table<VActivationLayerName>({at(slot::VActivationLayer::setActivationType, &set_parameter), at(slot::VActivationLayer::getActivationType, &get_parameter), at(slot::VActivationLayer::setAlpha, &set_alpha),
                                   at(slot::VActivationLayer::setBeta, &set_beta), at(slot::VActivationLayer::getAlpha, &get_alpha), at(slot::VActivationLayer::getBeta, &get_beta)});
  static void* const* const cast = table<VCastLayerName>({at(slot::VCastLayer::setToType, &set_parameter), at(slot::VCastLayer::getToType, &get_parameter)});
  static void* const* const constant = table<VConstantLayerName>({at(slot::VConstantLayer::getWeights, &get_weights), at(slot::VConstantLayer::getDimensions, &constant_dims)});
  static void* const* const plugin = table<VPluginV3LayerName>({at(slot::VPluginV3Layer::getPlugin, &get_plugin)});
  static void* const* const shuffle = table<VShuffleLayerName>({at(slot::VShuffleLayer::setReshapeDimensions, &reshape)});
  if (type == kSHUFFLE) return shuffle;
  return type == kACTIVATION ? activation : type == kCAST ? cast : type == kCONSTANT ? constant : type == kPLUGIN_V3 ? plugin : layer_methods();
}

// INetworkDefinition
Network& of(void* f) { return self<Network>(f); }
void* add_input(void* f, char const* name, int32_t type, Dims const& dims) {
  auto& network = of(f);
  if (network.plan.find(name) >= 0) return nullptr;
  Tensor* const tensor = network.add_tensor(name, type);
  tensor->plan().mode = 1;
  network.plan.inputs.push_back(tensor->index);
  for (int i = 0; i < dims.rank; i++) tensor->plan().dims.push_back(network.plan.add(dims.d[i] >= 0 ? Node{Node::constant, dims.d[i]} : Node{Node::dim, 0, tensor->index, i}));
  return handle_of(tensor);
}
bool set_debug(void* handle, bool on) { return static_cast<Tensor*>(static_cast<Handle*>(handle))->plan().debug = on, true; }
bool mark_debug(void*, void* handle) { return set_debug(handle, true); }
bool unmark_debug(void*, void* handle) { return set_debug(handle, false); }
bool is_debug(void*, void* handle) { return static_cast<Tensor*>(static_cast<Handle*>(handle))->plan().debug; }
void mark_output(void* f, void* handle) {
  Tensor* const tensor = tensor_of(handle);
  tensor->plan().mode = 2;
  of(f).plan.outputs.push_back(tensor->index);
}
bool mark_for_shapes(void*, void*) { return false; }

// A layer whose output has the shape of its input.
Layer* add_like(Network& network, int32_t type, Tensor* input, int32_t dtype) {
  if (input->dims().rank < 0) return nullptr;
  Layer* const layer = network.add_layer(type, {input});
  Tensor* const output = network.add_tensor("", dtype);
  output->maker = layer;
  output->plan().dims = input->plan().dims;
  layer->plan().outputs = {output->index};
  return layer;
}
void* add_activation(void* f, void* input, int32_t type) {
  Layer* const layer = add_like(of(f), kACTIVATION, tensor_of(input), tensor_of(input)->plan().type);
  if (layer) layer->plan().parameter = type;
  return handle_of(layer);
}
void* add_identity(void* f, void* input) { return handle_of(add_like(of(f), kIDENTITY, tensor_of(input), tensor_of(input)->plan().type)); }
void* add_cast(void* f, void* input, int32_t type) {
  Layer* const layer = add_like(of(f), kCAST, tensor_of(input), type);
  if (layer) layer->plan().parameter = type;
  return handle_of(layer);
}
void* add_shuffle(void* f, void* input) {
  Layer* const layer = add_like(of(f), kSHUFFLE, tensor_of(input), tensor_of(input)->plan().type);
  return handle_of(layer);
}
void* add_constant(void* f, Dims const& dims, Weights weights) {
  auto& network = of(f);
  Layer* const layer = network.add_layer(kCONSTANT, {});
  Tensor* const output = network.add_tensor("", weights.type);
  output->maker = layer;
  for (int i = 0; i < dims.rank; i++) output->plan().dims.push_back(network.plan.add({Node::constant, dims.d[i]}));
  layer->plan().outputs = {output->index};
  layer->weights = weights;
  layer->plan().constant.assign(static_cast<char const*>(weights.values), bytes_of(dims, weights.type));
  return handle_of(layer);
}

void* add_plugin(void* f, void* const* inputs, int32_t count, void* const* shapes, int32_t shape_count, void* object) {
  auto& network = of(f);
  std::vector<Tensor*> all;
  for (int i = 0; i < count; i++) all.push_back(tensor_of(inputs[i]));
  for (int i = 0; i < shape_count; i++) all.push_back(tensor_of(shapes[i]));
  // Clones at once: what was given may be destroyed right afterwards.
  struct Given {
    void* object;
    std::unique_ptr<Plugin> clone() const { return std::make_unique<Plugin>((info_of(object), invoke<void*>(object, slot::IPluginV3::clone)), "clone", "(Unnamed)"); }
  };
  auto plugin = Given{object}.clone();
  auto const refuse = [&](std::string const& why) {
    log(error, "INetworkDefinition::addPluginV3: Error Code 3: API Usage Error (" + why + ")");
    return nullptr;
  };
  if (!plugin->has_build()) return refuse("the plugin has no build capability");
  std::string const name = plugin->name(), version = plugin->version(), space = plugin->space();
  int32_t const outputs = plugin->outputs();
  if (outputs < 1) return refuse("getNbOutputs gave " + std::to_string(outputs));
  std::vector<int32_t> in, out(outputs, -1);
  for (int i = 0; i < count; i++) in.push_back(all[i]->plan().type);
  if (int32_t const result = plugin->output_types(out, in)) return refuse(name + ": IPluginV3OneBuild::getOutputDataTypes returned error code " + std::to_string(result));
  Layer* const layer = network.add_layer(kPLUGIN_V3, all);
  auto& plan = layer->plan();
  plan.plugin = name, plan.version = version, plan.space = space;
  plan.shape_inputs = shape_count;
  for (int i = 0; i < outputs; i++) {
    Tensor* const tensor = network.add_tensor("", out[i]);
    tensor->maker = layer;
    tensor->has_dims = false;
    layer->plan().outputs.push_back(tensor->index);
  }
  layer->plugin = std::move(plugin);
  return handle_of(layer);
}

int32_t nb_layers(void* f) { return static_cast<int32_t>(of(f).layers.size()); }
void* get_layer(void* f, int32_t i) { return handle_of(of(f).layers.at(i).get()); }
int32_t nb_inputs(void* f) { return static_cast<int32_t>(of(f).plan.inputs.size()); }
void* get_input(void* f, int32_t i) { return handle_of(of(f).tensors[of(f).plan.inputs.at(i)].get()); }
int32_t nb_outputs(void* f) { return static_cast<int32_t>(of(f).plan.outputs.size()); }
void* get_output(void* f, int32_t i) { return handle_of(of(f).tensors[of(f).plan.outputs.at(i)].get()); }
void network_set_name(void* f, char const* name) { of(f).plan.name = name; }
char const* network_name(void* f) { return of(f).plan.name.c_str(); }
// Names what has these elements so far.
bool set_weights_name(void* f, Weights weights, char const* name) {
  bool found = false;
  for (auto const& layer : of(f).layers) {
    if (layer->weights.values != weights.values || layer->weights.count != weights.count) continue;
    layer->plan().weight = name;
    found = true;
  }
  of(f).weight_names.insert(name);
  return found;
}
bool mark_refittable(void* f, char const* name) { return self<Network>(f).weight_names.count(name) && self<Network>(f).refittable.insert(name).second; }
bool unmark_refittable(void* f, char const* name) { return self<Network>(f).refittable.erase(name); }
bool is_refittable(void* f, char const* name) { return self<Network>(f).refittable.count(name); }

void* const* network_methods() {
  namespace s = slot::VNetworkDefinition;
  static void* const* const made = table<VNetworkDefinitionName>(
      {at(s::addInput, &add_input), at(s::markOutput, &mark_output), at(s::markOutputForShapes, &mark_for_shapes), at(s::addActivation, &add_activation), at(s::addIdentity, &add_identity), at(s::addCast, &add_cast),
       at(s::addConstant, &add_constant), at(s::addShuffle, &add_shuffle), at(s::addPluginV3, &add_plugin), at(s::getNbLayers, &nb_layers), at(s::getLayer, &get_layer), at(s::getNbInputs, &nb_inputs), at(s::getInput, &get_input), at(s::getNbOutputs, &nb_outputs),
       at(s::getOutput, &get_output), at(s::setName, &network_set_name), at(s::getName, &network_name), at(s::setWeightsName, &set_weights_name), at(s::markWeightsRefittable, &mark_refittable), at(s::unmarkWeightsRefittable, &unmark_refittable), at(s::areWeightsMarkedRefittable, &is_refittable), at(s::markDebug, &mark_debug), at(s::unmarkDebug, &unmark_debug), at(s::isDebugTensor, &is_debug)});
  return made;
}

}  // namespace

Tensor::Tensor(Network& network, int32_t index) : Handle(child_table(), tensor_methods()), network(network), index(index) {}
PlanTensor& Tensor::plan() { return network.plan.tensors[index]; }
Dims Tensor::dims() {
  Dims unknown;
  unknown.rank = -1;
  if (!has_dims && !infer_shapes(*maker)) return unknown;
  return network.plan.evaluate(plan(), [](Node const&) { return std::nullopt; });
}

Layer::Layer(Network& network, int32_t index, int32_t type) : Handle(child_table(), layer_methods(), methods_of(type)), network(network), index(index) {}
PlanLayer& Layer::plan() { return network.plan.layers[index]; }

Network::Network() : Handle(handle_table<Network>(), network_methods()) {}
Network::~Network() {}

Tensor* Network::add_tensor(std::string const& name, int32_t type) {
  auto const index = static_cast<int32_t>(plan.tensors.size());
  PlanTensor tensor;
  tensor.name = name.empty() ? "(Unnamed tensor " + std::to_string(index) + ")" : name;
  tensor.type = type;
  plan.tensors.push_back(tensor);
  return tensors.emplace_back(std::make_unique<Tensor>(*this, index)).get();
}

Layer* Network::add_layer(int32_t type, std::vector<Tensor*> const& inputs) {
  auto const index = static_cast<int32_t>(plan.layers.size());
  PlanLayer layer;
  layer.type = type;
  layer.name = "(Unnamed Layer* " + std::to_string(index) + ")";
  for (Tensor* tensor : inputs) layer.inputs.push_back(tensor->index);
  plan.layers.push_back(layer);
  return layers.emplace_back(std::make_unique<Layer>(*this, index, type)).get();
}

bool Network::is_shape(int32_t tensor) const {
  return std::any_of(plan.layers.begin(), plan.layers.end(), [&](PlanLayer const& layer) {
    if (layer.type == kSHUFFLE && layer.inputs[0] == tensor) return is_shape(layer.outputs[0]);
    return std::find(layer.inputs.end() - layer.shape_inputs, layer.inputs.end(), tensor) != layer.inputs.end();
  });
}

}  // namespace standin
