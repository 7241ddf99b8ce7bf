#include "recipe.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "reader.h"

namespace ntrt {

char const* const dtype_names[dtype_count] = {"float32", "float16", "bfloat16", "float8e4m3", "int64", "int32", "int8", "int4", "uint8", "bool"};
int32_t const dtype_values[dtype_count] = {0, 1, 7, 6, 8, 3, 2, 9, 5, 4};

size_t size_of(FieldType type) {
  constexpr uint8_t sizes[field_type_count] = {2, 4, 8, 1, 2, 4, 1, 72, 1, 2, 8, 1, 0, 0};
  return sizes[static_cast<int>(type)];
}

char const* name_of(FieldType type) {
  constexpr char const* names[field_type_count] = {"float16", "float32", "float64", "int8", "int16", "int32", "char", "dims", "unknown", "bfloat16", "int64", "float8e4m3", "int4", "float4e2m1"};
  return names[static_cast<int>(type)];
}

std::optional<FieldType> field_type_of(std::string const& name) {
  for (int i = 0; i < field_type_count; i++) {
    if (name == name_of(static_cast<FieldType>(i))) return static_cast<FieldType>(i);
  }
  return std::nullopt;
}

char const* dtype_name_of(int32_t value) {
  for (int i = 0; i < dtype_count; i++) {
    if (dtype_values[i] == value) return dtype_names[i];
  }
  return nullptr;
}

size_t size_of(IntegerType type) {
  constexpr uint8_t sizes[integer_type_count] = {1, 1, 2, 2, 4, 4, 8, 8, 1};
  return sizes[static_cast<int>(type)];
}

char const* name_of(IntegerType type) {
  constexpr char const* names[integer_type_count] = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool"};
  return names[static_cast<int>(type)];
}

bool fits(int64_t value, IntegerType type) {
  switch (type) {
    case IntegerType::int8: return value >= INT8_MIN && value <= INT8_MAX;
    case IntegerType::uint8: return value >= 0 && value <= UINT8_MAX;
    case IntegerType::int16: return value >= INT16_MIN && value <= INT16_MAX;
    case IntegerType::uint16: return value >= 0 && value <= UINT16_MAX;
    case IntegerType::int32: return value >= INT32_MIN && value <= INT32_MAX;
    case IntegerType::uint32: return value >= 0 && value <= UINT32_MAX;
    case IntegerType::int64: return true;
    case IntegerType::uint64: return value >= 0;
    default: return value == 0 || value == 1;
  }
}

size_t size_of(FloatType type) {
  constexpr uint8_t sizes[float_type_count] = {2, 2, 4, 8};
  return sizes[static_cast<int>(type)];
}

size_t Recipe::shape_inputs() const {
  return static_cast<size_t>(std::count_if(inputs.begin(), inputs.end(), [](Input const& input) { return input.is_shape; }));
}

bool Recipe::has_aliases() const {
  return std::any_of(outputs.begin(), outputs.end(), [](Output const& output) { return output.alias >= 0; });
}

namespace {

constexpr uint32_t magic = 0x5052544e;  // NTRP
constexpr uint32_t newest = 1;
constexpr size_t most_ends = 255;           // inputs, outputs, attributes
constexpr size_t most_expressions = 1 << 20;
constexpr size_t most_steps = 1 << 16;      // also tactics and kernels
constexpr size_t most_arguments = 1024;

class Decoder {
 public:
  Decoder(void const* bytes, size_t size) : in_(bytes, size) {}

  Recipe decode() {
    if (in_.number<uint32_t>() != magic) in_.fail("no recipe");
    uint32_t const version = in_.number<uint32_t>();
    recipe_.name = in_.text();
    recipe_.version = in_.text();
    recipe_.package_version = in_.text();
    if (version != newest) throw Error("ERR_PLUGIN", "plugin '" + recipe_.name + "' was made by a newer node-tensorrt (" + recipe_.package_version + "): its recipe has version " + std::to_string(version));
    ends();
    expressions();
    outputs();
    check_sizes();
    recipe_.workspace = expression();
    kernels();
    recipe_.tactics.resize(in_.count(4, most_steps, "tactics"));
    if (recipe_.tactics.empty()) in_.fail("no tactics");
    for (auto& steps : recipe_.tactics) {
      steps.resize(in_.count(1 + 5 + 1 + 4, most_steps, "steps"));
      for (auto& one : steps) step(one);
    }
    recipe_.timing = in_.text();
    if (in_.left()) in_.fail(std::to_string(in_.left()) + " more bytes");
    return std::move(recipe_);
  }

 private:
  void ends() {
    recipe_.inputs.resize(in_.count(4 + 3, most_ends, "inputs"));
    for (auto& input : recipe_.inputs) {
      input.name = in_.text();
      input.dtype = dtype();
      input.rank = in_.below<uint8_t>(9, "rank");
      input.is_shape = in_.flag();
      if (input.is_shape && (!is_integer(input.dtype) || input.rank > 1)) in_.fail("a shape input that is no list of integers");
      if (!input.is_shape && &input != recipe_.inputs.data() && (&input)[-1].is_shape) in_.fail("a shape input that is not among the last");
    }
    recipe_.attributes.resize(in_.count(4 + 1, most_ends, "attributes"));
    for (auto& attribute : recipe_.attributes) {
      attribute.name = in_.text();
      attribute.type = static_cast<FieldType>(in_.below<uint8_t>(field_type_count, "field type"));
    }
  }

  void expressions() {
    auto const count = in_.count(1 + 8, most_expressions, "expressions");
    recipe_.expressions.reserve(count);
    for (uint32_t i = 0; i < count; i++) {
      Expression one{static_cast<Expression::Op>(in_.below<uint8_t>(expression_op_count, "operation"))};
      auto const operand = [&] { return in_.below<uint32_t>(i, "operand"); };
      switch (one.op) {
        case Expression::constant: one.number = in_.number<int64_t>(); break;
        case Expression::dim:
          one.a = in_.below<uint32_t>(recipe_.inputs.size(), "input");
          one.b = in_.below<uint32_t>(recipe_.inputs[one.a].rank, "axis");
          break;
        case Expression::value:
          one.a = in_.below<uint32_t>(recipe_.inputs.size(), "input");
          if (!recipe_.inputs[one.a].is_shape) in_.fail("an element of an input that is no shape input");
          one.b = in_.below<uint32_t>(recipe_.inputs[one.a].rank == 0 ? 1 : 8, "element");
          break;
        case Expression::size:
          one.a = in_.number<uint32_t>();  // checked once the outputs are known
          one.b = operand();
          one.c = operand();
          break;
        default:
          one.a = operand();
          one.b = operand();
      }
      recipe_.expressions.push_back(one);
    }
  }

  void outputs() {
    recipe_.outputs.resize(in_.count(4 + 1 + 4 + 1 + 4, most_ends, "outputs"));
    if (recipe_.outputs.empty()) in_.fail("no outputs");
    std::vector<bool> taken(recipe_.inputs.size());
    for (auto& output : recipe_.outputs) {
      output.name = in_.text();
      output.dtype = dtype();
      output.alias = in_.number<int32_t>();
      if (output.alias < -1 || output.alias >= static_cast<int64_t>(recipe_.tensors())) in_.fail("alias of input " + std::to_string(output.alias));
      if (output.alias >= 0 && taken[output.alias]) in_.fail("two aliases of input " + std::to_string(output.alias));
      if (output.alias >= 0) taken[output.alias] = true;
      output.is_size = in_.flag();
      output.dims.resize(in_.count(4, 8, "dims"));
      for (auto& dim : output.dims) dim = expression();
      if (output.is_size && (!output.dims.empty() || !is_integer(output.dtype))) in_.fail("a size tensor that is no whole number");
    }
  }

  void check_sizes() {
    for (auto const& one : recipe_.expressions) {
      if (one.op == Expression::size && (one.a >= recipe_.outputs.size() || !recipe_.outputs[one.a].is_size)) in_.fail("a size of output " + std::to_string(one.a) + ", which is no size tensor");
    }
  }

  void kernels() {
    recipe_.kernels.resize(in_.count(8, most_steps, "kernels"));
    for (auto& kernel : recipe_.kernels) {
      kernel.name = in_.text();
      kernel.lowered = in_.text();
    }
  }

  void step(Recipe::Step& step) {
    step.is_fill = in_.flag();
    if (step.is_fill) {
      step.target = pointer(true);
      step.byte = in_.number<uint8_t>();
      step.bytes = expression();
      return;
    }
    step.kernel = in_.below<uint32_t>(recipe_.kernels.size(), "kernel");
    for (auto& size : step.grid) size = expression();
    for (auto& size : step.block) size = expression();
    step.shared = expression();
    step.arguments.resize(in_.count(1 + 4, most_arguments, "arguments"));
    for (auto& one : step.arguments) argument(one);
  }

  void argument(Recipe::Argument& argument) {
    argument.kind = static_cast<Recipe::Argument::Kind>(in_.below<uint8_t>(5, "kind of argument"));
    switch (argument.kind) {
      case Recipe::Argument::pointer: argument.target = pointer(false); break;
      case Recipe::Argument::integer:
        argument.integer_type = static_cast<IntegerType>(in_.below<uint8_t>(integer_type_count, "integer type"));
        argument.index = expression();
        break;
      case Recipe::Argument::number:
        argument.float_type = float_type();
        argument.value = in_.number<double>();
        break;
      case Recipe::Argument::number_of:
        argument.float_type = float_type();
        argument.index = expression();
        break;
      default: {
        argument.index = in_.below<uint32_t>(recipe_.attributes.size(), "attribute");
        FieldType const type = recipe_.attributes[argument.index].type;
        if (size_of(type) == 0 || type == FieldType::dims || type == FieldType::unknown) in_.fail("attribute '" + recipe_.attributes[argument.index].name + "' as an argument: it is no scalar");
      }
    }
  }

  Recipe::Pointer pointer(bool writes) {
    Recipe::Pointer pointer;
    pointer.to = static_cast<Recipe::Pointer::To>(in_.below<uint8_t>(3, "kind of pointer"));
    switch (pointer.to) {
      case Recipe::Pointer::input: pointer.index = in_.below<uint32_t>(recipe_.tensors(), "input with memory"); break;
      case Recipe::Pointer::output: pointer.index = in_.below<uint32_t>(recipe_.outputs.size(), "output"); break;
      default: pointer.index = expression();
    }
    if (writes && pointer.to == Recipe::Pointer::input) in_.fail("a fill of an input");
    return pointer;
  }

  // int64 or int32
  static bool is_integer(uint8_t dtype) { return dtype_values[dtype] == 8 || dtype_values[dtype] == 3; }
  uint8_t dtype() { return in_.below<uint8_t>(dtype_count, "dtype"); }
  FloatType float_type() { return static_cast<FloatType>(in_.below<uint8_t>(float_type_count, "float type")); }
  uint32_t expression() { return in_.below<uint32_t>(recipe_.expressions.size(), "expression"); }

  ByteReader in_;
  Recipe recipe_;
};

}  // namespace

Recipe decode_recipe(void const* bytes, size_t size) { return Decoder(bytes, size).decode(); }

}  // namespace ntrt
