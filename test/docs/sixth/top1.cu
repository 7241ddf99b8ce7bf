#include <cuda_fp16.h>
template <typename T, int BLOCK>
__global__ void top1(T const* x, T const* bias, T* value, int* index, int width, float scale) {
  extern __shared__ float shared[];
  int* where = reinterpret_cast<int*>(shared + BLOCK);
  long long const row = blockIdx.x;
  float best = __int_as_float(0xff800000); int at = 0x7fffffff;
  for (int i = threadIdx.x; i < width; i += BLOCK) {
    float const v = static_cast<float>(x[row * width + i]) * scale + static_cast<float>(bias[i]);
    if (v > best || at == 0x7fffffff) { best = v; at = i; }
  }
  shared[threadIdx.x] = best; where[threadIdx.x] = at;
  __syncthreads();
  for (int s = BLOCK / 2; s > 0; s /= 2) {
    if (threadIdx.x < s) {
      float const b = shared[threadIdx.x + s]; int const j = where[threadIdx.x + s];
      if (b > shared[threadIdx.x] || (b == shared[threadIdx.x] && j < where[threadIdx.x])) { shared[threadIdx.x] = b; where[threadIdx.x] = j; }
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) { value[row] = static_cast<T>(shared[0]); index[row] = width ? where[0] : 0; }
}
