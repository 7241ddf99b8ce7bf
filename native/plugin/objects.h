// The objects that TensorRT calls for a plugin of ours: its creator, the plugin and its three capabilities.
// No exception leaves them; why one failed is in failure.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../tensorrt/table.h"
#include "definition.h"

namespace ntrt {

// A capability is part of its plugin, and never deleted by itself.
class PluginCapability : public Callbacks {
 protected:
  PluginCapability(void* const* table, PluginObject& owner) : Callbacks(table), owner_(owner) {}
  PluginObject& owner_;
};

class PluginCore : public PluginCapability {
 public:
  explicit PluginCore(PluginObject& owner);
  InterfaceInfo getInterfaceInfo() noexcept { return {"PLUGIN_V3ONE_CORE", 1, 0}; }
  char const* getPluginName() noexcept;
  char const* getPluginVersion() noexcept;
  char const* getPluginNamespace() noexcept { return plugin_namespace; }
};

class PluginBuild : public PluginCapability {
 public:
  explicit PluginBuild(PluginObject& owner);
  InterfaceInfo getInterfaceInfo() noexcept { return {"PLUGIN_V3ONE_BUILD", 1, 0}; }
  int32_t configurePlugin(DynamicPluginTensorDesc const* inputs, int32_t input_count, DynamicPluginTensorDesc const* outputs, int32_t output_count) noexcept;
  int32_t getOutputDataTypes(int32_t* outputs, int32_t output_count, int32_t const* inputs, int32_t input_count) noexcept;
  int32_t getOutputShapes(DimsExprs const* inputs, int32_t input_count, DimsExprs const* shape_inputs, int32_t shape_input_count, DimsExprs* outputs, int32_t output_count, ExprBuilder& builder) noexcept;
  bool supportsFormatCombination(int32_t position, DynamicPluginTensorDesc const* ends, int32_t input_count, int32_t output_count) noexcept;
  int32_t getNbOutputs() noexcept;
  uint64_t getWorkspaceSize(DynamicPluginTensorDesc const* inputs, int32_t input_count, DynamicPluginTensorDesc const* outputs, int32_t output_count) noexcept;
  int32_t getValidTactics(int32_t* tactics, int32_t count) noexcept;
  int32_t getNbTactics() noexcept;
  char const* getTimingCacheID() noexcept;
  int32_t getFormatCombinationLimit() noexcept { return 100; }  // the default
  char const* getMetadataString() noexcept { return nullptr; }

 protected:
  PluginBuild(void* const* table, PluginObject& owner) : PluginCapability(table, owner) {}

 private:
  friend class PluginObject;
  using Bound = Dims DynamicPluginTensorDesc::*;
  static constexpr Bound bounds[] = {&DynamicPluginTensorDesc::max, &DynamicPluginTensorDesc::opt, &DynamicPluginTensorDesc::min};
  Dims const& hidden_size(DynamicPluginTensorDesc const& described, size_t output, size_t bound) const;
  std::vector<Dims> configured_[3];  // of hidden outputs, by bound
};

// For plugins that update inputs in place; from 10.3 on.
class AliasingPluginBuild : public PluginBuild {
 public:
  explicit AliasingPluginBuild(PluginObject& owner);
  InterfaceInfo getInterfaceInfo() noexcept { return {"PLUGIN_V3ONE_BUILD", 2, 0}; }
  int32_t getAliasedInput(int32_t output) noexcept;
};

class PluginRuntime : public PluginCapability {
 public:
  explicit PluginRuntime(PluginObject& owner);
  InterfaceInfo getInterfaceInfo() noexcept { return {"PLUGIN_V3ONE_RUNTIME", 1, 0}; }
  int32_t setTactic(int32_t tactic) noexcept;
  int32_t onShapeChange(PluginTensorDesc const* inputs, int32_t input_count, PluginTensorDesc const* outputs, int32_t output_count) noexcept;
  int32_t enqueue(PluginTensorDesc const* inputs, PluginTensorDesc const* outputs, void const* const* input_memory, void* const* output_memory, void* workspace, void* stream) noexcept;
  void* attachToContext(void* context) noexcept;
  PluginFieldCollection const* getFieldsToSerialize() noexcept;

 private:
  friend class PluginObject;
  // Launches as of the last call, for these sizes and CUDA context.
  struct Prepared {
    bool valid = false;
    uint32_t tactic = 0;
    std::vector<Dims> dims;  // of inputs, outputs and hidden outputs
    Launches launches;
    CUcontext context = nullptr;
    std::vector<CUfunction> functions;  // by launch
  };
  bool is_prepared(PluginTensorDesc const* inputs, PluginTensorDesc const* outputs) const;
  void prepare(PluginTensorDesc const* inputs, PluginTensorDesc const* outputs);
  void find_functions(CUcontext context);
  void copy(Launches::Copy const& copy, PluginMemory const& memory, CUstream stream);
  void launch(Launch& launch, CUfunction function, PluginMemory const& memory, CUstream stream);

  uint32_t tactic_ = 0;
  Prepared prepared_;
};

class PluginObject : public Callbacks {
 public:
  // `announces`: whether TensorRT is told of aliases, which it knows from 10.3 on.
  explicit PluginObject(std::shared_ptr<PluginDefinition const> definition, bool announces = true) noexcept;
  // A plugin whose every call fails for the same reason: TensorRT does not survive null where it expects a plugin.
  PluginObject(std::string name, std::string version, Error const& failure);

  InterfaceInfo getInterfaceInfo() noexcept { return {"PLUGIN", 1, 0}; }
  void* getCapabilityInterface(int32_t type) noexcept;
  void* clone() noexcept;
  // The deleting destructor.
  void dispose() noexcept;

  // Throws why there is none.
  PluginDefinition const& definition() const;
  std::string title() const { return definition_ ? definition_->title() : "plugin '" + name_ + "'"; }
  char const* name() const { return definition_ ? definition_->name().c_str() : name_.c_str(); }
  char const* version() const { return definition_ ? definition_->version().c_str() : version_.c_str(); }

 private:
  friend class PluginRuntime;
  static PluginObject& out_of_memory();

  std::shared_ptr<PluginDefinition const> const definition_;
  bool const announces_ = false;
  std::string name_;
  std::string version_;
  std::optional<Error> failure_;
  PluginCore core_{*this};
  PluginBuild build_{*this};
  AliasingPluginBuild aliasing_build_{*this};
  PluginRuntime runtime_{*this};
};

// Makes plugins out of an engine's fields. TensorRT's registry keeps it: it lives as long as the process.
class PluginCreator : public Callbacks {
 public:
  // `attributes`: what getFieldNames lists.
  PluginCreator(std::string name, std::string version, std::vector<Recipe::Attribute> attributes);
  InterfaceInfo getInterfaceInfo() noexcept { return {"PLUGIN CREATOR_V3ONE", 1, 0}; }
  void* createPlugin(char const* layer, PluginFieldCollection const* fields, int32_t phase) noexcept;
  PluginFieldCollection const* getFieldNames() noexcept { return &collection_; }
  char const* getPluginName() noexcept { return name_.c_str(); }
  char const* getPluginVersion() noexcept { return version_.c_str(); }
  char const* getPluginNamespace() noexcept { return plugin_namespace; }

 private:
  std::string const name_;
  std::string const version_;
  std::vector<Recipe::Attribute> const attributes_;
  std::vector<PluginField> fields_;
  PluginFieldCollection collection_;
};

}  // namespace ntrt
