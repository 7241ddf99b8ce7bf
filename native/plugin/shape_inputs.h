// How the elements of shape inputs reach the workspace and the launches.
#pragma once

#include <functional>

#include "expression.h"

namespace ntrt {

// TensorRT 10.6 gives shape inputs to getOutputShapes only. A plugin whose workspace or launches depend on their elements
// therefore has hidden outputs, after its own: int32 of the shape [element, …, 0], so without bytes. Every callback gets
// their sizes. The graph never uses them.
class HiddenOutputs {
 public:
  explicit HiddenOutputs(Recipe const& recipe);

  static constexpr uint8_t dtype = 5;  // int32, among a recipe's dtypes
  size_t count() const { return (elements_.size() + per_output - 1) / per_output; }
  // The expressions that are the sizes of one, but for the 0 at the end.
  std::vector<uint32_t> dims(size_t output) const;
  // The elements, where `sizes` are those of hidden output i. Unknown ones are below 0 there.
  Values::Element elements(std::function<Dims const&(size_t output)> const& sizes) const;

 private:
  static constexpr size_t per_output = 7;
  struct Element {
    uint32_t input;
    uint32_t element;
    uint32_t expression;
  };
  std::vector<Element> elements_;
};

}  // namespace ntrt
