#include "objects.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <new>

#include "failure.h"

namespace ntrt {

PluginCore::PluginCore(PluginObject& owner) : PluginCapability(table_of<PluginCore>(), owner) {}
char const* PluginCore::getPluginName() noexcept { return owner_.name(); }
char const* PluginCore::getPluginVersion() noexcept { return owner_.version(); }

PluginObject::PluginObject(std::shared_ptr<PluginDefinition const> definition, bool announces) noexcept
    : Callbacks(table_of<PluginObject>()), definition_(std::move(definition)), announces_(announces && definition_->recipe.has_aliases()) {}

PluginObject::PluginObject(std::string name, std::string version, Error const& failure)
    : Callbacks(table_of<PluginObject>()), name_(std::move(name)), version_(std::move(version)), failure_(failure) {}

void* PluginObject::getCapabilityInterface(int32_t type) noexcept {
  switch (type) {
    case 0: return &core_;
    case 1: return announces_ ? static_cast<void*>(&aliasing_build_) : &build_;
    case 2: return &runtime_;
    default: return nullptr;
  }
}

PluginObject& PluginObject::out_of_memory() {
  static auto* const object = new PluginObject("?", "?", Error("ERR_PLUGIN_RUN", "out of memory"));
  return *object;
}

void* PluginObject::clone() noexcept {
  try {
    auto* copy = definition_ ? new PluginObject(definition_, announces_) : failure_ ? new PluginObject(name_, version_, *failure_) : nullptr;
    if (!copy) return &out_of_memory();
    copy->runtime_.tactic_ = runtime_.tactic_;
    for (auto const [from, to] : {std::pair(&build_, &copy->build_), std::pair<PluginBuild*, PluginBuild*>(&aliasing_build_, &copy->aliasing_build_)}) std::copy(std::begin(from->configured_), std::end(from->configured_), to->configured_);
    return copy;
  } catch (...) {
    return &out_of_memory();
  }
}

void PluginObject::dispose() noexcept {
  if (this != &out_of_memory()) delete this;
}

PluginDefinition const& PluginObject::definition() const {
  if (definition_) return *definition_;
  throw failure_ ? *failure_ : Error("ERR_PLUGIN_RUN", "it has no definition");
}

PluginCreator::PluginCreator(std::string name, std::string version, std::vector<Recipe::Attribute> attributes)
    : Callbacks(table_of<PluginCreator>()), name_(std::move(name)), version_(std::move(version)), attributes_(std::move(attributes)) {
  for (auto const& one : attributes_) fields_.push_back({one.name.c_str(), nullptr, static_cast<int32_t>(one.type), 0});
  collection_ = {static_cast<int32_t>(fields_.size()), fields_.data()};
}

void* PluginCreator::createPlugin(char const*, PluginFieldCollection const* fields, int32_t phase) noexcept {
  constexpr int32_t build = 0;
  try {
    try {
      if (phase == build) throw Error("ERR_PLUGIN", "it makes plugins for engines that node-tensorrt has built; to build with it, record it with net.plugin() in JavaScript");
      auto definition = std::make_shared<PluginDefinition const>(parts_of(name_.c_str(), version_.c_str(), fields));
      record_created(definition->title());
      return new PluginObject(std::move(definition));
    } catch (Error const& error) {
      // A recipe that does not decode is a field that does not fit.
      Error const told(phase != build && error.code == "ERR_PLUGIN" ? "ERR_PLUGIN_FIELD" : error.code, "plugin '" + name_ + "' version " + version_ + ": " + error.what());
      record_failure(told);
      if (phase == build) return nullptr;
      return new PluginObject(name_, version_, Error(told.code, error.what()));
    }
  } catch (...) {
    record_failure(Error("ERR_PLUGIN_RUN", "out of memory"));
    // Any object whose calls fail.
    static auto* const broken = new PluginObject("?", "?", Error("ERR_PLUGIN_RUN", "out of memory"));
    return phase == build ? nullptr : broken->clone();
  }
}

}  // namespace ntrt
