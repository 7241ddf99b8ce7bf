#include "../../plugin/failure.h"
#include "../../plugin/objects.h"
#include "../../plugin_binding/existing.h"
#include "../../plugin_binding/registry.h"
#include "../layers.h"

namespace ntrt {

namespace {

// The plugin, as long as TensorRT has not cloned it.
struct Disposed {
  PluginObject* const plugin;
  ~Disposed() { plugin->dispose(); }
};

// Whether TensorRT knows of aliases. Where it does not, the plugin copies the input.
bool knows_aliases(Lowering const& l) {
  try {
    l.enumerator("PreviewFeature", "kALIASED_PLUGIN_IO_10_03");
    return true;
  } catch (Error const&) {
    return false;
  }
}

// The lowering puts the layer's name before every error.
[[noreturn]] void fail_untitled(Error const& failure, std::string const& title) {
  std::string const said = failure.what();
  throw Error(failure.code, said.rfind(title + ": ", 0) == 0 ? said.substr(title.size() + 2) : said);
}

}  // namespace

Layer* lower_plugin(Lowering& l, Node const& node) {
  if (l.api.flavor == Flavor::rtx1) {
    throw Error("ERR_UNSUPPORTED", "TensorRT-RTX has no plugin layers: give the definition a `decompose`, or build with TensorRT 10 or 11");
  }
  if (node.params.has("creator")) return add_existing_plugin(l, node);
  PluginParts const* parts = l.plugin(node);
  if (!parts) throw Error("ERR_INTERNAL", "the plugin's definition was not handed over");
  PluginParts own = *parts;
  own.layer = node.name;
  auto const definition = std::make_shared<PluginDefinition const>(std::move(own));
  auto const& recipe = definition->recipe;
  if (recipe.inputs.size() != node.inputs.size() || recipe.outputs.size() != node.outputs.size()) throw Error("ERR_INTERNAL", "the plugin's recipe has other inputs or outputs than its layer");
  bool const announces = recipe.has_aliases() && knows_aliases(l);
  l.has_aliases = l.has_aliases || announces;
  register_creator(l.api, definition->name(), definition->version(), recipe.attributes);
  std::vector<Tensor*> inputs;
  for (size_t i = 0; i < node.inputs.size(); i++) {
    auto const& input = recipe.inputs[i];
    // TensorRT takes shape inputs of rank 1 only.
    inputs.push_back(input.is_shape ? l.vector(node, l.input(node, i), input.name) : l.input(node, i));
  }
  auto const shape_inputs = static_cast<int32_t>(recipe.shape_inputs());
  auto const tensors = static_cast<int32_t>(inputs.size()) - shape_inputs;
  // TensorRT clones it at once.
  Disposed const plugin{new PluginObject(definition, announces)};
  take_failure();
  Layer* const layer = l.add<m::Network::addPluginV3>(inputs.data(), tensors, inputs.data() + tensors, shape_inputs, static_cast<void*>(plugin.plugin));
  auto const failure = take_failure();
  if (!layer && failure) fail_untitled(*failure, definition->title());
  if (!layer) return nullptr;
  l.call<m::Layer::setName>(layer, node.name.c_str());
  // Hidden outputs come after these, and stay without a name.
  for (size_t i = 0; i < node.outputs.size(); i++) {
    Tensor* const output = l.call<m::Layer::getOutput>(layer, static_cast<int32_t>(i));
    // Sizes are asked for here: a rule that fails shows now.
    if (output && l.call<m::Tensor::getDimensions>(output).rank < 0) {
      if (auto const reason = take_failure()) fail_untitled(*reason, definition->title());
    }
    l.finish_output(node, i, output);
  }
  return nullptr;
}

}  // namespace ntrt
