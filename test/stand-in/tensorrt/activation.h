// The memory that a context computes in: scratch, tensors inside the network, the workspace of plugins.
#pragma once

#include <functional>

#include "plan.h"

namespace standin {

// Where each tensor lies in it.
struct Layout {
  size_t bytes = 0;
  size_t workspace = 0;                 // offset
  std::map<int32_t, size_t> tensors;    // offsets
  Layout() = default;
  Layout(Plan const& plan, std::function<Dims(int32_t)> const& dims);
  // What the largest shapes of a profile need.
  static Layout of_profile(Plan const& plan, size_t profile);
};

// On the stream, around the work of one enqueue: dies if other work computes in the same memory.
void begin_use(void* memory, size_t bytes, std::string const& engine);
void end_use(void* memory);

// "5" or "NAME:5,OTHER:7" of the environment, for an engine.
int64_t microseconds(char const* variable, std::string const& engine);

}  // namespace standin
