// A plugin as it travels: in JavaScript's objects, and in the fields of an engine.
#pragma once

#include <utility>

#include "recipe.h"

namespace ntrt {

// An attribute's elements, as they travel in a plugin field.
struct PluginAttribute {
  std::string name;
  FieldType type{};
  int32_t length = 0;  // elements
  std::vector<uint8_t> bytes;
};

struct PluginParts {
  std::string name;
  std::string version;
  std::string layer;  // empty where it is not known
  std::vector<uint8_t> recipe;
  std::vector<std::pair<int, std::vector<uint8_t>>> cubins;  // by compute capability, major * 10 + minor
  std::vector<PluginAttribute> attributes;
};

}  // namespace ntrt
