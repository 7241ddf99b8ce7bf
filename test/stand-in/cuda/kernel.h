// What a kernel of the stand-in sees: a function `extern "C" int kernel_NAME(Launch const&)` in a library that STANDIN_KERNELS lists.
// It runs on the host for the whole grid, on the thread of the stream, and returns a CUDA error, which every later call reports.
#pragma once

#include "../common.h"

namespace standin {

struct Launch {
  char const* name;  // the name expression, "rmsNorm<__half, 256>"
  unsigned grid[3];
  unsigned block[3];
  unsigned shared;
  void** args;
  int count;
  unsigned blocks() const { return grid[0] * grid[1] * grid[2]; }
  unsigned threads() const { return block[0] * block[1] * block[2]; }
};

template <class T>
T value(Launch const& launch, int index) {
  if (index >= launch.count) die(std::string("kernel ") + launch.name + " has no argument " + std::to_string(index));
  T result;
  std::memcpy(&result, launch.args[index], sizeof result);
  return result;
}

template <class T>
T* pointer(Launch const& launch, int index) {
  auto* const address = value<void*>(launch, index);
  if (address && !is_device(address)) die(std::string("argument ") + std::to_string(index) + " of kernel " + launch.name + " is no device address");
  return static_cast<T*>(on_host(address));
}

}  // namespace standin
