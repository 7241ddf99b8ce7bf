// A plugin object of the user's: asked for its interfaces before every use, logged, destroyed through slot 3.
#pragma once

#include <memory>

#include "plan.h"

namespace standin {

// What TensorRT calls on behalf of one layer.
struct Descs {
  std::vector<DynamicDesc> inputs, outputs;
};

class Plugin {
 public:
  // `made`: which call returned it. A null object ends the process, as in TensorRT.
  Plugin(void* object, std::string const& made, std::string const& layer);
  Plugin(Plugin const&) = delete;
  ~Plugin();
  void* object() const { return object_; }

  // `layer`: the name of the clone's layer, where it has another.
  std::unique_ptr<Plugin> clone(std::string const& layer = "") const;
  // core
  std::string name() const, version() const, space() const;
  // build
  bool has_build() const;
  int32_t outputs() const;
  int32_t output_types(std::vector<int32_t>& out, std::vector<int32_t> const& in) const;
  int32_t output_shapes(std::vector<DimsExprs> const& inputs, std::vector<DimsExprs> const& shapes, std::vector<DimsExprs>& out, void* builder) const;
  bool supports(int32_t position, std::vector<DynamicDesc> const& all, int32_t inputs) const;
  int32_t configure(Descs const& descs) const;
  size_t workspace(Descs const& descs) const;
  int32_t tactics(std::vector<int32_t>& out) const;
  std::string timing_id() const;
  int32_t aliased_input(int32_t output) const;
  // runtime
  int32_t set_tactic(int32_t tactic) const;
  // Null if it refused.
  std::unique_ptr<Plugin> attach(void* resources) const;
  int32_t shape_change(std::vector<TensorDesc> const& in, std::vector<TensorDesc> const& out) const;
  int32_t enqueue(std::vector<TensorDesc> const& in, std::vector<TensorDesc> const& out, std::vector<void const*> const& inputs, std::vector<void*> const& outputs, void* workspace, void* stream) const;
  // False if it gave none.
  bool fields(std::vector<PlanField>& out) const;

 private:
  enum Capability { core, build, runtime };
  void* capability(Capability type) const;
  // Logs, checks the interface of the object and of the capability, and calls.
  template <class R, class... A>
  R call(Capability type, int slot, char const* name, A... args) const;

  void* object_;
  int id_;
  std::string layer_;
};

// Creates a plugin through a creator, in phase runtime.
std::unique_ptr<Plugin> create_plugin(void* creator, PlanLayer const& layer);

// The resources of a context, for attachToContext.
void* resource_context();

InterfaceInfo info_of(void* object);

}  // namespace standin
