#include "driver.h"

#include <dlfcn.h>

#include "../core/error.h"

namespace ntrt {

namespace {

std::string describe(Driver const& d, CUresult result) {
  char const* name = nullptr;
  char const* text = nullptr;
  if (!d.cuGetErrorName || !d.cuGetErrorString) return "CUDA error " + std::to_string(result);
  d.cuGetErrorName(result, &name);
  d.cuGetErrorString(result, &text);
  return std::string(name ? name : "CUDA error " + std::to_string(result)) + (text ? std::string(" (") + text + ")" : "");
}

}  // namespace

LoadedDriver const& loaded_driver() {
  static LoadedDriver const* const instance = [] {
    auto* l = new LoadedDriver;
    void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      l->error = std::string("no NVIDIA driver: ") + dlerror();
      return l;
    }
#define LOAD(NAME)                                                                             \
  l->driver.NAME = reinterpret_cast<decltype(l->driver.NAME)>(dlsym(library, #NAME));          \
  if (!l->driver.NAME) {                                                                       \
    l->error = "the NVIDIA driver is too old: it has no " #NAME;                               \
    return l;                                                                                  \
  }
    LOAD(cuInit) LOAD(cuDriverGetVersion) LOAD(cuGetErrorName) LOAD(cuGetErrorString) LOAD(cuDeviceGetCount) LOAD(cuDeviceGet)
    LOAD(cuDeviceGetName) LOAD(cuDeviceGetAttribute) LOAD(cuDeviceTotalMem_v2) LOAD(cuDevicePrimaryCtxRetain) LOAD(cuCtxSetCurrent)
    LOAD(cuMemAlloc_v2) LOAD(cuMemFree_v2) LOAD(cuMemGetInfo_v2) LOAD(cuMemHostAlloc) LOAD(cuMemFreeHost) LOAD(cuPointerGetAttribute)
    LOAD(cuMemcpyHtoDAsync_v2) LOAD(cuMemcpyDtoHAsync_v2) LOAD(cuMemcpyDtoDAsync_v2) LOAD(cuStreamCreateWithPriority)
    LOAD(cuStreamDestroy_v2) LOAD(cuStreamSynchronize) LOAD(cuStreamWaitEvent) LOAD(cuEventCreate) LOAD(cuEventRecord)
    LOAD(cuEventQuery) LOAD(cuEventSynchronize) LOAD(cuCtxGetCurrent)
#undef LOAD
#define LOAD(NAME) l->driver.NAME = reinterpret_cast<decltype(l->driver.NAME)>(dlsym(library, #NAME));
    LOAD(cuCtxPushCurrent_v2) LOAD(cuCtxPopCurrent_v2) LOAD(cuCtxGetDevice) LOAD(cuCtxGetId) LOAD(cuStreamGetCtx)
    LOAD(cuStreamIsCapturing) LOAD(cuModuleLoadData) LOAD(cuModuleUnload) LOAD(cuModuleGetFunction) LOAD(cuFuncGetAttribute)
    LOAD(cuFuncSetAttribute) LOAD(cuFuncGetParamInfo) LOAD(cuLaunchKernel) LOAD(cuMemsetD8Async)
    LOAD(cuMemPoolCreate) LOAD(cuMemPoolSetAttribute) LOAD(cuMemPoolTrimTo) LOAD(cuMemAllocFromPoolAsync) LOAD(cuMemFreeAsync)
    LOAD(cuStreamBeginCapture_v2) LOAD(cuStreamEndCapture) LOAD(cuGraphInstantiateWithFlags) LOAD(cuGraphUpload) LOAD(cuGraphLaunch)
    LOAD(cuGraphExecDestroy) LOAD(cuGraphDestroy) LOAD(cuEventDestroy_v2) LOAD(cuEventElapsedTime)
#undef LOAD
    l->library = true;
    CUresult const result = l->driver.cuInit(0);
    if (result != 0) l->error = "cuInit failed: " + describe(l->driver, result);
    return l;
  }();
  return *instance;
}

Driver const& driver() {
  auto const& l = loaded_driver();
  if (!l.error.empty()) throw Error("ERR_NO_GPU", l.error);
  return l.driver;
}

void need(void const* function, char const* name, char const* purpose) {
  if (!function) throw Error("ERR_CUDA", std::string("the NVIDIA driver is too old for ") + purpose + ": it has no " + name);
}

std::string describe_cuda(CUresult result) { return describe(loaded_driver().driver, result); }

bool is_sticky(CUresult result) {
  switch (result) {
    case 214:  // ECC_UNCORRECTABLE
    case 700:  // ILLEGAL_ADDRESS
    case 702:  // LAUNCH_TIMEOUT
    case 709:  // CONTEXT_IS_DESTROYED
    case 710:  // ASSERT
    case 714:  // HARDWARE_STACK_ERROR
    case 715:  // ILLEGAL_INSTRUCTION
    case 716:  // MISALIGNED_ADDRESS
    case 717:  // INVALID_ADDRESS_SPACE
    case 718:  // INVALID_PC
    case 719:  // LAUNCH_FAILED
    case 721: return true;  // TENSOR_MEMORY_LEAK
    default: return false;
  }
}

void check_cuda(CUresult result, char const* what) {
  if (result == 0) return;
  std::string const text = std::string(what) + " failed: " + describe_cuda(result);
  if (is_sticky(result)) throw Error("ERR_CUDA_CONTEXT_LOST", text);
  throw Error("ERR_CUDA", text);
}

}  // namespace ntrt
