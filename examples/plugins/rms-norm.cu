#include <cuda_bf16.h>
#include <cuda_fp16.h>

/** Elements that are read or written at once. */
template <typename T, int Count>
struct alignas(sizeof(T) * Count) Pack {
  T at[Count];
};

/** The sum of a value of every thread, for every thread. `partial` has a float for each warp. */
template <int Block>
__device__ float blockSum(float value, float* partial) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(~0u, value, step);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  float sum = 0;
  for (int warp = 0; warp < Block / 32; warp++) sum += partial[warp];
  return sum;
}

/**
 * sum = x + residual; y = sum / sqrt(mean(sum²) + eps) · weight, the mean over a row. One block a row, squares summed in float32.
 * Rows have `width` elements, a multiple of Count.
 */
template <typename T, int Block, int Count>
__global__ void __launch_bounds__(Block)
    rmsNorm(T const* x, T const* residual, T const* weight, T* y, T* sum, int width, float eps) {
  extern __shared__ float partial[];
  using P = Pack<T, Count>;
  int const packs = width / Count;
  long long const row = static_cast<long long>(blockIdx.x) * packs;
  P const* const a = reinterpret_cast<P const*>(x) + row;
  P const* const b = reinterpret_cast<P const*>(residual) + row;
  P const* const w = reinterpret_cast<P const*>(weight);
  P* const sums = reinterpret_cast<P*>(sum) + row;
  P* const out = reinterpret_cast<P*>(y) + row;

  float squares = 0;
  for (int i = threadIdx.x; i < packs; i += Block) {
    P pack = a[i];
    P const other = b[i];
    for (int k = 0; k < Count; k++) {
      pack.at[k] = static_cast<T>(static_cast<float>(pack.at[k]) + static_cast<float>(other.at[k]));
      float const v = static_cast<float>(pack.at[k]);
      squares += v * v;
    }
    sums[i] = pack;
  }
  float const scale = rsqrtf(blockSum<Block>(squares, partial) / width + eps);
  // Every thread reads what it wrote itself.
  for (int i = threadIdx.x; i < packs; i += Block) {
    P pack = sums[i];
    P const factor = w[i];
    for (int k = 0; k < Count; k++)
      pack.at[k] = static_cast<T>(static_cast<float>(pack.at[k]) * scale * static_cast<float>(factor.at[k]));
    out[i] = pack;
  }
}
