// The driver as the stand-in TensorRT uses it.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace standin {

struct Cuda {
  int (*cuInit)(unsigned);
  int (*cuDeviceGet)(int*, int);
  int (*cuDevicePrimaryCtxRetain)(void**, int);
  int (*cuCtxSetCurrent)(void*);
  int (*cuCtxGetCurrent)(void**);
  int (*cuMemAlloc_v2)(unsigned long long*, size_t);
  int (*cuMemFree_v2)(unsigned long long);
  int (*cuStreamCreate)(void**, unsigned);
  int (*cuStreamDestroy_v2)(void*);
  int (*cuStreamSynchronize)(void*);
  int (*cuStreamWaitEvent)(void*, void*, unsigned);
  int (*cuEventCreate)(void**, unsigned);
  int (*cuEventRecord)(void*, void*);
  int (*cuEventDestroy_v2)(void*);
  int (*standin_submit)(void*, void (*)(void*), void (*)(void*), void*, void* const*, size_t);
};
Cuda const& cuda();

// Puts work onto a stream, or into its capture. `uses`: the memory of the GPU that must be there when it runs. False if the stream refused.
bool on_stream(void* stream, std::function<void()> work, std::vector<void*> uses = {});

bool has_context();
// Makes the primary context current where none is, as the CUDA runtime does.
void need_context();

// Device memory, at least one byte.
class Memory {
 public:
  Memory() = default;
  Memory(Memory const&) = delete;
  ~Memory() { reserve(0); }
  void* reserve(size_t bytes);
  void* get() const { return reinterpret_cast<void*>(address_); }

 private:
  unsigned long long address_ = 0;
  size_t size_ = 0;
};

}  // namespace standin
