// What a plugin computes, as data: expressions over its inputs' sizes, and the launches made of them.
// Written by src/plugin/encode.ts, which has the layout of the bytes. Free of N-API, like all of native/plugin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ntrt {

// Values of TensorRT's PluginFieldType; the same in all flavors.
enum class FieldType : uint8_t { float16, float32, float64, int8, int16, int32, character, dims, unknown, bfloat16, int64, float8, int4, float4 };
constexpr int field_type_count = 14;
// Bytes of an element; 0 where elements are smaller than a byte.
size_t size_of(FieldType type);
char const* name_of(FieldType type);
// The reverse; nothing for another name.
std::optional<FieldType> field_type_of(std::string const& name);

// Types of kernel arguments that are integers.
enum class IntegerType : uint8_t { int8, uint8, int16, uint16, int32, uint32, int64, uint64, boolean };
constexpr int integer_type_count = 9;
size_t size_of(IntegerType type);
char const* name_of(IntegerType type);
// Whether a value fits.
bool fits(int64_t value, IntegerType type);

// Types of kernel arguments that are not whole.
enum class FloatType : uint8_t { float16, bfloat16, float32, float64 };
constexpr int float_type_count = 4;
size_t size_of(FloatType type);

// Names of dtypes in the order of their bytes in a recipe, and their DataType in TensorRT.
constexpr int dtype_count = 10;
extern char const* const dtype_names[dtype_count];
extern int32_t const dtype_values[dtype_count];
// The name of a DataType; null if there is none.
char const* dtype_name_of(int32_t value);

struct Expression {
  // From `sum` on: TensorRT's DimensionOperation.
  enum Op : uint8_t { constant, dim, value, size, sum, prod, max, min, sub, equal, less, floor_div, ceil_div };
  Op op;
  int64_t number = 0;  // of a constant
  uint32_t a = 0;      // the input of `dim` and `value`, the output of `size`; else an earlier expression
  uint32_t b = 0;      // the axis of `dim`, the element of `value`; else an earlier expression
  uint32_t c = 0;      // the upper bound of a size
};
constexpr int expression_op_count = 13;

struct Recipe {
  struct Input {
    std::string name;
    uint8_t dtype = 0;
    uint8_t rank = 0;
    bool is_shape = false;
  };
  struct Attribute {
    std::string name;
    FieldType type{};
  };
  struct Output {
    std::string name;
    uint8_t dtype = 0;
    int32_t alias = -1;    // the input whose memory it has
    bool is_size = false;  // a size tensor, which the kernel writes
    std::vector<uint32_t> dims;
  };
  struct Kernel {
    std::string name;     // as its author writes it: rmsNorm<__half>
    std::string lowered;  // as the cubin has it
  };
  struct Pointer {
    enum To : uint8_t { input, output, workspace };
    To to = input;
    uint32_t index = 0;  // workspace: an expression, in bytes
  };
  struct Argument {
    enum Kind : uint8_t { pointer, integer, number, number_of, attribute };
    Kind kind = pointer;
    Pointer target;
    IntegerType integer_type{};
    FloatType float_type{};
    uint32_t index = 0;  // an expression, or an attribute
    double value = 0;
  };
  struct Step {
    bool is_fill = false;
    // a launch
    uint32_t kernel = 0;
    uint32_t grid[3] = {};
    uint32_t block[3] = {};
    uint32_t shared = 0;
    std::vector<Argument> arguments;
    // a fill
    Pointer target;
    uint8_t byte = 0;
    uint32_t bytes = 0;
  };

  std::string name;
  std::string version;
  std::string package_version;
  std::vector<Input> inputs;  // shape inputs are the last
  std::vector<Attribute> attributes;
  std::vector<Expression> expressions;
  std::vector<Output> outputs;
  uint32_t workspace = 0;
  std::vector<Kernel> kernels;
  std::vector<std::vector<Step>> tactics;
  std::string timing;

  size_t shape_inputs() const;
  size_t tensors() const { return inputs.size() - shape_inputs(); }  // inputs that are no shape inputs
  bool has_aliases() const;
};

// Decodes a recipe. Every read stays in its bytes and every index is checked; memory is in proportion to the bytes.
// Throws ERR_PLUGIN.
Recipe decode_recipe(void const* bytes, size_t size);

}  // namespace ntrt
