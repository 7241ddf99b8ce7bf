// Reads plugin layers back: which plugin TensorRT holds, and what it is connected to.
#include "../plugin/definition.h"
#include "../plugin/objects.h"
#include "../plugin_binding/existing.h"
#include "read_back.h"

namespace ntrt {

void read_plugin(LayerReader& r) {
  if (r.node.params.has("creator")) {
    read_existing_plugin(r);
    return;
  }
  auto const found = r.of_type("kPLUGIN_V3");
  if (found.size() != 1) fail_read_back("layer", "one PLUGIN_V3", std::to_string(found.size()) + " among " + std::to_string(r.own.size()));
  r.layer = found[0];
  r.check_inputs();
  r.check_outputs();
  auto& l = r.l;
  PluginV3* const plugin = l.call<m::PluginV3Layer::getPlugin>(r.layer);
  auto* const core = static_cast<PluginV3Core*>(l.call<m::PluginV3::getCapabilityInterface>(plugin, l.api.untraced_enumerator("PluginCapabilityType", "kCORE")));
  if (!core) fail_read_back("plugin", "a core capability", "none");
  require_same("namespace", text(plugin_namespace), text(l.call<m::PluginV3Core::getPluginNamespace>(core)));
  r.check("definition", Value{Value::Object{{"name", text(l.call<m::PluginV3Core::getPluginName>(core))}, {"version", text(l.call<m::PluginV3Core::getPluginVersion>(core))}}});
  // TensorRT holds the plugin itself: there is nothing to ask it for them.
  r.held.unread.emplace_back("attributes");
}

}  // namespace ntrt
