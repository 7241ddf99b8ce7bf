#include "plugin.h"

#include <atomic>

#include "cuda.h"

namespace standin {

InterfaceInfo info_of(void* object) {
  InterfaceInfo const info = invoke<InterfaceInfo>(object, slot::IPluginV3::getInterfaceInfo);
  if (!info.kind) die("getInterfaceInfo gave no kind");
  if (invoke<int32_t>(object, slot::IPluginV3::getAPILanguage) != 0) die(std::string(info.kind) + " is not in C++");
  return info;
}

namespace {

void require(void* object, char const* kind, int newest) {
  InterfaceInfo const info = info_of(object);
  if (std::string(info.kind) != kind || info.major < 1 || info.major > newest || info.minor != 0) {
    die(std::string("an object says it is ") + info.kind + " " + std::to_string(info.major) + "." + std::to_string(info.minor) + " where " + kind + " is needed");
  }
}

constexpr char const* capability_kinds[] = {"PLUGIN_V3ONE_CORE", "PLUGIN_V3ONE_BUILD", "PLUGIN_V3ONE_RUNTIME"};
constexpr char const* capability_names[] = {"IPluginV3OneCore", "IPluginV3OneBuild", "IPluginV3OneRuntime"};
// IPluginV3OneBuild 2 has aliases, from 10.3 on.
constexpr int newest_capability[] = {1, RELEASE >= 100300 ? 2 : 1, 1};

std::atomic<int> objects{0};

}  // namespace

Plugin::Plugin(void* object, std::string const& made, std::string const& layer) : object_(object), id_(++objects), layer_(layer) {
  if (!object) die(made + " of layer '" + layer + "' returned null: libnvinfer crashes here");
  require(object, "PLUGIN", 1);
  Line("tensorrt", "made").text("by", made).text("layer", layer).number("object", id_);
}

Plugin::~Plugin() {
  Line("tensorrt", "destroyed").text("layer", layer_).number("object", id_).flag("context", has_context());
  invoke<void>(object_, slot::IPluginV3::destroy);
}

void* Plugin::capability(Capability type) const {
  require(object_, "PLUGIN", 1);
  void* const found = invoke<void*>(object_, slot::IPluginV3::getCapabilityInterface, static_cast<int32_t>(type));
  if (found) require(found, capability_kinds[type], newest_capability[type]);
  return found;
}

template <class R, class... A>
R Plugin::call(Capability type, int slot, char const* name, A... args) const {
  void* const object = capability(type);
  if (!object) die("layer '" + layer_ + "' has no " + capability_names[type]);
  Line("tensorrt", name).text("interface", capability_names[type]).text("layer", layer_).number("object", id_).flag("context", has_context());
  if constexpr (std::is_same_v<R, int32_t>) {
    int32_t const result = invoke<R>(object, slot, args...);
    if (result != 0 && type != core) Line("tensorrt", "result").text("of", name).text("layer", layer_).number("object", id_).number("value", result);
    return result;
  } else {
    return invoke<R>(object, slot, args...);
  }
}

std::unique_ptr<Plugin> Plugin::clone(std::string const& layer) const {
  require(object_, "PLUGIN", 1);
  Line("tensorrt", "clone").text("interface", "IPluginV3").text("layer", layer_).number("object", id_).flag("context", has_context());
  return std::make_unique<Plugin>(invoke<void*>(object_, slot::IPluginV3::clone), "clone", layer.empty() ? layer_ : layer);
}

namespace {

std::string text_or_die(char const* text, char const* what) {
  if (!text) die(std::string(what) + " is null");
  return text;
}

}  // namespace

std::string Plugin::name() const { return text_or_die(call<char const*>(core, slot::IPluginV3OneCore::getPluginName, "getPluginName"), "getPluginName"); }
std::string Plugin::version() const { return text_or_die(call<char const*>(core, slot::IPluginV3OneCore::getPluginVersion, "getPluginVersion"), "getPluginVersion"); }
std::string Plugin::space() const { return text_or_die(call<char const*>(core, slot::IPluginV3OneCore::getPluginNamespace, "getPluginNamespace"), "getPluginNamespace"); }

bool Plugin::has_build() const { return capability(build) != nullptr; }
int32_t Plugin::outputs() const {
  auto const count = invoke<int32_t>(capability(build), slot::IPluginV3OneBuild::getNbOutputs);
  Line("tensorrt", "getNbOutputs").text("interface", capability_names[build]).text("layer", layer_).number("object", id_).flag("context", has_context()).number("value", count);
  return count;
}

int32_t Plugin::output_types(std::vector<int32_t>& out, std::vector<int32_t> const& in) const {
  return call<int32_t>(build, slot::IPluginV3OneBuild::getOutputDataTypes, "getOutputDataTypes", out.data(), static_cast<int32_t>(out.size()), in.data(), static_cast<int32_t>(in.size()));
}

int32_t Plugin::output_shapes(std::vector<DimsExprs> const& inputs, std::vector<DimsExprs> const& shapes, std::vector<DimsExprs>& out, void* builder) const {
  return call<int32_t>(build, slot::IPluginV3OneBuild::getOutputShapes, "getOutputShapes", inputs.data(), static_cast<int32_t>(inputs.size()), shapes.empty() ? nullptr : shapes.data(),
                       static_cast<int32_t>(shapes.size()), out.data(), static_cast<int32_t>(out.size()), builder);
}

bool Plugin::supports(int32_t position, std::vector<DynamicDesc> const& all, int32_t inputs) const {
  return call<bool>(build, slot::IPluginV3OneBuild::supportsFormatCombination, "supportsFormatCombination", position, all.data(), inputs, static_cast<int32_t>(all.size()) - inputs);
}

int32_t Plugin::configure(Descs const& d) const {
  return call<int32_t>(build, slot::IPluginV3OneBuild::configurePlugin, "configurePlugin", d.inputs.data(), static_cast<int32_t>(d.inputs.size()), d.outputs.data(), static_cast<int32_t>(d.outputs.size()));
}

size_t Plugin::workspace(Descs const& d) const {
  return call<size_t>(build, slot::IPluginV3OneBuild::getWorkspaceSize, "getWorkspaceSize", d.inputs.data(), static_cast<int32_t>(d.inputs.size()), d.outputs.data(), static_cast<int32_t>(d.outputs.size()));
}

int32_t Plugin::tactics(std::vector<int32_t>& out) const {
  // Not through `call` alone: a count is no failure.
  int32_t const count = invoke<int32_t>(capability(build), slot::IPluginV3OneBuild::getNbTactics);
  out.assign(count, 0);
  return count == 0 ? 0 : call<int32_t>(build, slot::IPluginV3OneBuild::getValidTactics, "getValidTactics", out.data(), count);
}

std::string Plugin::timing_id() const {
  char const* const id = call<char const*>(build, slot::IPluginV3OneBuild::getTimingCacheID, "getTimingCacheID");
  return id ? id : "";
}

int32_t Plugin::aliased_input(int32_t output) const {
  void* const object = capability(build);
  if (info_of(object).major < 2) return -1;
  return invoke<int32_t>(object, slot::IPluginV3OneBuild::getAliasedInput, output);
}

int32_t Plugin::set_tactic(int32_t tactic) const { return call<int32_t>(runtime, slot::IPluginV3OneRuntime::setTactic, "setTactic", tactic); }

std::unique_ptr<Plugin> Plugin::attach(void* resources) const {
  void* const attached = call<void*>(runtime, slot::IPluginV3OneRuntime::attachToContext, "attachToContext", resources);
  return attached ? std::make_unique<Plugin>(attached, "attachToContext", layer_) : nullptr;
}

int32_t Plugin::shape_change(std::vector<TensorDesc> const& in, std::vector<TensorDesc> const& out) const {
  return call<int32_t>(runtime, slot::IPluginV3OneRuntime::onShapeChange, "onShapeChange", in.data(), static_cast<int32_t>(in.size()), out.data(), static_cast<int32_t>(out.size()));
}

int32_t Plugin::enqueue(std::vector<TensorDesc> const& in, std::vector<TensorDesc> const& out, std::vector<void const*> const& inputs, std::vector<void*> const& outputs, void* workspace, void* stream) const {
  return call<int32_t>(runtime, slot::IPluginV3OneRuntime::enqueue, "enqueue", in.data(), out.data(), inputs.data(), outputs.data(), workspace, stream);
}

bool Plugin::fields(std::vector<PlanField>& out) const {
  auto const* const given = call<FieldCollection const*>(runtime, slot::IPluginV3OneRuntime::getFieldsToSerialize, "getFieldsToSerialize");
  if (!given) return false;
  for (int i = 0; i < given->count; i++) {
    Field const& field = given->fields[i];
    size_t const bytes = field_bytes(field.type, field.length);
    if (bytes && !field.data) die(std::string("field ") + field.name + " has no data");
    out.push_back({field.name, field.type, field.length, std::string(static_cast<char const*>(field.data), bytes)});
  }
  return true;
}

std::unique_ptr<Plugin> create_plugin(void* creator, PlanLayer const& layer) {
  // Copies that are overwritten afterwards, so that nothing of them can be kept.
  std::vector<std::string> names, bytes;
  std::vector<Field> fields;
  for (auto const& field : layer.fields) {
    names.push_back(field.name);
    bytes.push_back(field.bytes);
  }
  for (size_t i = 0; i < names.size(); i++) fields.push_back({names[i].c_str(), bytes[i].empty() ? nullptr : bytes[i].data(), layer.fields[i].type, layer.fields[i].length});
  FieldCollection const collection{static_cast<int32_t>(fields.size()), fields.data()};
  Line("tensorrt", "createPlugin").text("interface", "IPluginCreatorV3One").text("layer", layer.name).number("phase", 1).flag("context", has_context());
  require(creator, "PLUGIN CREATOR_V3ONE", 1);
  std::string name = layer.name;
  void* const made = invoke<void*>(creator, slot::IPluginCreatorV3One::createPlugin, name.c_str(), &collection, 1);
  for (auto& text : names) std::fill(text.begin(), text.end(), '?');
  for (auto& text : bytes) std::fill(text.begin(), text.end(), '\xdd');
  std::fill(name.begin(), name.end(), '?');
  return std::make_unique<Plugin>(made, "createPlugin", layer.name);
}

namespace {

void* no_allocator(void*) {
  log(internal_error, "IPluginResourceContext::getGpuAllocator: Error Code 2: Internal Error (Assertion mAllocator failed. )");
  return nullptr;
}
void* no_recorder(void*) { return nullptr; }
NAMED(IPluginResourceContext);

}  // namespace

void* resource_context() {
  static void* const* const made = table<IPluginResourceContextName>({at(slot::IPluginResourceContext::getGpuAllocator, &no_allocator), at(slot::IPluginResourceContext::getErrorRecorder, &no_recorder)});
  static void* const* object = made;
  return &object;
}

}  // namespace standin
