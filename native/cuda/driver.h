// CUDA's driver API, loaded by dlopen: needs no toolkit and no libcudart.
#pragma once

#include <cstddef>
#include <string>

namespace ntrt {

using CUresult = int;
using CUdevice = int;
using CUcontext = void*;
using CUstream = void*;
using CUdeviceptr = unsigned long long;

// The driver's functions, by the names of cuda.h.
struct Driver {
  CUresult (*cuInit)(unsigned flags);
  CUresult (*cuDriverGetVersion)(int* version);
  CUresult (*cuGetErrorName)(CUresult error, char const** name);
  CUresult (*cuGetErrorString)(CUresult error, char const** text);
  CUresult (*cuDeviceGetCount)(int* count);
  CUresult (*cuDeviceGet)(CUdevice* device, int ordinal);
  CUresult (*cuDeviceGetName)(char* name, int size, CUdevice device);
  CUresult (*cuDeviceGetAttribute)(int* value, int attribute, CUdevice device);
  CUresult (*cuDeviceTotalMem_v2)(size_t* bytes, CUdevice device);
  CUresult (*cuDevicePrimaryCtxRetain)(CUcontext* context, CUdevice device);
  CUresult (*cuCtxSetCurrent)(CUcontext context);
  CUresult (*cuMemAlloc_v2)(CUdeviceptr* pointer, size_t bytes);
  CUresult (*cuMemFree_v2)(CUdeviceptr pointer);
  CUresult (*cuMemAllocHost_v2)(void** pointer, size_t bytes);
  CUresult (*cuMemFreeHost)(void* pointer);
  CUresult (*cuMemcpyHtoDAsync_v2)(CUdeviceptr to, void const* from, size_t bytes, CUstream stream);
  CUresult (*cuMemcpyDtoHAsync_v2)(void* to, CUdeviceptr from, size_t bytes, CUstream stream);
  CUresult (*cuStreamCreate)(CUstream* stream, unsigned flags);
  CUresult (*cuStreamDestroy_v2)(CUstream stream);
  CUresult (*cuStreamSynchronize)(CUstream stream);
};

// The initialized driver; throws ERR_NO_GPU if there is none.
Driver const& driver();

// Throws ERR_CUDA with the driver's own message unless `result` is CUDA_SUCCESS.
void check_cuda(CUresult result, char const* what);

// The driver, as far as it could be loaded.
struct LoadedDriver {
  Driver driver{};
  std::string error;  // empty when usable
  bool library = false;
};
LoadedDriver const& loaded_driver();

}  // namespace ntrt
