#include "device.h"

#include <atomic>
#include <map>
#include <mutex>

#include "../core/error.h"
#include "driver.h"

namespace ntrt {

namespace {

// For the life of the process.
std::mutex mutex;
auto* const contexts = new std::map<int, CUcontext>;  // retained
auto* const lost = new std::map<int, std::string>;    // why

std::atomic<bool> any_lost{false};

thread_local int device_of_thread = 0;
thread_local CUcontext context_of_thread = nullptr;

// Whether the device is the thread's already; others may have changed that.
bool is_current(Driver const& d, int ordinal) {
  CUcontext now = nullptr;
  return device_of_thread == ordinal && context_of_thread && !any_lost && d.cuCtxGetCurrent && d.cuCtxGetCurrent(&now) == 0 && now == context_of_thread;
}

}  // namespace

void use_device(int ordinal) {
  auto const& d = driver();
  if (is_current(d, ordinal)) return;
  std::lock_guard lock(mutex);
  if (auto const why = lost->find(ordinal); why != lost->end()) throw Error("ERR_CUDA_CONTEXT_LOST", why->second);
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
  device_of_thread = ordinal;
  context_of_thread = found->second;
}

int current_device() { return device_of_thread; }

int device_in_use() {
  std::lock_guard lock(mutex);
  for (auto const& [ordinal, context] : *contexts) {
    if (!lost->count(ordinal)) return ordinal;
  }
  return 0;
}

OnDevice::OnDevice(int ordinal) : device_before_(device_of_thread) {
  driver().cuCtxGetCurrent(&context_before_);
  use_device(ordinal);
}

OnDevice::~OnDevice() {
  driver().cuCtxSetCurrent(context_before_);
  device_of_thread = device_before_;
  context_of_thread = context_before_;
}

void lose_device(int ordinal, std::string const& error, std::vector<std::string> const& suspects) {
  std::string names;
  for (auto const& one : suspects) {
    if (error.find(one) == std::string::npos) names += (names.empty() ? "" : ", ") + one;
  }
  std::string text = error;
  if (!names.empty()) text += "; the engine runs " + names + ": NODE_TENSORRT_PLUGIN_SYNC=1 in the environment tells which kernel it is";
  text += ". This process's CUDA context on GPU " + std::to_string(ordinal) + " is lost and every later run on it fails: go on in a new process, or run the engine in a child process";
  std::lock_guard lock(mutex);
  any_lost = true;
  throw Error("ERR_CUDA_CONTEXT_LOST", lost->emplace(ordinal, text).first->second);
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
