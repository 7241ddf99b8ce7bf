#include "driver.h"

#include <dlfcn.h>

#include "../core/error.h"

namespace ntrt {

namespace {

std::string describe(Driver const& d, CUresult result) {
  char const* name = nullptr;
  char const* text = nullptr;
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
    LOAD(cuMemAlloc_v2) LOAD(cuMemFree_v2) LOAD(cuMemAllocHost_v2) LOAD(cuMemFreeHost) LOAD(cuMemcpyHtoDAsync_v2)
    LOAD(cuMemcpyDtoHAsync_v2) LOAD(cuStreamCreate) LOAD(cuStreamDestroy_v2) LOAD(cuStreamSynchronize)
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

void check_cuda(CUresult result, char const* what) {
  if (result != 0) throw Error("ERR_CUDA", std::string(what) + " failed: " + describe(loaded_driver().driver, result));
}

}  // namespace ntrt
