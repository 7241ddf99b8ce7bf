#include <algorithm>

#include "../core/js.h"
#include "../plugin/launch.h"
#include "native_plugin.h"

namespace ntrt {

namespace {

Napi::Value big(Napi::Env env, int64_t value) { return Napi::BigInt::New(env, value); }

template <class List, class F>
Napi::Array array_of(Napi::Env env, List const& list, F&& to_value) {
  auto array = Napi::Array::New(env, std::size(list));
  for (size_t i = 0; i < std::size(list); i++) array.Set(static_cast<uint32_t>(i), to_value(list[i]));
  return array;
}

Dims read_dims(Given const& given, Recipe::Input const& input) {
  auto const list = given.list();
  if (list.Length() != input.rank) given.refuse("the " + std::to_string(input.rank) + " dims of input '" + input.name + "'");
  Dims dims;
  dims.rank = static_cast<int32_t>(list.Length());
  for (uint32_t i = 0; i < list.Length(); i++) dims.d[i] = static_cast<int64_t>(given.item(i).size());
  return dims;
}

std::vector<int64_t> read_values(Given const& given) {
  std::vector<int64_t> values(given.list().Length());
  for (uint32_t i = 0; i < values.size(); i++) {
    auto const item = given.item(i);
    bool lossless = item.value().IsBigInt();
    if (lossless) values[i] = item.value().As<Napi::BigInt>().Int64Value(&lossless);
    if (!lossless) item.refuse("a bigint of 64 bits");
  }
  return values;
}

std::string text_of(Recipe const& recipe, Values const& values, Recipe::Pointer const& pointer) {
  if (pointer.to == Recipe::Pointer::input) return "input " + recipe.inputs[pointer.index].name;
  if (pointer.to == Recipe::Pointer::output) return "output " + recipe.outputs[pointer.index].name;
  return "workspace + " + std::to_string(values[pointer.index]);
}

Napi::Value argument_value(Napi::Env env, Recipe const& recipe, Values const& values, Recipe::Argument const& argument) {
  switch (argument.kind) {
    case Recipe::Argument::pointer: return Napi::String::New(env, text_of(recipe, values, argument.target));
    case Recipe::Argument::integer: {
      int64_t const value = values[argument.index];
      if (!fits(value, argument.integer_type)) throw Error("ERR_PLUGIN", std::to_string(value) + " does not fit " + name_of(argument.integer_type));
      return big(env, value);
    }
    case Recipe::Argument::number: return Napi::Number::New(env, argument.value);
    case Recipe::Argument::number_of: return Napi::Number::New(env, static_cast<double>(values[argument.index]));
    default: return Napi::String::New(env, "attribute " + recipe.attributes[argument.index].name);
  }
}

Napi::Object step_value(Napi::Env env, Recipe const& recipe, Values const& values, Recipe::Step const& step) {
  auto const size = [&](uint32_t expression) { return big(env, values[expression]); };
  auto object = Napi::Object::New(env);
  if (step.is_fill) {
    // Its arguments are where, the byte and how many.
    auto args = Napi::Array::New(env);
    args.Set(0u, text_of(recipe, values, step.target));
    args.Set(1u, big(env, step.byte));
    args.Set(2u, size(step.bytes));
    object.Set("grid", Napi::Array::New(env));
    object.Set("block", Napi::Array::New(env));
    object.Set("sharedMemory", big(env, 0));
    object.Set("args", args);
    return object;
  }
  object.Set("grid", array_of(env, step.grid, size));
  object.Set("block", array_of(env, step.block, size));
  object.Set("sharedMemory", size(step.shared));
  object.Set("args", array_of(env, step.arguments, [&](auto const& one) { return argument_value(env, recipe, values, one); }));
  return object;
}

}  // namespace

Napi::Value evaluate_recipe(Napi::CallbackInfo const& info) {
  auto const env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    try {
      auto bytes = argument(info, 0).bytes();
      Recipe const recipe = decode_recipe(bytes.Data(), bytes.ByteLength());
      auto const shapes = argument(info, 1), given = argument(info, 2);
      if (shapes.list().Length() != recipe.inputs.size()) shapes.refuse("dims of " + std::to_string(recipe.inputs.size()) + " inputs");
      std::vector<Dims> dims;
      std::vector<Dims const*> pointers;
      std::vector<std::vector<int64_t>> elements(recipe.inputs.size());
      for (uint32_t i = 0; i < recipe.inputs.size(); i++) dims.push_back(read_dims(shapes.item(i), recipe.inputs[i]));
      for (auto const& one : dims) pointers.push_back(&one);
      for (uint32_t i = 0; i < std::min<size_t>(given.list().Length(), elements.size()); i++) elements[i] = read_values(given.item(i));
      Values values;
      values.evaluate(recipe, pointers.data(), [&](uint32_t input, uint32_t element) -> std::optional<int64_t> {
        if (element >= elements[input].size()) return std::nullopt;
        return elements[input][element];
      });
      auto object = Napi::Object::New(env);
      auto expressions = Napi::Array::New(env, values.size());
      for (uint32_t i = 0; i < values.size(); i++) expressions.Set(i, big(env, values[i]));
      object.Set("expressions", expressions);
      auto outputs = Napi::Array::New(env);
      for (size_t i = 0; i < recipe.outputs.size(); i++) outputs.Set(static_cast<uint32_t>(i), array_of(env, output_shape(recipe, values, i), [&](int64_t size) { return big(env, size); }));
      object.Set("outputs", outputs);
      object.Set("workspace", big(env, values[recipe.workspace]));
      object.Set("tactics", array_of(env, recipe.tactics, [&](auto const& steps) { return array_of(env, steps, [&](auto const& step) { return step_value(env, recipe, values, step); }); }));
      return object;
    } catch (Error const& error) {
      if (error.code == "ERR_PLUGIN_RUN") throw Error("ERR_PLUGIN", error.what());
      throw;
    }
  });
}

}  // namespace ntrt
