#include "launch.h"

#include <cstring>

#include "../core/error.h"
#include "../weights/float_bits.h"

namespace ntrt {

namespace {

[[noreturn]] void fail(std::string const& message) { throw Error("ERR_PLUGIN_RUN", message); }

uint64_t bits(double value, FloatType type) {
  uint64_t slot = 0;
  float const narrow = static_cast<float>(value);
  switch (type) {
    case FloatType::float16: slot = to_f16(narrow); break;
    case FloatType::bfloat16: slot = to_bf16(narrow); break;
    case FloatType::float32: std::memcpy(&slot, &narrow, 4); break;
    default: std::memcpy(&slot, &value, 8);
  }
  return slot;
}

class Maker {
 public:
  Maker(Recipe const& recipe, Values const& values, std::vector<PluginAttribute> const& attributes) : recipe_(recipe), values_(values), attributes_(attributes) {}

  Launches make(uint32_t tactic, Dims const* outputs) {
    Launches made;
    bool is_empty = true;
    for (size_t i = 0; i < recipe_.outputs.size(); i++) {
      auto const& output = recipe_.outputs[i];
      output_bytes_.push_back(tensor_bytes(output.dtype, element_count(output_shape(recipe_, values_, i, outputs), "output '" + output.name + "'")));
      is_empty = is_empty && output_bytes_.back() == 0;
      if (output.alias >= 0 && output_bytes_.back()) made.copies.push_back({static_cast<uint32_t>(output.alias), static_cast<uint32_t>(i), output_bytes_.back()});
    }
    if (is_empty) return made;
    int64_t const workspace = values_[recipe_.workspace];
    if (workspace < 0) fail("its workspace has " + std::to_string(workspace) + " bytes");
    made.workspace = static_cast<uint64_t>(workspace);
    workspace_ = made.workspace;
    for (auto const& step : recipe_.tactics[tactic]) {
      Launch launch;
      launch.step = &step;
      if (step.is_fill) {
        fill(launch);
        if (launch.bytes) made.list.push_back(std::move(launch));
      } else {
        kernel(launch);
        made.list.push_back(std::move(launch));
      }
    }
    for (auto& launch : made.list) {
      for (auto& slot : launch.slots) launch.addresses.push_back(&slot);
    }
    return made;
  }

 private:
  void fill(Launch& launch) {
    auto const& step = *launch.step;
    int64_t const bytes = values_[step.bytes];
    launch.target = place(step.target);
    uint64_t const room = step.target.to == Recipe::Pointer::output ? output_bytes_[step.target.index] : workspace_ - launch.target.offset;
    if (bytes < 0 || static_cast<uint64_t>(bytes) > room) fail("a fill of " + std::to_string(bytes) + " bytes, where there are " + std::to_string(room));
    launch.bytes = static_cast<uint64_t>(bytes);
  }

  void kernel(Launch& launch) {
    auto const& step = *launch.step;
    std::string const title = "kernel '" + recipe_.kernels[step.kernel].name + "': ";
    constexpr int64_t most_grid[] = {INT32_MAX, 65535, 65535}, most_block[] = {1024, 1024, 64};
    size3(launch.grid, step.grid, most_grid, title + "grid");
    size3(launch.block, step.block, most_block, title + "block");
    uint64_t const threads = uint64_t{launch.block[0]} * launch.block[1] * launch.block[2];
    if (threads > 1024) fail(title + "block has " + std::to_string(threads) + " threads, CUDA takes 1024 at most");
    int64_t const shared = values_[step.shared];
    if (shared < 0 || shared > INT32_MAX) fail(title + "sharedMemory is " + std::to_string(shared) + " bytes");
    launch.shared = static_cast<uint32_t>(shared);
    launch.slots.resize(step.arguments.size());
    for (size_t i = 0; i < step.arguments.size(); i++) {
      try {
        argument(launch, i);
      } catch (Error const& error) {
        fail(title + argument_title(recipe_, step.arguments[i], i) + ": " + error.what());
      }
    }
  }

  void size3(uint32_t (&into)[3], uint32_t const (&from)[3], int64_t const (&most)[3], std::string const& title) {
    int64_t const sizes[] = {values_[from[0]], values_[from[1]], values_[from[2]]};
    for (int i = 0; i < 3; i++) {
      if (sizes[i] < 1 || sizes[i] > most[i]) {
        fail(title + " is [" + std::to_string(sizes[0]) + ", " + std::to_string(sizes[1]) + ", " + std::to_string(sizes[2]) + "]: expected 1 to " + std::to_string(most[i]) + " in " + "xyz"[i]);
      }
      into[i] = static_cast<uint32_t>(sizes[i]);
    }
  }

  void argument(Launch& launch, size_t index) {
    auto const& one = launch.step->arguments[index];
    uint64_t& slot = launch.slots[index];
    switch (one.kind) {
      case Recipe::Argument::pointer: launch.pointers.emplace_back(static_cast<uint32_t>(index), place(one.target)); break;
      case Recipe::Argument::integer: {
        int64_t const value = values_[one.index];
        if (!fits(value, one.integer_type)) fail(std::to_string(value) + " does not fit " + name_of(one.integer_type));
        slot = static_cast<uint64_t>(value);
        break;
      }
      case Recipe::Argument::number: slot = bits(one.value, one.float_type); break;
      case Recipe::Argument::number_of: slot = bits(static_cast<double>(values_[one.index]), one.float_type); break;
      default: {
        auto const& attribute = attributes_.at(one.index);
        if (attribute.length != 1 || attribute.bytes.size() != size_of(attribute.type)) fail("it is a list of " + std::to_string(attribute.length));
        std::memcpy(&slot, attribute.bytes.data(), attribute.bytes.size());
      }
    }
  }

  Launch::Place place(Recipe::Pointer const& pointer) {
    if (pointer.to != Recipe::Pointer::workspace) return {pointer.to, pointer.index, 0};
    int64_t const offset = values_[pointer.index];
    if (offset < 0 || static_cast<uint64_t>(offset) > workspace_) fail("byte " + std::to_string(offset) + " of a workspace of " + std::to_string(workspace_));
    return {pointer.to, 0, static_cast<uint64_t>(offset)};
  }

  Recipe const& recipe_;
  Values const& values_;
  std::vector<PluginAttribute> const& attributes_;
  std::vector<uint64_t> output_bytes_;
  uint64_t workspace_ = 0;
};

}  // namespace

void* Launch::Place::in(PluginMemory const& memory) const {
  if (to == Recipe::Pointer::input) return const_cast<void*>(memory.inputs[index]);
  if (to == Recipe::Pointer::output) return memory.outputs[index];
  return static_cast<char*>(memory.workspace) + offset;
}

Launches make_launches(Recipe const& recipe, Values const& values, uint32_t tactic, std::vector<PluginAttribute> const& attributes, Dims const* outputs) {
  return Maker(recipe, values, attributes).make(tactic, outputs);
}

size_t argument_size(Recipe const& recipe, Recipe::Argument const& argument) {
  switch (argument.kind) {
    case Recipe::Argument::pointer: return 8;
    case Recipe::Argument::integer: return size_of(argument.integer_type);
    case Recipe::Argument::number:
    case Recipe::Argument::number_of: return size_of(argument.float_type);
    default: return size_of(recipe.attributes[argument.index].type);
  }
}

std::string argument_title(Recipe const& recipe, Recipe::Argument const& argument, size_t index) {
  static constexpr char const* floats[] = {"float16", "bfloat16", "float32", "float64"};
  std::string what;
  switch (argument.kind) {
    case Recipe::Argument::pointer:
      what = argument.target.to == Recipe::Pointer::input ? recipe.inputs[argument.target.index].name : argument.target.to == Recipe::Pointer::output ? recipe.outputs[argument.target.index].name : "workspace";
      break;
    case Recipe::Argument::integer: what = name_of(argument.integer_type); break;
    case Recipe::Argument::number:
    case Recipe::Argument::number_of: what = floats[static_cast<int>(argument.float_type)]; break;
    default: what = recipe.attributes[argument.index].name + ", " + name_of(recipe.attributes[argument.index].type);
  }
  return "argument " + std::to_string(index + 1) + " (" + what + ")";
}

std::vector<int64_t> output_shape(Recipe const& recipe, Values const& values, size_t output, Dims const* outputs) {
  std::vector<int64_t> shape;
  for (uint32_t dim : recipe.outputs[output].dims) {
    auto const axis = static_cast<int32_t>(shape.size());
    bool const is_told = outputs && !values.has(dim) && axis < outputs[output].rank && outputs[output].d[axis] >= 0;
    shape.push_back(is_told ? outputs[output].d[axis] : values[dim]);
  }
  return shape;
}

uint64_t tensor_bytes(uint8_t dtype, int64_t elements) {
  constexpr uint8_t bits[dtype_count] = {32, 16, 16, 8, 64, 32, 8, 4, 8, 8};
  auto const count = static_cast<uint64_t>(elements);
  return bits[dtype] == 4 ? (count + 1) / 2 : count * (bits[dtype] / 8);
}

}  // namespace ntrt
