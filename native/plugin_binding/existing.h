// Plugins that others wrote: made by their creators, asked about their outputs, added to networks.
#pragma once

#include <string>
#include <vector>

#include "../lowering/lower.h"
#include "../plugin/expression.h"
#include "creators.h"

namespace ntrt {

class LayerReader;

// What a plugin says of its outputs.
struct PluginOutputs {
  struct Output {
    std::string dtype;
    std::vector<uint32_t> dims;  // expressions
    bool is_size = false;        // a size tensor
  };
  std::vector<Output> outputs;
  std::vector<Expression> expressions;
};

// What TypeScript's DescribeRequest says.
struct DescribeRequest {
  CreatorKey creator;
  std::vector<Params> fields;
  struct Input {
    std::string dtype;
    std::vector<int64_t> shape;  // -1: dynamic
  };
  std::vector<Input> inputs;  // shape inputs are the last
  size_t shape_inputs = 0;
};

// Makes the plugin and asks it for dtypes and dims of its outputs. Throws ERR_PLUGIN, ERR_PLUGIN_FIELD, ERR_PLUGIN_MISSING.
PluginOutputs describe_plugin(Api const& api, DescribeRequest const& request);

// Adds the layer of a node of kind `plugin` with an existing creator.
Layer* add_existing_plugin(Lowering& l, Node const& node);

// Reads name, version and namespace of such a layer's plugin back, and its inputs.
void read_existing_plugin(LayerReader& reader);

}  // namespace ntrt
