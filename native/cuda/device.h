// The devices that the driver reports, and the one a thread works on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver.h"

namespace ntrt {

// Makes the device's primary context (the one TensorRT uses) current on this thread. Throws ERR_NO_GPU or ERR_CUDA, and
// ERR_CUDA_CONTEXT_LOST once that context is lost.
void use_device(int ordinal);

// The device that `use_device` last made current on this thread.
int current_device();

// One that the process uses already, else 0: making the context of another takes time and memory.
int device_in_use();

// Makes a device current for a scope, and then what was before. Throws as `use_device`.
class OnDevice {
 public:
  explicit OnDevice(int ordinal);
  ~OnDevice();
  OnDevice(OnDevice const&) = delete;

 private:
  CUcontext context_before_ = nullptr;
  int device_before_;
};

// After an error that ends the context: this call, and every use of the device from now on, throws ERR_CUDA_CONTEXT_LOST.
// `suspects`: the plugins whose kernels ran, which may have caused it.
[[noreturn]] void lose_device(int ordinal, std::string const& error, std::vector<std::string> const& suspects);

struct CudaDevice {
  std::string name;
  std::string compute_capability;
  uint64_t total_memory;
};
struct CudaSummary {
  std::string driver;  // CUDA version the driver supports; empty without a driver
  std::vector<CudaDevice> devices;
  std::string error;
};
// Never throws.
CudaSummary cuda_summary();

}  // namespace ntrt
