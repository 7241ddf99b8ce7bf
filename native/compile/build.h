// From a program to a serialized engine.
#pragma once

#include <napi.h>

#include "../program/graph.h"

namespace ntrt {

// The bytes of an engine. They never change, and live as long as their last owner.
struct Plan {
  static constexpr char handle_kind[] = "a plan";
  std::shared_ptr<void> owner;
  void const* data = nullptr;
  size_t size = 0;
};

// Builds on the worker thread. The promise resolves to binding.ts's BuildReport. `callbacks` may have onEvent, and is given `cancel`.
Napi::Value start_build(Napi::Env env, std::string const& library, std::shared_ptr<Program> program, Params options, Napi::Value callbacks);

}  // namespace ntrt
