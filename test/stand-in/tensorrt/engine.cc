#include "engine.h"

#include <algorithm>

#include "activation.h"
#include "config.h"
#include "refit.h"

namespace standin {

namespace {

NAMED(VCudaEngine);
NAMED(VEngineInspector);

Engine& of(void* f) { return self<Engine>(f); }
PlanTensor const* tensor(void* f, char const* name) {
  int32_t const index = of(f).plan.find(name);
  return index < 0 ? nullptr : &of(f).plan.tensors[index];
}
int32_t nb_layers(void* f) { return static_cast<int32_t>(of(f).plan.layers.size()); }
char const* name(void* f) { return of(f).plan.name.c_str(); }
int32_t nb_profiles(void* f) { return static_cast<int32_t>(of(f).plan.profiles.size()); }
int32_t nb_io(void* f) { return static_cast<int32_t>(of(f).plan.inputs.size() + of(f).plan.outputs.size()); }
char const* io_name(void* f, int32_t i) {
  auto const& plan = of(f).plan;
  size_t const inputs = plan.inputs.size();
  return plan.tensors[static_cast<size_t>(i) < inputs ? plan.inputs[i] : plan.outputs.at(i - inputs)].name.c_str();
}
Dims shape(void* f, char const* name) {
  return of(f).plan.evaluate(*tensor(f, name), [](Node const&) { return std::nullopt; });
}
int32_t type(void* f, char const* name) { return tensor(f, name)->type; }
int32_t location(void* f, char const* name) { return tensor(f, name)->on_host; }
bool is_shape_io(void* f, char const* name) { return tensor(f, name)->on_host; }
int32_t mode(void* f, char const* name) { return tensor(f, name) ? tensor(f, name)->mode : 0; }
int32_t component_bytes(void* f, char const* name) { return static_cast<int32_t>(size_of(tensor(f, name)->type)); }
int32_t components(void*, char const*) { return 1; }
int32_t format(void* f, char const* name) { return tensor(f, name)->format; }
int32_t profile_format(void* f, char const* name, int32_t) { return tensor(f, name)->format; }
int32_t vectorized(void*, char const*) { return -1; }
Dims profile_shape(void* f, char const* name, int32_t profile, int32_t which) {
  return of(f).plan.evaluate(*tensor(f, name), of(f).plan.in_profile(profile, which));
}
int64_t const* profile_values(void* f, char const* name, int32_t profile, int32_t which) {
  auto const& ranges = of(f).plan.profiles.at(profile);
  auto const found = ranges.find(name);
  return found == ranges.end() ? nullptr : found->second.values[which].data();
}
int32_t const* profile_values32(void* f, char const* name, int32_t profile, int32_t which) {
  int64_t const* const wide = profile_values(f, name, profile, which);
  if (!wide) return nullptr;
  auto const& values = of(f).plan.profiles[profile].at(name).values[which];
  auto& narrow = of(f).narrow[std::string(name) + "/" + std::to_string(profile) + "/" + std::to_string(which)];
  narrow.assign(values.begin(), values.end());
  return narrow.data();
}
int64_t memory_size(void* f) { return of(f).memory_size(); }
int64_t profile_memory_size(void* f, int32_t profile) { return static_cast<int64_t>(Layout::of_profile(of(f).plan, profile).bytes); }
int32_t aux_streams(void*) { return nb_aux_streams(); }
bool is_debug(void* f, char const* name) { return tensor(f, name) && tensor(f, name)->debug; }
void set_recorder(void* f, void* recorder) { of(f).recorder.set(recorder); }
void* get_recorder(void* f) { return of(f).recorder.get(); }

// Streaming of weights
int64_t streamable(void* f) { return of(f).streamable(); }
bool set_budget(void* f, int64_t bytes) {
  if (of(f).contexts) return of(f).recorder.report("ICudaEngine::setWeightStreamingBudgetV2: Error Code 3: API Usage Error (the budget cannot be set while the engine has contexts)"), false;
  if (bytes < 0 || !of(f).streamable()) return of(f).recorder.report("ICudaEngine::setWeightStreamingBudgetV2: Error Code 3: API Usage Error (a budget of " + std::to_string(bytes) + " bytes)"), false;
  return of(f).budget = std::min(bytes, of(f).streamable()), true;
}
int64_t get_budget(void* f) { return of(f).budget; }
int64_t automatic_budget(void* f) { return of(f).streamable() / 2; }
int64_t minimum_budget(void*) { return 0; }
int64_t scratch_size(void* f) { return of(f).budget < of(f).streamable() ? 512 : 0; }
char const* alias(void* f, char const* name) {
  int32_t const output = of(f).plan.find(name);
  int32_t const input = output < 0 ? -1 : of(f).alias_of(output);
  return input < 0 ? nullptr : of(f).plan.tensors[input].name.c_str();
}
void* create_context(void* f, int32_t strategy) { return make_context(of(f), strategy); }
void* create_context_without_memory(void* f) { return make_context(of(f), 2); }

struct RuntimeConfig : Handle {
  int32_t strategy = 0;
  RuntimeConfig();
};
NAMED(VRuntimeConfig);
void set_strategy(void* f, int32_t strategy) { self<RuntimeConfig>(f).strategy = strategy; }
int32_t get_strategy(void* f) { return self<RuntimeConfig>(f).strategy; }
void* const* config_methods() {
  namespace s = slot::VRuntimeConfig;
  static void* const* const made = standin::table<VRuntimeConfigName>({at(s::setExecutionContextAllocationStrategy, &set_strategy), at(s::getExecutionContextAllocationStrategy, &get_strategy)});
  return made;
}
RuntimeConfig::RuntimeConfig() : Handle(handle_table<RuntimeConfig>(), config_methods()) {}
void* create_config(void*) { return static_cast<Handle*>(new RuntimeConfig); }
void* create_context_configured(void* f, void* config) { return make_context(of(f), static_cast<RuntimeConfig*>(static_cast<Handle*>(config))->strategy); }

struct Inspector : Handle {
  std::string text;
  explicit Inspector(Plan const& plan);
};
char const* information(void* f, int32_t) { return self<Inspector>(f).text.c_str(); }
void* const* inspector_methods() {
  static void* const* const made = standin::table<VEngineInspectorName>({at(slot::VEngineInspector::getEngineInformation, &information)});
  return made;
}
Inspector::Inspector(Plan const& plan) : Handle(handle_table<Inspector>(), inspector_methods()) {
  std::string layers, bindings;
  for (auto const& layer : plan.layers) layers += (layers.empty() ? "" : ",") + quoted(layer.name);
  for (auto const* list : {&plan.inputs, &plan.outputs}) {
    for (int32_t i : *list) bindings += (bindings.empty() ? "" : ",") + quoted(plan.tensors[i].name);
  }
  text = "{\"Layers\": [" + layers + "], \"Bindings\": [" + bindings + "]}";
}
void* create_inspector(void* f) { return static_cast<Handle*>(new Inspector(of(f).plan)); }

bool is_refittable(void* f) {
  return std::any_of(of(f).plan.layers.begin(), of(f).plan.layers.end(), [](PlanLayer const& layer) { return layer.refittable; });
}
void* create_serialization_config(void* f) { return make_serialization_config(of(f)); }
void* serialize(void* f) { return host_memory(serialized(of(f), nullptr)); }
void* serialize_configured(void* f, void* config) { return host_memory(serialized(of(f), config)); }

void* const* methods() {
  namespace s = slot::VCudaEngine;
  static void* const* const made = table<VCudaEngineName>(
      {at(s::isRefittable, &is_refittable), at(s::createSerializationConfig, &create_serialization_config), at(s::serialize, &serialize), at(s::serializeWithConfig, &serialize_configured),
       at(s::getNbLayers, &nb_layers), at(s::createExecutionContext, &create_context), at(s::getName, &name), at(s::getNbOptimizationProfiles, &nb_profiles), at(s::getProfileTensorValues, &profile_values32),
       at(s::createEngineInspector, &create_inspector), at(s::getTensorShape, &shape), at(s::getTensorDataType, &type), at(s::getTensorLocation, &location), at(s::isShapeInferenceIO, &is_shape_io),
       at(s::getTensorIOMode, &mode), at(s::getTensorBytesPerComponent, &component_bytes), at(s::getTensorComponentsPerElement, &components), at(s::getTensorFormat, &format), at(s::getTensorFormatV2, &profile_format), at(s::getTensorVectorizedDim, &vectorized),
       at(s::getProfileShape, &profile_shape), at(s::getNbIOTensors, &nb_io), at(s::getIOTensorName, &io_name), at(s::getDeviceMemorySizeV2, &memory_size), at(s::getProfileTensorValuesV2, &profile_values),
       at(s::getAliasedInputTensor, &alias), at(s::createExecutionContextWithoutDeviceMemory, &create_context_without_memory), at(s::createRuntimeConfig, &create_config), at(s::createExecutionContextWithRuntimeConfig, &create_context_configured),
       at(s::getDeviceMemorySize, &memory_size), at(s::getDeviceMemorySizeForProfile, &profile_memory_size), at(s::getDeviceMemorySizeForProfileV2, &profile_memory_size), at(s::getNbAuxStreams, &aux_streams),
       at(s::isDebugTensor, &is_debug), at(s::setErrorRecorder, &set_recorder), at(s::getErrorRecorder, &get_recorder), at(s::getStreamableWeightsSize, &streamable), at(s::setWeightStreamingBudgetV2, &set_budget),
       at(s::getWeightStreamingBudgetV2, &get_budget), at(s::setWeightStreamingBudget, &set_budget), at(s::getWeightStreamingBudget, &get_budget), at(s::getWeightStreamingAutomaticBudget, &automatic_budget),
       at(s::getMinimumWeightStreamingBudget, &minimum_budget), at(s::getWeightStreamingScratchMemorySize, &scratch_size)});
  return made;
}

}  // namespace

Engine::Engine(Recorder const* above) : Handle(handle_table<Engine>(), methods()), recorder(above) {}

Engine::~Engine() {
  if (contexts) die("engine '" + plan.name + "' is destroyed before its contexts");
}

int64_t Engine::memory_size() const {
  size_t most = 0;
  for (size_t profile = 0; profile < std::max<size_t>(plan.profiles.size(), 1); profile++) most = std::max(most, Layout::of_profile(plan, profile).bytes);
  return static_cast<int64_t>(most);
}

int64_t Engine::streamable() const {
  int64_t bytes = 0;
  for (auto const& layer : plan.layers) bytes += static_cast<int64_t>(layer.constant.size());
  return plan.streams_weights ? bytes : 0;
}

int32_t nb_aux_streams() {
  std::string const text = environment("STANDIN_AUX_STREAMS");
  return text.empty() ? 0 : std::stoi(text);
}

int32_t Engine::alias_of(int32_t output) const {
  for (auto const& layer : plan.layers) {
    for (size_t i = 0; i < layer.aliases.size(); i++) {
      if (layer.outputs[i] != output || layer.aliases[i] < 0) continue;
      int32_t const input = layer.inputs[layer.aliases[i]];
      return plan.tensors[input].mode == 1 ? input : -1;
    }
  }
  return -1;
}

Engine* deserialize(std::string const& bytes, Registry* registry, Recorder const* recorder) {
  auto const fail = [&](std::string const& text) { recorder->report("IRuntime::deserializeCudaEngine: " + text); };
  auto engine = std::make_unique<Engine>(recorder);
  if (!Plan::read(bytes, engine->plan)) return fail("Error Code 1: Serialization (Serialization assertion stdMagicTag == magicTag failed.Magic tag does not match)"), nullptr;
  if (engine->plan.release != RELEASE) {
    return fail("Error Code 6: API Usage Error (The engine plan file is not compatible with this version of TensorRT, expecting library version " + std::to_string(RELEASE) + " got " + std::to_string(engine->plan.release) + ", please rebuild.)"), nullptr;
  }
  for (auto const& layer : engine->plan.layers) {
    if (layer.type != kPLUGIN_V3) {
      engine->plugins.emplace_back();
      continue;
    }
    void* const creator = find_creator(registry, layer.plugin, layer.version, layer.space);
    if (!creator) return fail("Error Code 1: Serialization (Serialization assertion creator failed.Cannot deserialize plugin since corresponding IPluginCreator not found in Plugin Registry)"), nullptr;
    engine->plugins.push_back(create_plugin(creator, layer));
  }
  engine->budget = engine->streamable();
  return engine.release();
}

}  // namespace standin
