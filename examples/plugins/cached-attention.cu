#include <cuda_fp16.h>

template <int Block, bool Largest>
__device__ float blockReduce(float value, float* partial) {
  auto const join = [](float a, float b) { return Largest ? fmaxf(a, b) : a + b; };
  for (int step = 16; step > 0; step /= 2) value = join(value, __shfl_xor_sync(~0u, value, step));
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  value = partial[0];
  for (int warp = 1; warp < Block / 32; warp++) value = join(value, partial[warp]);
  __syncthreads();
  return value;
}

/**
 * One step of a decoder with a cache, for one head of one sequence a block. Writes key and value [batch, heads, size] into row `position[batch]`
 * of the caches [batch, heads, capacity, size], in place, then attends to rows 0 … position:
 * y = softmax(query · keysᵀ / sqrt(size)) · values. A position outside the cache writes nothing and gives NaN.
 * Shared memory: capacity + size floats.
 */
template <typename T, int Block>
__global__ void __launch_bounds__(Block)
    cachedAttention(T const* query, T const* key, T const* value, int const* position, T* keys, T* values, T* y, int heads,
                    int capacity, int size) {
  __shared__ float partial[Block / 32];
  extern __shared__ float scores[];
  float* const scaled = scores + capacity;
  long long const head = blockIdx.x;
  query += head * size;
  key += head * size;
  value += head * size;
  y += head * size;
  keys += head * capacity * size;
  values += head * capacity * size;
  int const last = position[head / heads];
  if (last < 0 || last >= capacity) {
    for (int i = threadIdx.x; i < size; i += Block) y[i] = static_cast<T>(nanf(""));
    return;
  }
  for (int i = threadIdx.x; i < size; i += Block) {
    keys[static_cast<long long>(last) * size + i] = key[i];
    values[static_cast<long long>(last) * size + i] = value[i];
    scaled[i] = static_cast<float>(query[i]) * rsqrtf(size);
  }
  __syncthreads();

  // A warp a row.
  float largest = __int_as_float(0xff800000);  // −∞; NVRTC has no <cmath>
  for (int row = threadIdx.x / 32; row <= last; row += Block / 32) {
    float dot = 0;
    for (int i = threadIdx.x % 32; i < size; i += 32)
      dot += scaled[i] * static_cast<float>(keys[static_cast<long long>(row) * size + i]);
    for (int step = 16; step > 0; step /= 2) dot += __shfl_xor_sync(~0u, dot, step);
    scores[row] = dot;
    largest = fmaxf(largest, dot);
  }
  largest = blockReduce<Block, true>(largest, partial);
  float sum = 0;
  for (int row = threadIdx.x; row <= last; row += Block) sum += scores[row] = expf(scores[row] - largest);
  sum = blockReduce<Block, false>(sum, partial);

  for (int i = threadIdx.x; i < size; i += Block) {
    float mean = 0;
    for (int row = 0; row <= last; row++)
      mean += scores[row] * static_cast<float>(values[static_cast<long long>(row) * size + i]);
    y[i] = static_cast<T>(mean / sum);
  }
}
