#include "program.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "../weights/convert.h"
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

namespace {

constexpr size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

size_t bytes_of(Weight const& weight) {
  auto const type = type_from_name(weight.dtype);
  if (!type) throw Error("ERR_INTERNAL", "no dtype '" + weight.dtype + "'");
  return bytes_of(*type, static_cast<size_t>(weight.count));
}

// What the weight is, and where its elements lie. They are looked at again, for a caller can take an array away at any time.
Weight read_weight(Napi::Object given) {
  Weight weight;
  Napi::Value const name = given.Get("name");
  if (name.IsString()) weight.name = name.As<Napi::String>().Utf8Value();
  weight.dtype = given.Get("dtype").As<Napi::String>().Utf8Value();
  auto const shape = given.Get("shape").As<Napi::Array>();
  weight.count = 1;
  weight.shape.resize(shape.Length());
  for (uint32_t i = 0; i < weight.shape.size(); i++) {
    int64_t const size = weight.shape[i] = shape.Get(i).As<Napi::Number>().Int64Value();
    // A bit to spare, so that the bytes can be counted too.
    if (size < 0 || __builtin_mul_overflow(weight.count, size, &weight.count) || weight.count > INT64_MAX / 16) {
      throw Error("ERR_INTERNAL", "a weight's shape overflows");
    }
  }
  Napi::Value const elements = given.Get("data");
  size_t const bytes = bytes_of(weight);
  if (!elements.IsTypedArray() || elements.As<Napi::TypedArray>().ByteLength() != bytes) {
    throw Error("ERR_DISPOSED", "the elements of weight '" + weight.name + "' are gone: their array was detached or their file closed");
  }
  void* data = nullptr;
  napi_get_typedarray_info(given.Env(), elements, nullptr, nullptr, &data, nullptr, nullptr);
  weight.data = data;
  Napi::Value const mapping = given.Get("mapping");
  weight.mapped = bytes > 0 && !mapping.IsUndefined();
  if (weight.mapped) weight.owner = hold_mapping(mapping, data, bytes);
  return weight;
}

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
    size_t total = 0;
    for (uint32_t i = 0; i < added.size(); i++) {
      added[i] = read_weight(list.Get(i).As<Napi::Object>());
      if (!added[i].mapped) total += aligned(bytes_of(added[i]));
    }
    // One block holds all that is not mapped. TensorRT wants a pointer even for no elements.
    std::shared_ptr<void> const block(std::malloc(total + 1), std::free);
    if (!block) throw std::bad_alloc();
    auto* place = static_cast<char*>(block.get());
    bool complete = true;
    for (auto& weight : added) {
      if (weight.mapped) continue;
      size_t const bytes = bytes_of(weight);
      if (copy && bytes) std::memcpy(place, weight.data, bytes);
      complete = complete && copy;
      weight.data = place;
      weight.owner = std::shared_ptr<void>(block, place);
      place += aligned(bytes);
    }
    auto& weights = open(info.Env()).weights;
    std::move(added.begin(), added.end(), std::back_inserter(weights));
    return Napi::Boolean::New(info.Env(), complete);
  });
}

void ProgramWrap::FillWeight(Napi::CallbackInfo const& info) {
  guarded(info.Env(), [&] {
    auto& weights = open(info.Env()).weights;
    auto const offset = static_cast<size_t>(info[0].As<Napi::Number>().Int64Value());
    auto bytes = info[1].As<Napi::Uint8Array>();
    size_t const room = weights.empty() || weights.back().mapped ? 0 : bytes_of(weights.back());
    if (offset > room || bytes.ByteLength() > room - offset) throw Error("ERR_INTERNAL", "more elements than the weight has");
    auto& weight = weights.back();
    if (bytes.ByteLength() == 0) return;
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
