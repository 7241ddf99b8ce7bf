#include <cuda_fp16.h>

/** How many of the threads before this one have `chosen`, and in `total` how many in all. `warps` has an int for each warp. */
template <int Block>
__device__ int rank(bool chosen, int* warps, int* total) {
  unsigned const votes = __ballot_sync(~0u, chosen);
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = __popc(votes);
  __syncthreads();
  int before = __popc(votes & ((1u << threadIdx.x % 32) - 1));
  *total = 0;
  for (int warp = 0; warp < Block / 32; warp++) {
    if (warp < threadIdx.x / 32) before += warps[warp];
    *total += warps[warp];
  }
  return before;
}

/** First: how many of every Block scores exceed the threshold. */
template <typename T, int Block>
__global__ void countRows(T const* scores, int* counts, int n, float threshold) {
  __shared__ int warps[Block / 32];
  long long const i = static_cast<long long>(blockIdx.x) * Block + threadIdx.x;
  int total;
  rank<Block>(i < n && static_cast<float>(scores[i]) > threshold, warps, &total);
  if (threadIdx.x == 0) counts[blockIdx.x] = total;
}

/** Second: a single block turns counts into the place of every block's first row, and writes the sum. */
template <int Block>
__global__ void placeRows(int* counts, int blocks, int* count) {
  __shared__ int sums[Block];
  int before = 0;
  for (int first = 0; first < blocks; first += Block) {
    int const i = first + threadIdx.x;
    int const own = i < blocks ? counts[i] : 0;
    sums[threadIdx.x] = own;
    __syncthreads();
    for (int step = 1; step < Block; step *= 2) {
      int const other = threadIdx.x >= step ? sums[threadIdx.x - step] : 0;
      __syncthreads();
      sums[threadIdx.x] += other;
      __syncthreads();
    }
    if (i < blocks) counts[i] = before + sums[threadIdx.x] - own;
    before += sums[Block - 1];
    __syncthreads();
  }
  if (threadIdx.x == 0) *count = before;
}

/** Third: copies the chosen rows, in order, and their indices. */
template <typename T, int Block>
__global__ void copyRows(T const* rows, T const* scores, int const* places, T* values, int* indices, int n, int width,
                         float threshold) {
  __shared__ int warps[Block / 32];
  __shared__ int to[Block];
  long long const first = static_cast<long long>(blockIdx.x) * Block;
  long long const i = first + threadIdx.x;
  bool const chosen = i < n && static_cast<float>(scores[i]) > threshold;
  int total;
  int const place = places[blockIdx.x] + rank<Block>(chosen, warps, &total);
  to[threadIdx.x] = chosen ? place : -1;
  if (chosen) indices[place] = static_cast<int>(i);
  __syncthreads();
  for (long long at = threadIdx.x; at < static_cast<long long>(Block) * width; at += Block) {
    int const row = at / width, column = at % width;
    if (to[row] >= 0) values[static_cast<long long>(to[row]) * width + column] = rows[(first + row) * width + column];
  }
}
