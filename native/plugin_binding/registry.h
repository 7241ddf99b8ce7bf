// TensorRT's registry of plugin creators.
#pragma once

#include <string>

#include "../plugin/objects.h"

namespace ntrt {

// The library's global registry. Throws ERR_PLUGIN if it has none.
PluginRegistry* plugin_registry(Api const& api);

// Registers our creator of a name and version, once; it stays. A creator that another library of ours registered counts as well.
// Throws ERR_PLUGIN if TensorRT refuses it.
void register_creator(Api const& api, std::string const& name, std::string const& version, std::vector<Recipe::Attribute> const& attributes);

}  // namespace ntrt
