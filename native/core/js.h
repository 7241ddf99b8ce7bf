// Conversion between JavaScript values and ours.
#pragma once

#include <napi.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "error.h"
#include "log.h"

namespace ntrt {

// A JavaScript Error for a C++ exception, with `code` and, if known, `layer`, `kind`, `log` and `tensorrtCode`; a TypeError for ERR_ARGUMENT.
Napi::Error to_js_error(Napi::Env env, std::exception_ptr error, LogSink const* log = nullptr);

// Runs `function` and turns our errors into JavaScript's.
template <class F>
auto guarded(Napi::Env env, F&& function) -> decltype(function()) {
  try {
    return function();
  } catch (Napi::Error const&) {
    throw;
  } catch (...) {
    throw to_js_error(env, std::current_exception());
  }
}

Napi::Array texts(Napi::Env env, std::vector<std::string> const& list);
Napi::Array numbers(Napi::Env env, std::vector<int64_t> const& list);

// A JavaScript value and its name in messages. Each method reads it as one type, and throws ERR_ARGUMENT if it has another.
class Given {
 public:
  Given(Napi::Value value, std::string name) : value_(value), name_(std::move(name)) {}
  std::string text() const;
  bool flag() const;
  // A whole number of at least 0.
  size_t size() const;
  int32_t integer() const;
  // Finite, and at least 0.
  double amount() const;
  Napi::Uint8Array bytes() const;
  Napi::TypedArray elements() const;
  Napi::Array list() const;
  Napi::Object object() const;
  Given item(uint32_t index) const;
  Given member(char const* key) const;

  Napi::Value value() const { return value_; }
  // "expected a string as argument 1, given null"
  [[noreturn]] void refuse(std::string const& expected) const;

 private:
  Napi::Value value_;
  std::string name_;
};

// Argument `index` of a call, counted from 0.
inline Given argument(Napi::CallbackInfo const& info, size_t index) { return {info[index], "argument " + std::to_string(index + 1)}; }

}  // namespace ntrt
