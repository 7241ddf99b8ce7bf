// TensorRT's registry of plugin creators, and the libraries that fill it.
#pragma once

#include <string>
#include <vector>

#include "../tensorrt/api.h"

namespace ntrt {

// Which creator makes a plugin.
struct CreatorKey {
  std::string name;
  std::string version;
  std::string space;  // "" for most
};

struct CreatorField {
  std::string name;
  int32_t type = 0;  // PluginFieldType
  int32_t length = 0;
};

struct CreatorInfo : CreatorKey {
  ForeignCreator* creator = nullptr;
  bool is_v3 = false;
};

// Every creator of the interfaces that we know, in the registry's order. Throws ERR_UNSUPPORTED for TensorRT-RTX.
std::vector<CreatorInfo> plugin_creators(Api const& api);
// The fields that a creator lists.
std::vector<CreatorField> fields_of(Api const& api, CreatorInfo const& creator);

// The creator; loads libnvinfer_plugin if it is not there. Throws ERR_PLUGIN_MISSING with the nearest names.
CreatorInfo find_creator(Api const& api, CreatorKey const& key);

// Loads the creators of libnvinfer_plugin, which lies beside libnvinfer, and returns them. Throws ERR_PLUGIN_LIBRARY.
std::vector<CreatorInfo> load_nvidia_plugins(Api const& api);
// Loads a plugin library: one that exports getCreators, or whose creators register themselves. Returns its creators, the second
// time too. Throws ERR_PLUGIN_LIBRARY.
std::vector<CreatorInfo> load_plugin_library(Api const& api, std::string const& path);

// The libraries that were loaded into a TensorRT's registry, by their real paths, oldest first; "" is libnvinfer_plugin.
std::vector<std::string> loaded_plugin_libraries(std::string const& tensorrt);

// For an engine that needs a creator: loads libnvinfer_plugin if it is not there. Whether the creator exists now; does not throw.
bool load_plugin_for(Api const& api, std::string const& name, std::string const& version, std::string const& space);

// "'ROIAlign_TRT' version 2", with the namespace if it has one.
std::string describe(CreatorKey const& key);

}  // namespace ntrt
