// A network as data: what the stand-in builds from and writes to an engine.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "abi.h"

namespace standin {

// dim: a = tensor, b = axis. element: a = tensor, b = element. operation: value = DimensionOperation, a and b = operands.
// size: a = the size tensor, b = opt, value = upper.
struct Node {
  enum Kind { constant, dim, element, operation, size } kind = constant;
  int64_t value = 0;
  int32_t a = -1, b = -1;
};

using Leaf = std::function<std::optional<int64_t>(Node const&)>;

struct PlanTensor {
  std::string name;
  int32_t type = 0;
  int32_t mode = 0;  // TensorIOMode
  bool on_host = false;
  bool debug = false;  // INetworkDefinition::markDebug
  int32_t format = 0;  // TensorFormat
  std::vector<int32_t> dims;  // nodes
};

struct PlanField {
  std::string name;
  int32_t type = 0;
  int32_t length = 0;
  std::string bytes;
};

struct PlanLayer {
  int32_t type = 0;
  std::string name;
  std::vector<int32_t> inputs, outputs;  // shape inputs last
  int32_t parameter = 0;  // ActivationType
  std::string constant;
  std::string weight;  // INetworkDefinition::setWeightsName
  bool refittable = false;
  // Inputs but for shape inputs, which only getOutputShapes sees.
  std::vector<int32_t> tensors() const { return {inputs.begin(), inputs.end() - shape_inputs}; }
  // plugins
  std::string plugin, version, space;
  int32_t shape_inputs = 0;
  int32_t tactic = 0;
  int64_t workspace = 0;
  std::vector<int32_t> aliases;  // input of each output, or -1
  std::vector<PlanField> fields;
};

struct Range {
  Dims dims[3];
  std::vector<int64_t> values[3];
};
using Profile = std::map<std::string, Range>;

struct Plan {
  int32_t release = RELEASE;
  std::string name;
  std::vector<Node> nodes;
  std::vector<PlanTensor> tensors;
  std::vector<PlanLayer> layers;
  std::vector<int32_t> inputs, outputs;
  std::vector<Profile> profiles;
  bool streams_weights = false;  // BuilderFlag::kWEIGHT_STREAMING
  bool stripped = false;         // BuilderFlag::kSTRIP_PLAN

  int32_t add(Node node) { return nodes.push_back(node), static_cast<int32_t>(nodes.size()) - 1; }
  // Nothing where a leaf is unknown; a division by 0 sets `failed`.
  std::optional<int64_t> evaluate(int32_t node, Leaf const& leaf, bool* failed = nullptr) const;
  // -1 for what is unknown.
  Dims evaluate(PlanTensor const& tensor, Leaf const& leaf, bool* failed = nullptr) const;
  // What a profile says of inputs; sizes are `opt` for which = 1, 0 for 0 and `upper` for 2.
  Leaf in_profile(size_t profile, int which) const;
  int32_t find(std::string const& tensor) const;

  std::string write() const;
  static bool read(std::string const& bytes, Plan& plan);
};

std::optional<int64_t> operate(int64_t operation, int64_t a, int64_t b);
// Bytes of a plugin field.
size_t field_bytes(int32_t type, int32_t length);

}  // namespace standin
