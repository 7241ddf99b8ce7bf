// Writes one element too many; test/gpu/plugins-testing.test.ts expects compute-sanitizer to name that line.
template <typename T>
__global__ void copy(const T* x, T* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i];
  if (i == n - 1) y[n] = x[i];  // out of bounds
}
