#include "device.h"

#include <map>
#include <mutex>

#include "../core/error.h"
#include "driver.h"

namespace ntrt {

void use_device(int ordinal) {
  static std::mutex mutex;
  static auto* contexts = new std::map<int, CUcontext>;  // retained for the life of the process
  auto const& d = driver();
  std::lock_guard lock(mutex);
  auto found = contexts->find(ordinal);
  if (found == contexts->end()) {
    int count = 0;
    check_cuda(d.cuDeviceGetCount(&count), "cuDeviceGetCount");
    if (ordinal < 0 || ordinal >= count) {
      throw Error("ERR_NO_GPU", "there is no GPU " + std::to_string(ordinal) + "; the driver reports " + std::to_string(count));
    }
    CUdevice device = 0;
    check_cuda(d.cuDeviceGet(&device, ordinal), "cuDeviceGet");
    CUcontext context = nullptr;
    check_cuda(d.cuDevicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
    found = contexts->emplace(ordinal, context).first;
  }
  check_cuda(d.cuCtxSetCurrent(found->second), "cuCtxSetCurrent");
}

CudaSummary cuda_summary() {
  constexpr int compute_capability_major = 75;
  constexpr int compute_capability_minor = 76;
  CudaSummary summary;
  auto const& l = loaded_driver();
  summary.error = l.error;
  if (!l.library) return summary;
  int version = 0;
  if (l.driver.cuDriverGetVersion(&version) == 0) summary.driver = std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  if (!l.error.empty()) return summary;
  int count = 0;
  l.driver.cuDeviceGetCount(&count);
  for (int i = 0; i < count; i++) {
    CUdevice device = 0;
    char name[256] = "";
    int major = 0;
    int minor = 0;
    size_t bytes = 0;
    if (l.driver.cuDeviceGet(&device, i) != 0) continue;
    l.driver.cuDeviceGetName(name, sizeof name, device);
    l.driver.cuDeviceGetAttribute(&major, compute_capability_major, device);
    l.driver.cuDeviceGetAttribute(&minor, compute_capability_minor, device);
    l.driver.cuDeviceTotalMem_v2(&bytes, device);
    summary.devices.push_back({name, std::to_string(major) + "." + std::to_string(minor), bytes});
  }
  if (count == 0) summary.error = "the driver reports no GPU";
  return summary;
}

}  // namespace ntrt
