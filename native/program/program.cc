#include "program.h"

#include <iterator>

#include "../weights/convert.h"
#include "../weights/weights.h"
#include "../compile/build.h"
#include "../core/js.h"
#include "../plugin_binding/native_plugin.h"

namespace ntrt {

namespace {

// Without what a script added to Object.prototype.
Napi::Array own_names(Napi::Object object) {
  napi_value names = nullptr;
  auto const filter = static_cast<napi_key_filter>(napi_key_enumerable | napi_key_skip_symbols);
  if (napi_get_all_property_names(object.Env(), object, napi_key_own_only, filter, napi_key_numbers_to_strings, &names) != napi_ok) throw Napi::Error::New(object.Env());
  return Napi::Array(object.Env(), names);
}

}  // namespace

Value to_value(Napi::Value value, int depth) {
  if (depth > 32) throw Error("ERR_INTERNAL", "parameters are nested too deeply");
  Value result;
  switch (value.Type()) {
    case napi_boolean: result.data = value.As<Napi::Boolean>().Value(); break;
    case napi_number: result.data = value.As<Napi::Number>().DoubleValue(); break;
    case napi_bigint: {
      bool lossless = true;
      result.data = value.As<Napi::BigInt>().Int64Value(&lossless);
      break;
    }
    case napi_string: result.data = value.As<Napi::String>().Utf8Value(); break;
    case napi_object: {
      if (value.IsArray()) {
        auto array = value.As<Napi::Array>();
        Value::List list;
        uint32_t const length = array.Length();
        list.reserve(length);
        for (uint32_t i = 0; i < length; i++) list.push_back(to_value(array.Get(i), depth + 1));
        result.data = std::move(list);
      } else {
        auto object = value.As<Napi::Object>();
        Value::Object map;
        Napi::Array keys = own_names(object);
        for (uint32_t i = 0; i < keys.Length(); i++) {
          Napi::Value key = keys.Get(i);
          map.emplace_back(key.As<Napi::String>().Utf8Value(), to_value(object.Get(key), depth + 1));
        }
        result.data = std::move(map);
      }
      break;
    }
    default: break;  // null, undefined
  }
  return result;
}

Napi::Value from_value(Napi::Env env, Value const& value) {
  if (auto const* flag = std::get_if<bool>(&value.data)) return Napi::Boolean::New(env, *flag);
  if (auto const* real = std::get_if<double>(&value.data)) return Napi::Number::New(env, *real);
  if (auto const* whole = std::get_if<int64_t>(&value.data)) return Napi::Number::New(env, static_cast<double>(*whole));
  if (auto const* text = std::get_if<std::string>(&value.data)) return Napi::String::New(env, *text);
  if (auto const* list = std::get_if<Value::List>(&value.data)) {
    auto array = Napi::Array::New(env, list->size());
    for (size_t i = 0; i < list->size(); i++) array.Set(static_cast<uint32_t>(i), from_value(env, (*list)[i]));
    return array;
  }
  if (auto const* object = std::get_if<Value::Object>(&value.data)) {
    auto result = Napi::Object::New(env);
    for (auto const& [name, item] : *object) result.Set(name, from_value(env, item));
    return result;
  }
  return env.Null();
}

namespace {

size_t bytes_of(Weight const& weight) {
  auto const type = type_from_name(weight.dtype);
  if (!type) throw Error("ERR_ARGUMENT", "unknown dtype '" + weight.dtype + "'");
  return bytes_of(*type, static_cast<size_t>(weight.count));
}

}  // namespace

Weight read_weight(Given const& given) {
  Weight weight;
  auto const name = given.member("name");
  if (!name.value().IsUndefined()) weight.name = name.text();
  weight.dtype = given.member("dtype").text();
  auto const shape = given.member("shape");
  weight.count = 1;
  weight.shape.resize(shape.list().Length());
  for (uint32_t i = 0; i < weight.shape.size(); i++) {
    int64_t const size = weight.shape[i] = static_cast<int64_t>(shape.item(i).size());
    // One bit to spare, so that the size in bytes fits too.
    if (__builtin_mul_overflow(weight.count, size, &weight.count) || weight.count > INT64_MAX / 16) {
      throw Error("ERR_ARGUMENT", "a weight's shape overflows");
    }
  }
  size_t const bytes = bytes_of(weight);
  auto const elements = given.member("data").elements();
  if (elements.ByteLength() != bytes) {
    throw Error("ERR_DISPOSED", "the elements of weight '" + weight.name + "' are gone: their array was detached or their file closed");
  }
  if (bytes == 0) {
    static char nothing;  // TensorRT needs a pointer even for no elements
    weight.data = &nothing;
    return weight;
  }
  void* data = nullptr;
  napi_get_typedarray_info(elements.Env(), elements, nullptr, nullptr, &data, nullptr, nullptr);
  weight.data = data;
  weight.owner = hold_mapping(given.member("mapping"), data, bytes);
  return weight;
}

Napi::Function ProgramWrap::define(Napi::Env env) {
  return DefineClass(env, "Program",
                     {InstanceMethod<&ProgramWrap::add_graph>("addGraph"), InstanceMethod<&ProgramWrap::add_weights>("addWeights"),
                      InstanceMethod<&ProgramWrap::add_plugins>("addPlugins"), InstanceMethod<&ProgramWrap::build>("build")});
}

ProgramWrap::ProgramWrap(Napi::CallbackInfo const& info) : ObjectWrap(info), program_(std::make_shared<Program>()) {
  guarded(info.Env(), [&] { program_->name = argument(info, 0).text(); });
}

Program& ProgramWrap::open() {
  if (!program_) throw Error("ERR_INTERNAL", "the program was already built");
  return *program_;
}

void ProgramWrap::add_graph(Napi::CallbackInfo const& info) {
  guarded(info.Env(), [&] {
    auto bytes = argument(info, 0).bytes();
    auto& program = open();
    program.encoded.emplace_back(bytes.Data(), bytes.Data() + bytes.ByteLength());
  });
}

void ProgramWrap::add_weights(Napi::CallbackInfo const& info) {
  guarded(info.Env(), [&] {
    auto const list = argument(info, 0);
    auto& weights = open().weights;
    std::vector<Weight> added(list.list().Length());
    for (uint32_t i = 0; i < added.size(); i++) added[i] = read_weight(list.item(i));
    std::move(added.begin(), added.end(), std::back_inserter(weights));
  });
}

void ProgramWrap::add_plugins(Napi::CallbackInfo const& info) {
  guarded(info.Env(), [&] {
    auto const list = argument(info, 0);
    auto& plugins = open().plugins;
    for (uint32_t i = 0; i < list.list().Length(); i++) plugins[list.item(i).member("value").integer()] = read_native_plugin(list.item(i));
  });
}

Napi::Value ProgramWrap::build(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    open();
    auto const library = argument(info, 0).text();
    auto options = to_value(argument(info, 1).object());
    if (!std::holds_alternative<Value::Object>(options.data)) argument(info, 1).refuse("an object");
    std::optional<std::string> timing_cache;
    if (!info[3].IsUndefined()) {
      auto const bytes = argument(info, 3).bytes();
      timing_cache.emplace(reinterpret_cast<char const*>(bytes.Data()), bytes.ByteLength());
    }
    return start_build(info.Env(), library, std::move(program_), Params(std::get<Value::Object>(std::move(options.data))), info[2], std::move(timing_cache));
  });
}

}  // namespace ntrt
