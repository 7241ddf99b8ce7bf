#include "definition.h"

#include <algorithm>
#include <cstring>

#include "../core/error.h"

namespace ntrt {

namespace {

constexpr std::string_view cubin_prefix = ".cubin.";

[[noreturn]] void refuse(std::string const& what) { throw Error("ERR_PLUGIN_FIELD", what); }

// "90" → 90; 0 if it is none.
int capability_of(std::string_view text) {
  int number = 0;
  for (char c : text) {
    if (c < '0' || c > '9' || number > 9999) return 0;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::string capability_text(int capability) { return std::to_string(capability / 10) + "." + std::to_string(capability % 10); }

}  // namespace

PluginParts parts_of(char const* name, char const* version, PluginFieldCollection const* fields) {
  PluginParts parts;
  parts.name = name;
  parts.version = version;
  if (!fields || fields->count < 0 || (fields->count > 0 && !fields->fields)) refuse("no fields");
  bool has_recipe = false;
  for (int32_t i = 0; i < fields->count; i++) {
    auto const& field = fields->fields[i];
    std::string const label = field.name ? field.name : "";
    if (field.type < 0 || field.type >= field_type_count) refuse("field '" + label + "' has the unknown type " + std::to_string(field.type));
    auto const type = static_cast<FieldType>(field.type);
    if (field.length < 0 || (field.length > 0 && !field.data)) refuse("field '" + label + "' has " + std::to_string(field.length) + " elements and no data");
    size_t const bytes = static_cast<size_t>(field.length) * size_of(type);
    auto const* data = static_cast<uint8_t const*>(field.data);
    bool const is_ours = !label.empty() && label[0] == '.';
    if (is_ours && type != FieldType::character) refuse("field '" + label + "' is of type " + name_of(type));
    if (label == ".recipe") {
      has_recipe = true;
      parts.recipe.assign(data, data + bytes);
    } else if (label == ".layer") {
      parts.layer.assign(reinterpret_cast<char const*>(data), bytes);
    } else if (label.compare(0, cubin_prefix.size(), cubin_prefix) == 0) {
      int const capability = capability_of(std::string_view(label).substr(cubin_prefix.size()));
      if (capability == 0) refuse("field '" + label + "' names no compute capability");
      parts.cubins.emplace_back(capability, std::vector<uint8_t>(data, data + bytes));
    } else if (is_ours) {
      refuse("field '" + label + "' is unknown: it was made by a newer node-tensorrt");
    } else {
      parts.attributes.push_back({label, type, field.length, {data, data + bytes}});
    }
  }
  if (!has_recipe) refuse("field '.recipe' is missing");
  return parts;
}

PluginDefinition::PluginDefinition(PluginParts parts) : recipe(decode_recipe(parts.recipe.data(), parts.recipe.size())), hidden(recipe), parts_(std::move(parts)) {
  title_ = "plugin '" + parts_.name + "'" + (parts_.layer.empty() ? "" : " in layer '" + parts_.layer + "'");
  if (recipe.name != parts_.name || recipe.version != parts_.version) {
    refuse("its recipe is of '" + recipe.name + "' version " + recipe.version + ", not of version " + parts_.version);
  }
  // In the recipe's order, which arguments refer to.
  std::vector<PluginAttribute> ordered;
  for (auto const& wanted : recipe.attributes) {
    auto const found = std::find_if(parts_.attributes.begin(), parts_.attributes.end(), [&](auto const& one) { return one.name == wanted.name; });
    if (found == parts_.attributes.end()) refuse("attribute '" + wanted.name + "' is missing");
    if (found->type != wanted.type) refuse("attribute '" + wanted.name + "' is of type " + name_of(found->type) + ", expected " + name_of(wanted.type));
    if (size_of(found->type) && found->bytes.size() != static_cast<size_t>(found->length) * size_of(found->type)) refuse("attribute '" + wanted.name + "' has " + std::to_string(found->bytes.size()) + " bytes for " + std::to_string(found->length) + " elements");
    ordered.push_back(*found);
  }
  if (ordered.size() != parts_.attributes.size()) {
    for (auto const& one : parts_.attributes) {
      if (std::none_of(recipe.attributes.begin(), recipe.attributes.end(), [&](auto const& known) { return known.name == one.name; })) refuse("attribute '" + one.name + "' is unknown");
    }
    refuse("an attribute is there twice");
  }
  parts_.attributes = std::move(ordered);
  for (auto& [capability, bytes] : parts_.cubins) cubins_.emplace_back(capability, Cubin::of(std::move(bytes)));
  parts_.cubins.clear();
  std::sort(cubins_.begin(), cubins_.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
  make_fields();
}

void PluginDefinition::make_fields() {
  auto const bytes = [&](std::string name, void const* data, size_t size) {
    if (size > INT32_MAX) refuse("field '" + name + "' has more than 2 GiB");
    names_.push_back(std::move(name));
    fields_.push_back({nullptr, size ? data : nullptr, static_cast<int32_t>(FieldType::character), static_cast<int32_t>(size)});
  };
  bytes(".recipe", parts_.recipe.data(), parts_.recipe.size());
  if (!parts_.layer.empty()) bytes(".layer", parts_.layer.data(), parts_.layer.size());
  for (auto const& [capability, cubin] : cubins_) bytes(std::string(cubin_prefix) + std::to_string(capability), cubin->bytes().data(), cubin->bytes().size());
  for (auto const& attribute : parts_.attributes) {
    names_.push_back(attribute.name);
    fields_.push_back({nullptr, attribute.length ? attribute.bytes.data() : nullptr, static_cast<int32_t>(attribute.type), attribute.length});
  }
  for (size_t i = 0; i < fields_.size(); i++) fields_[i].name = names_[i].c_str();
  collection_ = {static_cast<int32_t>(fields_.size()), fields_.data()};
}

Cubin& PluginDefinition::cubin() const {
  int const device = current_capability();
  Cubin* best = nullptr;
  std::string present;
  for (auto const& [capability, cubin] : cubins_) {
    present += (present.empty() ? "" : ", ") + capability_text(capability);
    if (capability / 10 == device / 10 && capability <= device) best = cubin.get();
  }
  if (!best) throw Error("ERR_KERNEL", "no kernel for this GPU, which has compute capability " + capability_text(device) + "; the engine has kernels for " + (present.empty() ? "none" : present));
  return *best;
}

KernelFunction& PluginDefinition::function(Cubin& cubin, CUcontext context, uint32_t kernel) const {
  auto& function = cubin.function(context, recipe.kernels[kernel].lowered);
  check_parameters(kernel, function);
  return function;
}

void PluginDefinition::check_parameters(uint32_t kernel, KernelFunction const& function) const {
  auto const& d = driver();
  if (!d.cuFuncGetParamInfo) return;
  std::vector<size_t> parameters;
  size_t offset = 0, bytes = 0;
  while (d.cuFuncGetParamInfo(function.handle, parameters.size(), &offset, &bytes) == 0 && parameters.size() < 4096) parameters.push_back(bytes);
  for (auto const& steps : recipe.tactics) {
    for (auto const& step : steps) {
      if (step.is_fill || step.kernel != kernel) continue;
      std::string const title = "kernel '" + recipe.kernels[kernel].name + "': ";
      if (step.arguments.size() != parameters.size()) {
        throw Error("ERR_KERNEL", title + "it has " + std::to_string(parameters.size()) + " parameters, launch gives it " + std::to_string(step.arguments.size()));
      }
      for (size_t i = 0; i < parameters.size(); i++) {
        size_t const given = argument_size(recipe, step.arguments[i]);
        if (given != parameters[i]) {
          throw Error("ERR_KERNEL", title + argument_title(recipe, step.arguments[i], i) + " has " + std::to_string(given) + " bytes, the kernel's parameter has " + std::to_string(parameters[i]));
        }
      }
    }
  }
}

}  // namespace ntrt
