// The devices that the driver reports, and the one a thread works on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ntrt {

// Makes the device's primary context (the one TensorRT uses) current on this thread. Throws ERR_NO_GPU or ERR_CUDA.
void use_device(int ordinal);

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
