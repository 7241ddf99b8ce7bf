// Shown by kernels.test.ts; nothing compiles it.
__global__ void store(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  y[i] = x[i];
}
