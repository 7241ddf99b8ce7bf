#include "shape_inputs.h"

#include <algorithm>

namespace ntrt {

namespace {

// The expressions that the workspace and the launches need. src/plugin/launch-elements.ts has the same rule.
std::vector<bool> needed_by_launches(Recipe const& recipe) {
  auto const& list = recipe.expressions;
  std::vector<bool> needed(list.size()), has_size(list.size());
  auto const place = [&](Recipe::Pointer const& pointer) {
    if (pointer.to == Recipe::Pointer::workspace) needed[pointer.index] = true;
  };
  needed[recipe.workspace] = true;
  for (auto const& steps : recipe.tactics) {
    for (auto const& step : steps) {
      if (step.is_fill) {
        place(step.target);
        needed[step.bytes] = true;
        continue;
      }
      for (int i = 0; i < 3; i++) needed[step.grid[i]] = needed[step.block[i]] = true;
      needed[step.shared] = true;
      for (auto const& one : step.arguments) {
        if (one.kind == Recipe::Argument::pointer) place(one.target);
        if (one.kind == Recipe::Argument::integer || one.kind == Recipe::Argument::number_of) needed[one.index] = true;
      }
    }
  }
  // TensorRT tells the sizes of outputs, but for those that the kernel is yet to write: they are as large as they can be.
  for (size_t i = 0; i < list.size(); i++) {
    has_size[i] = list[i].op == Expression::size || (list[i].op >= Expression::sum && (has_size[list[i].a] || has_size[list[i].b]));
  }
  for (auto const& output : recipe.outputs) {
    for (uint32_t dim : output.dims) needed[dim] = needed[dim] || has_size[dim];
  }
  for (size_t i = list.size(); i-- > 0;) {
    if (needed[i] && list[i].op == Expression::size) needed[list[i].c] = true;
    if (needed[i] && list[i].op >= Expression::sum) needed[list[i].a] = needed[list[i].b] = true;
  }
  return needed;
}

}  // namespace

HiddenOutputs::HiddenOutputs(Recipe const& recipe) {
  auto const needed = needed_by_launches(recipe);
  for (uint32_t i = 0; i < needed.size(); i++) {
    auto const& one = recipe.expressions[i];
    if (needed[i] && one.op == Expression::value) elements_.push_back({one.a, one.b, i});
  }
}

std::vector<uint32_t> HiddenOutputs::dims(size_t output) const {
  std::vector<uint32_t> dims;
  for (size_t i = output * per_output; i < std::min((output + 1) * per_output, elements_.size()); i++) dims.push_back(elements_[i].expression);
  return dims;
}

Values::Element HiddenOutputs::elements(std::function<Dims const&(size_t output)> const& sizes) const {
  return [this, sizes](uint32_t input, uint32_t element) -> std::optional<int64_t> {
    for (size_t i = 0; i < elements_.size(); i++) {
      if (elements_[i].input != input || elements_[i].element != element) continue;
      Dims const& dims = sizes(i / per_output);
      auto const axis = static_cast<int32_t>(i % per_output);
      if (axis < dims.rank && dims.d[axis] >= 0) return dims.d[axis];
      return std::nullopt;
    }
    return std::nullopt;
  };
}

}  // namespace ntrt
