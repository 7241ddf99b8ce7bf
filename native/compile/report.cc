#include "report.h"

#include <algorithm>

#include "../core/handle.h"
#include "../core/js.h"
#include "../program/program.h"

namespace ntrt {

namespace {

Napi::Value layers_of(Napi::Env env, std::vector<Lowering::Record> const& records) {
  auto array = Napi::Array::New(env, records.size());
  for (size_t i = 0; i < records.size(); i++) {
    Napi::HandleScope scope(env);
    auto const& record = records[i];
    auto item = Napi::Object::New(env);
    item.Set("name", Napi::String::New(env, record.layer));
    item.Set("kind", Napi::String::New(env, record.kind));
    item.Set("dtype", Napi::String::New(env, record.dtype));
    auto const rank = static_cast<uint32_t>(record.shape.rank);
    auto shape = Napi::Array::New(env, rank);
    for (uint32_t k = 0; k < rank; k++) shape.Set(k, Napi::Number::New(env, static_cast<double>(record.shape.d[k])));
    item.Set("shape", shape);
    array.Set(static_cast<uint32_t>(i), item);
  }
  return array;
}

Napi::Value read_back_of(Napi::Env env, std::vector<HeldLayer> const& held) {
  auto array = Napi::Array::New(env, held.size());
  for (size_t i = 0; i < held.size(); i++) {
    Napi::HandleScope scope(env);
    auto item = Napi::Object::New(env);
    item.Set("layer", Napi::String::New(env, held[i].layer));
    item.Set("kind", Napi::String::New(env, held[i].kind));
    item.Set("parameters", from_value(env, Value{held[i].parameters}));
    item.Set("unread", texts(env, held[i].unread));
    item.Set("parts", texts(env, held[i].parts));
    array.Set(static_cast<uint32_t>(i), item);
  }
  return array;
}

Napi::Value names_of(Napi::Env env, Lowering::Names const& names) {
  auto layers = Napi::Array::New(env, names.layers.size());
  for (size_t i = 0; i < names.layers.size(); i++) {
    Napi::HandleScope scope(env);
    auto item = Napi::Object::New(env);
    item.Set("name", Napi::String::New(env, names.layers[i].name));
    item.Set("outputs", texts(env, names.layers[i].outputs));
    layers.Set(static_cast<uint32_t>(i), item);
  }
  auto object = Napi::Object::New(env);
  object.Set("inputs", texts(env, names.inputs));
  object.Set("layers", layers);
  object.Set("outputs", texts(env, names.outputs));
  return object;
}

Napi::Value constants_of(Napi::Env env, std::deque<Lowering::Constant> const& constants) {
  auto array = Napi::Array::New(env);
  for (auto const& one : constants) {
    Napi::HandleScope scope(env);
    auto item = Napi::Object::New(env);
    item.Set("name", one.name);
    item.Set("dtype", one.dtype);
    item.Set("shape", numbers(env, one.shape));
    auto data = Napi::ArrayBuffer::New(env, one.data->size());
    std::copy(one.data->begin(), one.data->end(), static_cast<char*>(data.Data()));
    item.Set("data", data);
    array.Set(array.Length(), item);
  }
  return array;
}

}  // namespace

Napi::Object to_js(Napi::Env env, Report const& report, std::vector<std::string> const& log) {
  auto object = Napi::Object::New(env);
  if (report.plan.data) {
    object.Set("plan", make_handle(env, std::make_shared<Plan>(report.plan), report.plan.size));
    object.Set("bytes", Napi::Number::New(env, static_cast<double>(report.plan.size)));
  }
  object.Set("flavor", Napi::String::New(env, report.flavor));
  object.Set("version", Napi::String::New(env, report.version));
  object.Set("lowerMs", Napi::Number::New(env, report.lower_ms));
  object.Set("buildMs", Napi::Number::New(env, report.build_ms));
  object.Set("log", texts(env, log));
  object.Set("shapeInputs", texts(env, report.shape_inputs));
  object.Set("options", from_value(env, Value{report.options}));
  if (report.timing_cache) {
    auto buffer = Napi::ArrayBuffer::New(env, report.timing_cache->size());
    std::copy(report.timing_cache->begin(), report.timing_cache->end(), static_cast<char*>(buffer.Data()));
    object.Set("timingCache", buffer);
  }
  if (!report.constants.empty()) object.Set("constants", constants_of(env, report.constants));
  if (report.layers) object.Set("layers", layers_of(env, *report.layers));
  if (report.held) {
    object.Set("readBack", read_back_of(env, *report.held));
    object.Set("names", names_of(env, report.names));
  }
  return object;
}

}  // namespace ntrt
