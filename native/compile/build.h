// From a program to a serialized engine.
#pragma once

#include <napi.h>

#include <optional>
#include <string>

#include "../program/graph.h"

namespace ntrt {

class Mapping;

// The bytes of an engine. They live as long as their last owner, and never change, unless somebody changes the file they are part of.
struct Plan {
  static constexpr char handle_kind[] = "a plan";
  std::shared_ptr<void> owner;
  void const* data = nullptr;
  size_t size = 0;
  // Of a plan in a file: `owner` again, and where it begins there.
  Mapping const* file = nullptr;
  size_t offset = 0;
};

// Builds on the worker thread. The promise resolves to binding.ts's BuildReport. `callbacks` may have onEvent, and is given `cancel`.
// `timing_cache`: serialized, or empty for a new one; the report then has what the build made of it.
Napi::Value start_build(Napi::Env env, std::string const& library, std::shared_ptr<Program> program, Params options, Napi::Value callbacks, std::optional<std::string> timing_cache);

}  // namespace ntrt
