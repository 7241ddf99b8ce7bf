#include "program.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "../weights/weights.h"
#include "../compile/build.h"
#include "../core/job.h"

namespace ntrt {

Value to_value(Napi::Value value, int depth) {
  if (depth > 32) throw Error("ERR_INTERNAL", "parameters nest too deep");
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
        Napi::Array keys = object.GetPropertyNames();
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

constexpr size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

Napi::Function ProgramWrap::define(Napi::Env env) {
  return DefineClass(env, "Program",
                     {InstanceMethod<&ProgramWrap::AddGraph>("addGraph"), InstanceMethod<&ProgramWrap::AddWeights>("addWeights"),
                      InstanceMethod<&ProgramWrap::FillWeight>("fillWeight"), InstanceMethod<&ProgramWrap::Build>("build")});
}

ProgramWrap::ProgramWrap(Napi::CallbackInfo const& info) : ObjectWrap(info), program_(std::make_shared<Program>()) {
  program_->name = info[0].As<Napi::String>().Utf8Value();
}

Program& ProgramWrap::open(Napi::Env env) {
  if (!program_) throw to_js_error(env, std::make_exception_ptr(Error("ERR_INTERNAL", "the program was built already")), nullptr);
  return *program_;
}

void ProgramWrap::AddGraph(Napi::CallbackInfo const& info) {
  guarded(info.Env(), [&] {
    auto bytes = info[0].As<Napi::Uint8Array>();
    auto& program = open(info.Env());
    program.encoded.emplace_back(bytes.Data(), bytes.Data() + bytes.ByteLength());
  });
}

Napi::Value ProgramWrap::AddWeights(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto list = info[0].As<Napi::Array>();
    bool const copy = info[1].As<Napi::Boolean>();
    std::vector<Weight> added(list.Length());
    std::vector<size_t> sizes;
    size_t total = 0;
    for (uint32_t i = 0; i < added.size(); i++) {
      auto elements = list.Get(i).As<Napi::TypedArray>();
      void* data = nullptr;
      napi_get_typedarray_info(info.Env(), elements, nullptr, nullptr, &data, nullptr, nullptr);
      added[i].data = data;
      added[i].owner = hold_mapping(data);
      added[i].mapped = added[i].owner != nullptr;
      sizes.push_back(added[i].mapped ? 0 : elements.ByteLength());
      total += aligned(sizes[i]);
    }
    // One block holds all that is not mapped. TensorRT wants a pointer even for no elements.
    std::shared_ptr<void> const block(std::malloc(total + 1), std::free);
    if (!block) throw std::bad_alloc();
    auto* place = static_cast<char*>(block.get());
    bool complete = true;
    for (size_t i = 0; i < added.size(); i++) {
      if (added[i].mapped) continue;
      if (copy && sizes[i]) std::memcpy(place, added[i].data, sizes[i]);
      complete = complete && copy;
      added[i].data = place;
      added[i].owner = std::shared_ptr<void>(block, place);
      place += aligned(sizes[i]);
    }
    auto& weights = open(info.Env()).weights;
    std::move(added.begin(), added.end(), std::back_inserter(weights));
    return Napi::Boolean::New(info.Env(), complete);
  });
}

void ProgramWrap::FillWeight(Napi::CallbackInfo const& info) {
  guarded(info.Env(), [&] {
    auto& weight = open(info.Env()).weights.back();
    auto const offset = static_cast<size_t>(info[0].As<Napi::Number>().Int64Value());
    auto bytes = info[1].As<Napi::Uint8Array>();
    std::memcpy(static_cast<char*>(weight.owner.get()) + offset, bytes.Data(), bytes.ByteLength());
  });
}

Napi::Value ProgramWrap::Build(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    open(info.Env());
    auto options = std::get<Value::Object>(to_value(info[1]).data);
    return start_build(info.Env(), info[0].As<Napi::String>().Utf8Value(), std::move(program_), Params(std::move(options)), info[2]);
  });
}

}  // namespace ntrt
