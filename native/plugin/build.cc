// What the builder asks a plugin.
#include <algorithm>
#include <iterator>

#include "failure.h"
#include "objects.h"

namespace ntrt {

namespace {

[[noreturn]] void fail(std::string const& message) { throw Error("ERR_PLUGIN_RUN", message); }

std::string dtype_text(int32_t value) {
  char const* const name = dtype_name_of(value);
  return name ? name : "dtype " + std::to_string(value);
}

int32_t output_count_of(PluginDefinition const& definition) { return static_cast<int32_t>(definition.recipe.outputs.size() + definition.hidden.count()); }

// TensorRT does not count the shape inputs.
void check_counts(PluginDefinition const& definition, int32_t inputs, int32_t outputs) {
  auto const own = static_cast<int32_t>(definition.recipe.tensors());
  if (inputs != own) fail("it has " + std::to_string(own) + " inputs, TensorRT says " + std::to_string(inputs));
  if (outputs != output_count_of(definition)) fail("it has " + std::to_string(output_count_of(definition)) + " outputs, TensorRT says " + std::to_string(outputs));
}

// Of an output, hidden or not.
int32_t output_dtype(Recipe const& recipe, int32_t output) {
  auto const index = static_cast<size_t>(output);
  return dtype_values[index < recipe.outputs.size() ? recipe.outputs[index].dtype : HiddenOutputs::dtype];
}

// Makes TensorRT's nodes of the expressions that output sizes need.
class Nodes {
 public:
  Nodes(PluginDefinition const& definition, ExprBuilder& builder, DimsExprs const* inputs, DimsExprs const* shape_inputs, int32_t shape_input_count)
      : recipe_(definition.recipe), builder_(builder), inputs_(inputs), shape_inputs_(shape_inputs), shape_input_count_(static_cast<uint32_t>(shape_input_count)) {
    auto const& recipe = recipe_;
    std::vector<bool> needed(recipe.expressions.size());
    for (auto const& output : recipe.outputs) {
      for (uint32_t dim : output.dims) needed[dim] = true;
    }
    for (size_t i = 0; i < definition.hidden.count(); i++) {
      for (uint32_t dim : definition.hidden.dims(i)) needed[dim] = true;
    }
    // Operands come before what is made of them.
    for (size_t i = needed.size(); i-- > 0;) {
      auto const& one = recipe.expressions[i];
      if (needed[i] && one.op == Expression::size) needed[one.b] = needed[one.c] = true;
      if (needed[i] && one.op >= Expression::sum) needed[one.a] = needed[one.b] = true;
    }
    nodes_.resize(needed.size());
    for (size_t i = 0; i < needed.size(); i++) {
      if (needed[i] && !(nodes_[i] = make(recipe.expressions[i]))) fail("TensorRT refused an expression of its outputs' sizes");
    }
  }
  DimensionExpr const* operator[](uint32_t expression) const { return nodes_[expression]; }

 private:
  DimensionExpr const* make(Expression const& one) {
    auto const tensors = static_cast<uint32_t>(recipe_.tensors());
    switch (one.op) {
      case Expression::constant: return call_in_all<m::ExprBuilder::constant>(&builder_, one.number);
      case Expression::dim:
        if (one.a < tensors) return static_cast<int32_t>(one.b) < inputs_[one.a].rank ? inputs_[one.a].d[one.b] : nullptr;
        // The length of a shape input: it comes with that many elements.
        return one.a - tensors < shape_input_count_ ? call_in_all<m::ExprBuilder::constant>(&builder_, int64_t{shape_inputs_[one.a - tensors].rank}) : nullptr;
      case Expression::value: {
        if (one.a - tensors >= shape_input_count_) return nullptr;
        auto const& elements = shape_inputs_[one.a - tensors];
        return static_cast<int32_t>(one.b) < elements.rank ? elements.d[one.b] : nullptr;
      }
      case Expression::size: return call_in_all<m::ExprBuilder::declareSizeTensor>(&builder_, static_cast<int32_t>(one.a), *nodes_[one.b], *nodes_[one.c]);
      default: return call_in_all<m::ExprBuilder::operation>(&builder_, static_cast<int32_t>(one.op - Expression::sum), *nodes_[one.a], *nodes_[one.b]);
    }
  }

  Recipe const& recipe_;
  ntrt::ExprBuilder& builder_;
  DimsExprs const* inputs_;
  DimsExprs const* shape_inputs_;
  uint32_t shape_input_count_;
  std::vector<DimensionExpr const*> nodes_;
};

}  // namespace

PluginBuild::PluginBuild(PluginObject& owner) : PluginCapability(table_of<PluginBuild>(), owner) {}
AliasingPluginBuild::AliasingPluginBuild(PluginObject& owner) : PluginBuild(table_of<AliasingPluginBuild>(), owner) {}

int32_t PluginBuild::configurePlugin(DynamicPluginTensorDesc const*, int32_t input_count, DynamicPluginTensorDesc const* outputs, int32_t output_count) noexcept {
  return guard_callback([&] { return owner_.title(); }, -1, [&] {
    auto const& definition = owner_.definition();
    check_counts(definition, input_count, output_count);
    for (size_t i = 0; i < std::size(bounds); i++) {
      configured_[i].clear();
      for (size_t k = definition.recipe.outputs.size(); k < static_cast<size_t>(output_count); k++) configured_[i].push_back(outputs[k].*bounds[i]);
    }
    return 0;
  });
}

// What TensorRT says now, or said when it configured the plugin.
Dims const& PluginBuild::hidden_size(DynamicPluginTensorDesc const& described, size_t output, size_t bound) const {
  auto const rank = static_cast<int32_t>(owner_.definition().hidden.dims(output).size() + 1);
  auto const is_known = [&](Dims const& dims) { return dims.rank == rank && std::all_of(dims.d, dims.d + rank, [](int64_t size) { return size >= 0; }); };
  if (is_known(described.*bounds[bound])) return described.*bounds[bound];
  if (output < configured_[bound].size() && is_known(configured_[bound][output])) return configured_[bound][output];
  return described.desc.dims;
}

int32_t PluginBuild::getOutputDataTypes(int32_t* outputs, int32_t output_count, int32_t const* inputs, int32_t input_count) noexcept {
  return guard_callback([&] { return owner_.title(); }, -1, [&] {
    auto const& definition = owner_.definition();
    auto const& recipe = definition.recipe;
    check_counts(definition, input_count, output_count);
    for (int32_t i = 0; i < input_count; i++) {
      auto const& input = recipe.inputs[i];
      if (inputs[i] != dtype_values[input.dtype]) fail("input '" + input.name + "' was recorded as " + dtype_names[input.dtype] + ", TensorRT says " + dtype_text(inputs[i]));
    }
    for (int32_t i = 0; i < output_count; i++) outputs[i] = output_dtype(recipe, i);
    return 0;
  });
}

int32_t PluginBuild::getOutputShapes(DimsExprs const* inputs, int32_t input_count, DimsExprs const* shape_inputs, int32_t shape_input_count, DimsExprs* outputs, int32_t output_count,
                                     ExprBuilder& builder) noexcept {
  return guard_callback([&] { return owner_.title(); }, -1, [&] {
    auto const& definition = owner_.definition();
    auto const& recipe = definition.recipe;
    check_counts(definition, input_count, output_count);
    for (int32_t i = 0; i < input_count; i++) {
      auto const& input = recipe.inputs[i];
      if (inputs[i].rank != input.rank) fail("input '" + input.name + "' was recorded with rank " + std::to_string(input.rank) + ", TensorRT says " + std::to_string(inputs[i].rank));
    }
    Nodes const nodes(definition, builder, inputs, shape_inputs, shape_input_count);
    auto const give = [&](DimsExprs& output, std::vector<uint32_t> const& dims) {
      output.rank = static_cast<int32_t>(dims.size());
      for (size_t k = 0; k < dims.size(); k++) output.d[k] = nodes[dims[k]];
    };
    for (auto const& output : recipe.outputs) give(*outputs++, output.dims);
    for (size_t i = 0; i < definition.hidden.count(); i++, outputs++) {
      give(*outputs, definition.hidden.dims(i));
      auto const* const zero = call_in_all<m::ExprBuilder::constant>(&builder, int64_t{0});
      if (!zero) fail("TensorRT refused the number 0");
      outputs->d[outputs->rank++] = zero;
    }
    return 0;
  });
}

bool PluginBuild::supportsFormatCombination(int32_t position, DynamicPluginTensorDesc const* ends, int32_t input_count, int32_t output_count) noexcept {
  return guard_callback([&] { return owner_.title(); }, false, [&] {
    auto const& definition = owner_.definition();
    auto const& recipe = definition.recipe;
    check_counts(definition, input_count, output_count);
    if (position < 0 || position >= input_count + output_count) fail("there is no input or output " + std::to_string(position));
    int32_t const dtype = position < input_count ? dtype_values[recipe.inputs[position].dtype] : output_dtype(recipe, position - input_count);
    constexpr int32_t linear = 0;
    return ends[position].desc.format == linear && ends[position].desc.type == dtype;
  });
}

int32_t PluginBuild::getNbOutputs() noexcept {
  return guard_callback([&] { return owner_.title(); }, 1, [&] { return output_count_of(owner_.definition()); });
}

uint64_t PluginBuild::getWorkspaceSize(DynamicPluginTensorDesc const* inputs, int32_t input_count, DynamicPluginTensorDesc const* outputs, int32_t output_count) noexcept {
  // More than there is: the build fails instead of the run.
  constexpr uint64_t impossible = uint64_t{1} << 60;
  return guard_callback([&] { return owner_.title() + ": workspace"; }, impossible, [&]() -> uint64_t {
    auto const& definition = owner_.definition();
    auto const& recipe = definition.recipe;
    check_counts(definition, input_count, output_count);
    Dims const unknown;
    int64_t most = 0;
    // A rule need not grow with its sizes.
    for (size_t bound = 0; bound < std::size(bounds); bound++) {
      std::vector<Dims const*> dims(recipe.inputs.size(), &unknown);
      for (int32_t i = 0; i < input_count; i++) {
        Dims const& size = inputs[i].*bounds[bound];
        dims[i] = size.rank == recipe.inputs[i].rank ? &size : &inputs[i].desc.dims;
      }
      Values values;
      auto const sizes = [&](size_t output) -> Dims const& { return hidden_size(outputs[recipe.outputs.size() + output], output, bound); };
      try {
        values.evaluate(recipe, dims.data(), definition.hidden.elements(sizes));
      } catch (Error const& error) {
        throw Error("ERR_PLUGIN", error.what());  // fails a build that TensorRT thinks has succeeded
      }
      most = std::max(most, values[recipe.workspace]);
    }
    return static_cast<uint64_t>(most);
  });
}

int32_t PluginBuild::getNbTactics() noexcept {
  return guard_callback([&] { return owner_.title(); }, 0, [&] {
    auto const count = static_cast<int32_t>(owner_.definition().recipe.tactics.size());
    return count > 1 ? count : 0;
  });
}

int32_t PluginBuild::getValidTactics(int32_t* tactics, int32_t count) noexcept {
  if (count != getNbTactics()) return -1;
  for (int32_t i = 0; i < count; i++) tactics[i] = i + 1;
  return 0;
}

char const* PluginBuild::getTimingCacheID() noexcept {
  return guard_callback([&] { return owner_.title(); }, static_cast<char const*>(nullptr), [&] {
    auto const& timing = owner_.definition().recipe.timing;
    return timing.empty() ? nullptr : timing.c_str();
  });
}

int32_t AliasingPluginBuild::getAliasedInput(int32_t output) noexcept {
  return guard_callback([&] { return owner_.title(); }, -1, [&] {
    auto const& outputs = owner_.definition().recipe.outputs;
    return output >= 0 && static_cast<size_t>(output) < outputs.size() ? outputs[output].alias : -1;
  });
}

}  // namespace ntrt
