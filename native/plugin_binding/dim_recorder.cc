#include "dim_recorder.h"

#include <algorithm>

namespace ntrt {

namespace {

void no_destructor(void*) {}
constexpr void (*handle_table[])(void*) = {no_destructor, no_destructor};

bool same(Expression const& one, Expression const& other) {
  return one.op == other.op && one.number == other.number && one.a == other.a && one.b == other.b && one.c == other.c;
}

RecordedDim const* dim_of(DimensionExpr const* expr) {
  return expr ? static_cast<RecordedDim const*>(reinterpret_cast<ExprHandle const*>(expr)->implementation) : nullptr;
}

}  // namespace

ExprHandle::ExprHandle(void const* implementation) : table(reinterpret_cast<void* const*>(handle_table)), implementation(implementation) {}

uint32_t DimRecorder::index_of(DimensionExpr const* expr) { return dim_of(expr)->index; }

DimensionExpr const* DimRecorder::add(Expression expression) {
  auto const found = std::find_if(expressions.begin(), expressions.end(), [&](Expression const& one) { return same(one, expression); });
  if (found != expressions.end()) return dims_[static_cast<size_t>(found - expressions.begin())].expr();
  expressions.push_back(expression);
  return dims_.emplace_back(expressions, static_cast<uint32_t>(expressions.size() - 1)).expr();
}

DimensionExpr const* DimRecorder::leaf(Expression::Op op, uint32_t input, uint32_t index) {
  Expression expression{op};
  expression.a = input;
  expression.b = index;
  return add(expression);
}

DimensionExpr const* DimRecorder::constant(int64_t value) noexcept {
  try {
    Expression expression{Expression::constant};
    expression.number = value;
    return add(expression);
  } catch (...) {
    return nullptr;
  }
}

DimensionExpr const* DimRecorder::operation(int32_t operation, DimensionExpr const& a, DimensionExpr const& b) noexcept {
  try {
    auto const *first = dim_of(&a), *second = dim_of(&b);
    if (operation < 0 || operation > Expression::ceil_div - Expression::sum || !first || !second) return nullptr;
    Expression expression{static_cast<Expression::Op>(Expression::sum + operation)};
    Expression const &x = expressions[first->index], &y = expressions[second->index];
    if (x.op == Expression::constant && y.op == Expression::constant) {
      auto const value = apply(expression.op, x.number, y.number);
      if (!value) failure = "it divides by 0";
      return value ? constant(*value) : nullptr;
    }
    expression.a = first->index;
    expression.b = second->index;
    return add(expression);
  } catch (...) {
    return nullptr;
  }
}

DimensionExpr const* DimRecorder::declareSizeTensor(int32_t output, DimensionExpr const& opt, DimensionExpr const& upper) noexcept {
  try {
    auto const *first = dim_of(&opt), *second = dim_of(&upper);
    if (output < 0 || !first || !second) return nullptr;
    Expression expression{Expression::size};
    expression.a = static_cast<uint32_t>(output);
    expression.b = first->index;
    expression.c = second->index;
    return add(expression);
  } catch (...) {
    return nullptr;
  }
}

}  // namespace ntrt
