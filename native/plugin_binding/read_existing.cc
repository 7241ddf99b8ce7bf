#include "../lowering/read_back.h"
#include "existing.h"

namespace ntrt {

namespace {

CreatorKey key_of_v3(Lowering& l, Layer* layer) {
  auto* const plugin = l.call<m::PluginV3Layer::getPlugin>(layer);
  auto* const core = static_cast<PluginV3Core*>(l.call<m::PluginV3::getCapabilityInterface>(plugin, l.api.untraced_enumerator("PluginCapabilityType", "kCORE")));
  if (!core) fail_read_back("creator", "a plugin with a name", "one without");
  return {l.call<m::PluginV3Core::getPluginName>(core), l.call<m::PluginV3Core::getPluginVersion>(core), l.call<m::PluginV3Core::getPluginNamespace>(core)};
}

CreatorKey key_of_v2(Lowering& l, Layer* layer) {
  auto* const plugin = l.call<m::PluginV2Layer::getPlugin>(layer);
  return {l.call<m::PluginV2::getPluginType>(plugin), l.call<m::PluginV2::getPluginVersion>(plugin), l.call<m::PluginV2::getPluginNamespace>(plugin)};
}

}  // namespace

void read_existing_plugin(LayerReader& r) {
  auto const v3 = r.of_type("kPLUGIN_V3"), v2 = r.of_type("kPLUGIN_V2");
  if (v3.size() + v2.size() != 1) fail_read_back("layer", "one plugin", std::to_string(v3.size() + v2.size()));
  r.layer = v3.empty() ? v2[0] : v3[0];
  CreatorKey const key = v3.empty() ? key_of_v2(r.l, r.layer) : key_of_v3(r.l, r.layer);
  r.check("creator", Value{Value::Object{{"name", text(key.name)}, {"version", text(key.version)}, {"namespace", text(key.space)}}});
  // The plugin has its fields, and which of its inputs are shapes shows nowhere.
  for (char const* unread : {"fields", "shapeInputs", "outputs"}) r.held.unread.emplace_back(unread);
  r.check_inputs();
  r.check_outputs();
}

}  // namespace ntrt
