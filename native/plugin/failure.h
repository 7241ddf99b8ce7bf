// Why a plugin failed. TensorRT only learns that it did; who called TensorRT asks here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../core/error.h"

namespace ntrt {

// Records a failure of the calling thread and logs it as an error. Never throws.
void record_failure(Error const& error) noexcept;
// The first failure of the calling thread since the last call.
std::optional<Error> take_failure();

// The calling thread made a plugin out of an engine's fields.
void record_created(std::string const& title) noexcept;
// Titles of those that it made since the last call.
std::vector<std::string> take_created();

// Who gets the log lines; by default nobody. Severity as in ILogger: 1 is an error.
using PluginLog = void (*)(int32_t severity, char const* text);
void set_plugin_log(PluginLog log);

// Runs a callback of TensorRT's. A failure is recorded, with `title` before it, and the result is `otherwise`.
template <class Title, class R, class F>
R guard_callback(Title&& title, R otherwise, F&& function) noexcept {
  try {
    return function();
  } catch (Error const& error) {
    try {
      record_failure(Error(error.code, title() + ": " + error.what()));
    } catch (...) {
      record_failure(error);
    }
  } catch (std::exception const& error) {
    try {
      record_failure(Error("ERR_PLUGIN_RUN", title() + ": " + error.what()));
    } catch (...) {
    }
  }
  return otherwise;
}

}  // namespace ntrt
