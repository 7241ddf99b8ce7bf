// Stands in for TensorRT's IExprBuilder: records what a plugin computes of its inputs' dims.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "../plugin/expression.h"
#include "../tensorrt/table.h"

namespace ntrt {

// What plugins hold of an object of TensorRT's: its destructors, which nobody calls, and the implementation.
struct ExprHandle {
  void* const* table;
  void const* implementation;
  explicit ExprHandle(void const* implementation);
};

// An IDimensionExpr.
class RecordedDim : public Callbacks {
 public:
  RecordedDim(std::vector<Expression> const& all, uint32_t index) : Callbacks(table_of<RecordedDim>()), index(index), handle_(this), all_(all) {}
  bool isConstant() noexcept { return all_[index].op == Expression::constant; }
  int64_t getConstantValue() noexcept { return isConstant() ? all_[index].number : INT64_MIN; }
  bool isSizeTensor() noexcept { return all_[index].op == Expression::size; }

  uint32_t const index;  // of its expression
  DimensionExpr const* expr() const { return reinterpret_cast<DimensionExpr const*>(&handle_); }

 private:
  ExprHandle const handle_;
  std::vector<Expression> const& all_;
};

// An IExprBuilder. Operations on constants give constants, as TensorRT's do.
class DimRecorder : public Callbacks {
 public:
  DimRecorder() : Callbacks(table_of<DimRecorder>()), handle_(this) {}
  DimensionExpr const* constant(int64_t value) noexcept;
  DimensionExpr const* operation(int32_t operation, DimensionExpr const& a, DimensionExpr const& b) noexcept;
  DimensionExpr const* declareSizeTensor(int32_t output, DimensionExpr const& opt, DimensionExpr const& upper) noexcept;

  // A dim of an input, or an element of a shape input.
  DimensionExpr const* leaf(Expression::Op op, uint32_t input, uint32_t index);
  // The object that plugins get.
  void* builder() { return const_cast<ExprHandle*>(&handle_); }
  // The index of an expression that a plugin returned.
  static uint32_t index_of(DimensionExpr const* expr);

  std::vector<Expression> expressions;
  // Why a plugin got null.
  std::string failure;

 private:
  DimensionExpr const* add(Expression expression);

  ExprHandle const handle_;
  std::deque<RecordedDim> dims_;
};

}  // namespace ntrt
