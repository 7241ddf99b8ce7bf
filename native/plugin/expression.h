// Evaluates a recipe's expressions over int64, as TensorRT's IExprBuilder would.
#pragma once

#include <functional>
#include <optional>

#include "../tensorrt/api.h"
#include "recipe.h"

namespace ntrt {

// The values of a recipe's expressions. One that has none (a division by 0, an unknown element) is an error only where it is used.
class Values {
 public:
  // `dims`: of all inputs. `element`: of a shape input; nothing where it is unknown.
  using Element = std::function<std::optional<int64_t>(uint32_t input, uint32_t element)>;
  // `sizes`: by output, what the kernel wrote; before it ran, a size is its upper bound.
  void evaluate(Recipe const& recipe, Dims const* const* dims, Element const& element, std::vector<std::optional<int64_t>> const* sizes = nullptr);

  // Throws ERR_PLUGIN_RUN if it has no value.
  int64_t operator[](uint32_t expression) const;
  bool has(uint32_t expression) const { return states_[expression] == known; }
  size_t size() const { return values_.size(); }

 private:
  enum State : uint8_t { known, divided_by_zero, unknown };
  std::vector<int64_t> values_;
  std::vector<State> states_;
};

// An operation of TensorRT's DimensionOperation, wrapping on overflow; nothing for a division by 0.
std::optional<int64_t> apply(Expression::Op op, int64_t a, int64_t b);

// Elements of a shape; 0 if any size is 0. Throws ERR_PLUGIN_RUN for a negative size or an overflow.
int64_t element_count(std::vector<int64_t> const& shape, std::string const& what);

}  // namespace ntrt
