#include <cuda_bf16.h>
#include <cuda_fp16.h>

/** y = x · clamp(x + 3, 0, 6) / 6, computed in float32. A grid-stride loop: any grid will do. */
template <typename T>
__global__ void hardSwish(T const* x, T* y, long long size) {
  long long const stride = static_cast<long long>(gridDim.x) * blockDim.x;
  for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += stride) {
    float const v = static_cast<float>(x[i]);
    y[i] = static_cast<T>(v * fminf(fmaxf(v + 3.f, 0.f), 6.f) / 6.f);
  }
}
