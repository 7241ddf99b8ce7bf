// INetworkDefinition, its tensors and layers, and the expressions of plugins' shapes.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "plugin.h"

namespace standin {

struct Network;

struct Expression : Handle {
  Network& network;
  int32_t node;
  Expression(Network& network, int32_t node);
};

struct Layer;
struct Tensor : Handle {
  Network& network;
  int32_t index;
  Layer* maker = nullptr;
  std::map<int, std::string> dim_names;
  uint32_t formats = 0;
  bool has_dims = true;  // false until a plugin was asked
  Tensor(Network& network, int32_t index);
  PlanTensor& plan();
  // Asks the plugin that makes it, if it was not yet asked.
  Dims dims();
};

struct Layer : Handle {
  Network& network;
  int32_t index;
  std::string metadata;
  std::unique_ptr<Plugin> plugin;
  Weights weights{};
  float alpha = 0, beta = 0;
  Layer(Network& network, int32_t index, int32_t type);
  PlanLayer& plan();
};

struct Network : Handle {
  Plan plan;
  std::vector<std::unique_ptr<Tensor>> tensors;
  std::vector<std::unique_ptr<Layer>> layers;
  std::map<int32_t, std::unique_ptr<Expression>> expressions;
  std::set<std::string> weight_names, refittable;
  std::vector<std::shared_ptr<Handle>> builders;  // kept, so that their use is noticed
  Network();
  ~Network();
  Tensor* add_tensor(std::string const& name, int32_t type);
  Layer* add_layer(int32_t type, std::vector<Tensor*> const& inputs);
  void const* expression(int32_t node);
  bool is_shape(int32_t tensor) const;
};

// What getOutputShapes of a layer's plugin says; false if it failed, which the log names.
bool infer_shapes(Layer& layer);

}  // namespace standin
