#include "program.h"

#include <cstring>

#include "../weights/weights.h"
#include "build.h"
#include "job.h"

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
          map.emplace(key.As<Napi::String>().Utf8Value(), to_value(object.Get(key), depth + 1));
        }
        result.data = std::move(map);
      }
      break;
    }
    default: break;  // null, undefined
  }
  return result;
}

Napi::Function ProgramWrap::define(Napi::Env env) {
  return DefineClass(env, "Program",
                     {InstanceMethod<&ProgramWrap::AddGraph>("addGraph"), InstanceMethod<&ProgramWrap::AddWeight>("addWeight"),
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

Napi::Value ProgramWrap::AddWeight(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto bytes = info[3].As<Napi::Uint8Array>();
    Weight weight;
    if (info[0].IsString()) weight.name = info[0].As<Napi::String>().Utf8Value();
    weight.dtype = info[1].As<Napi::String>().Utf8Value();
    auto shape = info[2].As<Napi::Array>();
    weight.count = 1;
    for (uint32_t i = 0, rank = shape.Length(); i < rank; i++) {
      weight.shape.push_back(shape.Get(i).As<Napi::Number>().Int64Value());
      weight.count *= weight.shape.back();
    }
    size_t const size = bytes.ByteLength();
    weight.owner = hold_mapping(bytes.Data());
    weight.mapped = weight.owner != nullptr;
    bool complete = weight.mapped;
    if (complete) {
      weight.data = bytes.Data();
    } else {
      // TensorRT wants a pointer even for no elements.
      weight.owner = std::shared_ptr<void>(std::malloc(size + 1), std::free);
      if (!weight.owner) throw std::bad_alloc();
      weight.data = weight.owner.get();
      complete = size <= info[4].As<Napi::Number>().Uint32Value();
      if (complete && size) std::memcpy(weight.owner.get(), bytes.Data(), size);
    }
    open(info.Env()).weights.push_back(std::move(weight));
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
