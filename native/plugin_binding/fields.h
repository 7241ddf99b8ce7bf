// Plugin fields from recorded parameters: { name, type, data }, where data is a list of numbers or a text.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "../program/graph.h"
#include "../tensorrt/plugin.h"

namespace ntrt {

class Fields {
 public:
  // Throws ERR_PLUGIN_FIELD for elements that do not fit their type, and for types that cannot be given.
  explicit Fields(std::vector<Params> const& given);
  Fields(Fields const&) = delete;

  // Valid as long as this object.
  PluginFieldCollection const* collection() const { return &collection_; }
  bool has(std::string const& name) const;

 private:
  std::deque<std::string> names_;
  std::deque<std::vector<uint8_t>> elements_;
  std::vector<PluginField> fields_;
  PluginFieldCollection collection_;
};

}  // namespace ntrt
