// What a plugin of ours is made of: recipe, attributes and kernels. Its clones share it.
#pragma once

#include <memory>

#include "../tensorrt/plugin.h"
#include "cubin.h"
#include "launch.h"
#include "shape_inputs.h"

namespace ntrt {

constexpr char plugin_namespace[] = "node_tensorrt";

// The parts in an engine's fields: `.recipe`, `.layer`, `.cubin.90` and so on, and every attribute under its own name.
// Throws ERR_PLUGIN_FIELD.
PluginParts parts_of(char const* name, char const* version, PluginFieldCollection const* fields);

class PluginDefinition {
 public:
  // Throws ERR_PLUGIN, or ERR_PLUGIN_FIELD if the attributes are not the recipe's.
  explicit PluginDefinition(PluginParts parts);

  Recipe recipe;
  HiddenOutputs hidden;
  std::string const& name() const { return parts_.name; }
  std::string const& version() const { return parts_.version; }
  std::vector<PluginAttribute> const& attributes() const { return parts_.attributes; }
  // "plugin 'RmsNorm' in layer 'norm1'"
  std::string const& title() const { return title_; }
  PluginFieldCollection const& fields() const { return collection_; }

  // The cubin for the current device: of its major capability, the highest minor that is not above. Throws ERR_KERNEL.
  Cubin& cubin() const;
  // A kernel in the current context. On first use, every launch's arguments are compared with the parameters it was compiled
  // with. Throws ERR_KERNEL.
  KernelFunction& function(Cubin& cubin, CUcontext context, uint32_t kernel) const;

 private:
  void check_parameters(uint32_t kernel, KernelFunction const& function) const;
  void make_fields();

  PluginParts parts_;
  std::string title_;
  std::vector<std::pair<int, std::shared_ptr<Cubin>>> cubins_;
  std::vector<std::string> names_;
  std::vector<PluginField> fields_;
  PluginFieldCollection collection_;
};

}  // namespace ntrt
