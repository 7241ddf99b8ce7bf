#include "expression.h"

#include <algorithm>

#include "../core/error.h"

namespace ntrt {

std::optional<int64_t> apply(Expression::Op op, int64_t a, int64_t b) {
  auto const wrapped = [](uint64_t value) { return static_cast<int64_t>(value); };
  auto const [ua, ub] = std::pair(static_cast<uint64_t>(a), static_cast<uint64_t>(b));
  switch (op) {
    case Expression::sum: return wrapped(ua + ub);
    case Expression::prod: return wrapped(ua * ub);
    case Expression::max: return std::max(a, b);
    case Expression::min: return std::min(a, b);
    case Expression::sub: return wrapped(ua - ub);
    case Expression::equal: return a == b;
    case Expression::less: return a < b;
    default: break;
  }
  if (b == 0) return std::nullopt;
  if (b == -1) return wrapped(-ua);  // INT64_MIN / -1 would trap
  int64_t const quotient = a / b;
  bool const inexact = quotient * b != a;
  bool const negative = (a < 0) != (b < 0);
  if (op == Expression::floor_div) return quotient - (inexact && negative);
  return quotient + (inexact && !negative);
}

void Values::evaluate(Recipe const& recipe, Dims const* const* dims, Element const& element, std::vector<std::optional<int64_t>> const* sizes) {
  size_t const count = recipe.expressions.size();
  values_.assign(count, 0);
  states_.assign(count, known);
  for (size_t i = 0; i < count; i++) {
    auto const& one = recipe.expressions[i];
    auto const copy = [&](uint32_t from) {
      values_[i] = values_[from];
      states_[i] = states_[from];
    };
    switch (one.op) {
      case Expression::constant: values_[i] = one.number; break;
      case Expression::dim:
        if (static_cast<int32_t>(one.b) < dims[one.a]->rank) {
          values_[i] = dims[one.a]->d[one.b];
        } else {
          states_[i] = unknown;
        }
        break;
      case Expression::value: {
        auto const found = element(one.a, one.b);
        values_[i] = found.value_or(0);
        if (!found) states_[i] = unknown;
        break;
      }
      case Expression::size:
        if (sizes && (*sizes)[one.a]) {
          values_[i] = *(*sizes)[one.a];
        } else {
          copy(one.c);
        }
        break;
      default: {
        State const worst = std::max(states_[one.a], states_[one.b]);
        if (worst != known) {
          states_[i] = worst;
          break;
        }
        auto const result = apply(one.op, values_[one.a], values_[one.b]);
        values_[i] = result.value_or(0);
        if (!result) states_[i] = divided_by_zero;
      }
    }
  }
}

int64_t Values::operator[](uint32_t expression) const {
  if (states_[expression] == known) return values_[expression];
  throw Error("ERR_PLUGIN_RUN", states_[expression] == unknown ? "a size depends on an element of a shape input that is not known" : "division by 0 in a rule");
}

int64_t element_count(std::vector<int64_t> const& shape, std::string const& what) {
  for (int64_t size : shape) {
    if (size < 0) throw Error("ERR_PLUGIN_RUN", what + ": its rule gives a size of " + std::to_string(size));
  }
  if (std::count(shape.begin(), shape.end(), 0) > 0) return 0;
  int64_t count = 1;
  for (int64_t size : shape) {
    // Eight bytes an element must fit too.
    if (__builtin_mul_overflow(count, size, &count) || count > INT64_MAX / 8) throw Error("ERR_PLUGIN_RUN", what + ": its elements are too many");
  }
  return count;
}

}  // namespace ntrt
