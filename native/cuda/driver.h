// CUDA's driver API, loaded by dlopen: needs no toolkit and no libcudart.
#pragma once

#include <cstddef>
#include <string>

namespace ntrt {

using CUresult = int;
using CUdevice = int;
using CUcontext = void*;
using CUstream = void*;
using CUmodule = void*;
using CUfunction = void*;
using CUevent = void*;
using CUgraph = void*;
using CUgraphExec = void*;
using CUmemoryPool = void*;
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
  CUresult (*cuMemGetInfo_v2)(size_t* free, size_t* total);
  CUresult (*cuMemHostAlloc)(void** pointer, size_t bytes, unsigned flags);
  CUresult (*cuMemFreeHost)(void* pointer);
  CUresult (*cuPointerGetAttribute)(void* value, int attribute, CUdeviceptr pointer);
  CUresult (*cuMemcpyHtoDAsync_v2)(CUdeviceptr to, void const* from, size_t bytes, CUstream stream);
  CUresult (*cuMemcpyDtoHAsync_v2)(void* to, CUdeviceptr from, size_t bytes, CUstream stream);
  CUresult (*cuMemcpyDtoDAsync_v2)(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream);
  CUresult (*cuStreamCreateWithPriority)(CUstream* stream, unsigned flags, int priority);
  CUresult (*cuStreamDestroy_v2)(CUstream stream);
  CUresult (*cuStreamSynchronize)(CUstream stream);
  CUresult (*cuStreamWaitEvent)(CUstream stream, CUevent event, unsigned flags);
  CUresult (*cuEventCreate)(CUevent* event, unsigned flags);
  CUresult (*cuEventRecord)(CUevent event, CUstream stream);
  CUresult (*cuEventQuery)(CUevent event);
  CUresult (*cuEventSynchronize)(CUevent event);
  CUresult (*cuCtxGetCurrent)(CUcontext* context);

  // Null in a driver without them: a call first checks with `need`.
  // For plugins.
  CUresult (*cuCtxPushCurrent_v2)(CUcontext context);
  CUresult (*cuCtxPopCurrent_v2)(CUcontext* context);
  CUresult (*cuCtxGetDevice)(CUdevice* device);
  CUresult (*cuCtxGetId)(CUcontext context, unsigned long long* id);  // 12.0
  CUresult (*cuStreamGetCtx)(CUstream stream, CUcontext* context);
  CUresult (*cuStreamIsCapturing)(CUstream stream, int* status);
  CUresult (*cuModuleLoadData)(CUmodule* module, void const* image);
  CUresult (*cuModuleUnload)(CUmodule module);
  CUresult (*cuModuleGetFunction)(CUfunction* function, CUmodule module, char const* name);
  CUresult (*cuFuncGetAttribute)(int* value, int attribute, CUfunction function);
  CUresult (*cuFuncSetAttribute)(CUfunction function, int attribute, int value);
  CUresult (*cuFuncGetParamInfo)(CUfunction function, size_t index, size_t* offset, size_t* bytes);  // 12.4
  CUresult (*cuLaunchKernel)(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
                             unsigned sharedBytes, CUstream stream, void** arguments, void** extra);
  CUresult (*cuMemsetD8Async)(CUdeviceptr to, unsigned char byte, size_t bytes, CUstream stream);
  // For memory in pools: 11.2.
  CUresult (*cuMemPoolCreate)(CUmemoryPool* pool, void const* properties);
  CUresult (*cuMemPoolSetAttribute)(CUmemoryPool pool, int attribute, void* value);
  CUresult (*cuMemPoolTrimTo)(CUmemoryPool pool, size_t bytes);
  CUresult (*cuMemAllocFromPoolAsync)(CUdeviceptr* pointer, size_t bytes, CUmemoryPool pool, CUstream stream);
  CUresult (*cuMemFreeAsync)(CUdeviceptr pointer, CUstream stream);
  // For measuring.
  CUresult (*cuEventDestroy_v2)(CUevent event);
  CUresult (*cuEventElapsedTime)(float* ms, CUevent from, CUevent to);
  // For graphs: 11.4.
  CUresult (*cuStreamBeginCapture_v2)(CUstream stream, int mode);
  CUresult (*cuStreamEndCapture)(CUstream stream, CUgraph* graph);
  CUresult (*cuGraphInstantiateWithFlags)(CUgraphExec* executable, CUgraph graph, unsigned long long flags);
  CUresult (*cuGraphUpload)(CUgraphExec executable, CUstream stream);
  CUresult (*cuGraphLaunch)(CUgraphExec executable, CUstream stream);
  CUresult (*cuGraphExecDestroy)(CUgraphExec executable);
  CUresult (*cuGraphDestroy)(CUgraph graph);
};

// The initialized driver; throws ERR_NO_GPU if there is none.
Driver const& driver();

// Throws ERR_CUDA if the driver is too old to have a function. `purpose`: what it is for.
void need(void const* function, char const* name, char const* purpose = "plugins");

// "CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered)"
std::string describe_cuda(CUresult result);

// Whether an error ends its CUDA context: all later calls fail with it.
bool is_sticky(CUresult result);

// Throws ERR_CUDA_CONTEXT_LOST for an error that ends the context, else ERR_CUDA,
// with the driver's own message, unless `result` is CUDA_SUCCESS.
void check_cuda(CUresult result, char const* what);

// The driver, as far as it could be loaded.
struct LoadedDriver {
  Driver driver{};
  std::string error;  // empty when usable
  bool library = false;
};
LoadedDriver const& loaded_driver();

}  // namespace ntrt
