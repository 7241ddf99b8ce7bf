// Reverses x without waiting for other threads; test/gpu/plugins-testing.test.ts expects compute-sanitizer to name both lines.
__global__ void reverse(const float* x, float* y, int n) {
  __shared__ float block[64];
  int i = threadIdx.x;
  if (i < n) block[i] = x[i];          // written
  if (i < n) y[i] = block[n - 1 - i];  // read
}
