#include "existing_binding.h"

#include <optional>

#include "../core/job.h"
#include "../core/js.h"
#include "../program/program.h"
#include "../tensorrt/library.h"
#include "creators.h"
#include "existing.h"

namespace ntrt {

namespace {

// Names in TypeScript, in the order of Expression::Op.
constexpr char const* operations[] = {"constant", "dim", "value", "size", "sum", "prod", "max", "min", "sub", "equal", "less", "floorDiv", "ceilDiv"};

struct ListedCreator {
  CreatorInfo creator;
  std::vector<CreatorField> fields;
};

Napi::Array creators_value(Napi::Env env, std::vector<ListedCreator> const& creators) {
  auto list = Napi::Array::New(env, creators.size());
  for (uint32_t i = 0; i < creators.size(); i++) {
    Napi::HandleScope scope(env);
    auto const& [creator, listed] = creators[i];
    auto item = Napi::Object::New(env);
    item.Set("name", creator.name);
    item.Set("version", creator.version);
    item.Set("namespace", creator.space);
    item.Set("interface", creator.is_v3 ? "V3" : "V1");
    auto fields = Napi::Array::New(env, listed.size());
    for (uint32_t k = 0; k < listed.size(); k++) {
      auto const& field = listed[k];
      bool const known = field.type >= 0 && field.type < field_type_count;
      auto entry = Napi::Object::New(env);
      entry.Set("name", field.name);
      entry.Set("type", name_of(known ? static_cast<FieldType>(field.type) : FieldType::unknown));
      entry.Set("length", field.length);
      fields.Set(k, entry);
    }
    item.Set("fields", fields);
    list.Set(i, item);
  }
  return list;
}

// Lists creators, after loading a library if `path` is given: "" is libnvinfer_plugin.
class CreatorsJob : public Job {
 public:
  CreatorsJob(std::string library, std::optional<std::string> path) : library_(std::move(library)), path_(std::move(path)) {}
  void work() override {
    auto const api = load_library(library_);
    enter_library(api.get(), !path_ ? "listing plugin creators" : "loading the plugin library " + (path_->empty() ? "libnvinfer_plugin" : *path_));
    auto const creators = !path_ ? plugin_creators(*api) : path_->empty() ? load_nvidia_plugins(*api) : load_plugin_library(*api, *path_);
    for (auto const& creator : creators) creators_.push_back({creator, fields_of(*api, creator)});
  }
  Napi::Value result(Napi::Env env) override { return creators_value(env, creators_); }

 private:
  std::string library_;
  std::optional<std::string> path_;
  std::vector<ListedCreator> creators_;
};

Napi::Object expression_value(Napi::Env env, Expression const& expression) {
  auto item = Napi::Object::New(env);
  item.Set("op", operations[expression.op]);
  auto const set = [&](char const* name, uint32_t value) { item.Set(name, value); };
  switch (expression.op) {
    case Expression::constant: item.Set("value", Napi::BigInt::New(env, expression.number)); break;
    case Expression::dim: set("input", expression.a), set("axis", expression.b); break;
    case Expression::value: set("input", expression.a), set("element", expression.b); break;
    case Expression::size: set("output", expression.a), set("opt", expression.b), set("upper", expression.c); break;
    default: set("a", expression.a), set("b", expression.b); break;
  }
  return item;
}

class DescribeJob : public Job {
 public:
  DescribeJob(std::string library, DescribeRequest request) : library_(std::move(library)), request_(std::move(request)) {}
  void work() override {
    auto const api = load_library(library_);
    enter_library(api.get(), "asking plugin " + describe(request_.creator) + " about its outputs");
    outputs_ = describe_plugin(*api, request_);
  }
  Napi::Value result(Napi::Env env) override {
    auto outputs = Napi::Array::New(env), expressions = Napi::Array::New(env);
    for (auto const& output : outputs_.outputs) {
      auto item = Napi::Object::New(env);
      item.Set("dtype", output.dtype);
      item.Set("dims", numbers(env, {output.dims.begin(), output.dims.end()}));
      item.Set("isSize", output.is_size);
      outputs.Set(outputs.Length(), item);
    }
    for (auto const& expression : outputs_.expressions) expressions.Set(expressions.Length(), expression_value(env, expression));
    auto object = Napi::Object::New(env);
    object.Set("outputs", outputs);
    object.Set("expressions", expressions);
    return object;
  }

 private:
  std::string library_;
  DescribeRequest request_;
  PluginOutputs outputs_;
};

DescribeRequest read_request(Given const& given) {
  DescribeRequest request;
  request.creator = {given.member("name").text(), given.member("version").text(), given.member("namespace").text()};
  auto const fields = given.member("fields");
  for (uint32_t i = 0; i < fields.list().Length(); i++) {
    Value field = to_value(fields.item(i).object());
    request.fields.emplace_back(std::get<Value::Object>(std::move(field.data)));
  }
  auto const inputs = given.member("inputs");
  for (uint32_t i = 0; i < inputs.list().Length(); i++) {
    auto const shape = inputs.item(i).member("shape");
    auto& input = request.inputs.emplace_back();
    input.dtype = inputs.item(i).member("dtype").text();
    for (uint32_t axis = 0; axis < shape.list().Length(); axis++) {
      Napi::Value const size = shape.item(axis).value();
      if (!size.IsNumber()) shape.item(axis).refuse("a number");
      input.shape.push_back(size.As<Napi::Number>().Int64Value());
    }
  }
  request.shape_inputs = given.member("shapeInputs").size();
  return request;
}

}  // namespace

Napi::Value loaded_plugins(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] {
    auto list = Napi::Array::New(info.Env());
    for (auto const& path : loaded_plugin_libraries(argument(info, 0).text())) {
      list.Set(list.Length(), path.empty() ? info.Env().Null() : Napi::Value(Napi::String::New(info.Env(), path)));
    }
    return list;
  });
}

Napi::Value plugin_creators(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] {
    return Job::start(info.Env(), std::make_shared<CreatorsJob>(argument(info, 0).text(), std::nullopt), Lane::plugin);
  });
}

Napi::Value load_plugin_library(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] {
    std::string path = info[1].IsNull() ? "" : argument(info, 1).text();
    if (!info[1].IsNull() && path.empty()) argument(info, 1).refuse("a path");
    return Job::start(info.Env(), std::make_shared<CreatorsJob>(argument(info, 0).text(), std::move(path)), Lane::plugin);
  });
}

Napi::Value describe_plugin(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] {
    auto job = std::make_shared<DescribeJob>(argument(info, 0).text(), read_request(argument(info, 1)));
    return Job::run(info.Env(), std::move(job), Lane::plugin);
  });
}

}  // namespace ntrt
