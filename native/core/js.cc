#include "js.h"

#include <cmath>
#include <limits>
#include <new>

namespace ntrt {

namespace {

// How a value is described in error messages.
std::string describe(Napi::Value value) {
  switch (value.Type()) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return value.As<Napi::Boolean>().Value() ? "true" : "false";
    case napi_number: return value.ToString().Utf8Value();
    case napi_string: return "a string";
    case napi_symbol: return "a symbol";
    case napi_function: return "a function";
    case napi_bigint: return "a bigint";
    case napi_external: return "an external";
    default: return value.IsArray() ? "an array" : value.IsTypedArray() ? "a typed array" : "an object";
  }
}

Napi::Error make_error(Napi::Env env, std::string const& message, std::string const& code) {
  Napi::Error error = code == "ERR_ARGUMENT" ? Napi::TypeError::New(env, message) : Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

Napi::Error describe_error(Napi::Env env, std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (Error const& e) {
    Napi::Error error = make_error(env, e.what(), e.code);
    if (!e.layer.name.empty()) {
      error.Set("layer", Napi::String::New(env, e.layer.name));
      error.Set("kind", Napi::String::New(env, e.layer.kind));
    }
    return error;
  } catch (std::bad_alloc const&) {
    return make_error(env, "out of memory", "ERR_MEMORY");
  } catch (std::exception const& e) {
    return make_error(env, e.what(), "ERR_INTERNAL");
  } catch (...) {
    return make_error(env, "an exception of unknown type", "ERR_INTERNAL");
  }
}

}  // namespace

Napi::Error to_js_error(Napi::Env env, std::exception_ptr thrown, LogSink const* log) {
  Napi::Error error = describe_error(env, std::move(thrown));
  if (log) {
    error.Set("log", texts(env, log->errors()));
    if (auto const code = log->code(); !code.empty()) error.Set("tensorrtCode", Napi::String::New(env, code));
  }
  return error;
}

Napi::Array texts(Napi::Env env, std::vector<std::string> const& list) {
  auto array = Napi::Array::New(env, list.size());
  for (size_t i = 0; i < list.size(); i++) array.Set(static_cast<uint32_t>(i), Napi::String::New(env, list[i]));
  return array;
}

Napi::Array numbers(Napi::Env env, std::vector<int64_t> const& list) {
  auto array = Napi::Array::New(env, list.size());
  for (size_t i = 0; i < list.size(); i++) array.Set(static_cast<uint32_t>(i), Napi::Number::New(env, static_cast<double>(list[i])));
  return array;
}

void Given::refuse(std::string const& expected) const {
  throw Error("ERR_ARGUMENT", "expected " + expected + " as " + name_ + ", given " + describe(value_));
}

std::string Given::text() const {
  if (!value_.IsString()) refuse("a string");
  return value_.As<Napi::String>().Utf8Value();
}

bool Given::flag() const {
  if (!value_.IsBoolean()) refuse("true or false");
  return value_.As<Napi::Boolean>().Value();
}

size_t Given::size() const {
  double const value = value_.IsNumber() ? value_.As<Napi::Number>().DoubleValue() : -1;
  if (!(value >= 0 && value <= 9007199254740991.0) || value != std::trunc(value)) refuse("a whole number from 0 on");
  return static_cast<size_t>(value);
}

int32_t Given::integer() const {
  double const value = value_.IsNumber() ? value_.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(std::abs(value) <= std::numeric_limits<int32_t>::max()) || value != std::trunc(value)) refuse("a whole number of 32 bits");
  return static_cast<int32_t>(value);
}

double Given::amount() const {
  double const value = value_.IsNumber() ? value_.As<Napi::Number>().DoubleValue() : -1;
  if (!(value >= 0) || !std::isfinite(value)) refuse("a finite number of at least 0");
  return value;
}

Napi::Uint8Array Given::bytes() const {
  if (!value_.IsTypedArray() || value_.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) refuse("a Uint8Array");
  return value_.As<Napi::Uint8Array>();
}

Napi::TypedArray Given::elements() const {
  if (!value_.IsTypedArray()) refuse("a typed array");
  return value_.As<Napi::TypedArray>();
}

Napi::Array Given::list() const {
  if (!value_.IsArray()) refuse("an array");
  return value_.As<Napi::Array>();
}

Napi::Object Given::object() const {
  if (!value_.IsObject() || value_.IsFunction()) refuse("an object");
  return value_.As<Napi::Object>();
}

Given Given::item(uint32_t index) const { return {list().Get(index), "item " + std::to_string(index) + " of " + name_}; }

Given Given::member(char const* key) const { return {object().Get(key), std::string(key) + " of " + name_}; }

}  // namespace ntrt
