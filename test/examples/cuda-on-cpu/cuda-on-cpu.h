// Enough of CUDA C++ to run the example kernels with g++: a thread of the CPU for every thread of a block, one block after the other. Shared memory is
// static, __syncthreads and warp functions are barriers. Buffers are allocated one by one, so that the address sanitizer sees whatever is
// written or read outside.
#pragma once
#include <algorithm>
#include <barrier>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

#define __global__
#define __device__
#define __launch_bounds__(...)
#define __shared__ static  // cuda-on-cpu.ts replaces "extern __shared__" by dynamicShared

using std::max;
using std::min;

struct Index {
  unsigned x, y, z;
};
inline thread_local Index threadIdx, blockIdx;
inline Index blockDim, gridDim;

inline std::unique_ptr<std::barrier<>> wholeBlock;
inline std::vector<std::unique_ptr<std::barrier<>>> warps;
inline uint32_t exchanged[1024];
inline void* dynamicShared;

inline unsigned threadOfBlock() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }
inline void __syncthreads() { wholeBlock->arrive_and_wait(); }

/** What `read` makes of the values of all threads of the warp. */
template <typename F>
uint32_t inWarp(uint32_t value, F read) {
  unsigned const thread = threadOfBlock();
  std::barrier<>& warp = *warps[thread / 32];
  exchanged[thread] = value;
  warp.arrive_and_wait();
  uint32_t const result = read(exchanged + thread / 32 * 32, thread % 32);
  warp.arrive_and_wait();
  return result;
}
template <typename To, typename From>
To bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}
inline float __shfl_xor_sync(unsigned, float value, int mask) {
  return bits<float>(inWarp(bits<uint32_t>(value), [=](uint32_t const* lanes, unsigned own) { return lanes[own ^ mask]; }));
}
inline unsigned __ballot_sync(unsigned, bool vote) {
  return inWarp(vote, [](uint32_t const* lanes, unsigned) {
    uint32_t votes = 0;
    for (int lane = 0; lane < 32; lane++) votes |= lanes[lane] << lane;
    return votes;
  });
}
inline int __popc(unsigned value) { return __builtin_popcount(value); }
inline float __int_as_float(int value) { return bits<float>(value); }
inline float rsqrtf(float value) { return 1 / std::sqrt(value); }

/** float16, rounded to nearest even. */
struct __half {
  uint16_t raw;
  __half() = default;
  explicit __half(float value) {
    uint32_t const word = bits<uint32_t>(value), sign = word >> 16 & 0x8000;
    float const size = std::fabs(value);
    if (size != size) raw = sign | 0x7e00;
    else if (size >= 65520) raw = sign | 0x7c00;
    // The step of a float16 of this size, 2^-24 at least; nearbyint rounds to even.
    else {
      int const exponent = size > 0 ? std::max(std::ilogb(size), -14) : -14;
      raw = sign | static_cast<uint16_t>((exponent + 14) * 1024 + static_cast<int>(std::nearbyint(std::ldexp(size, 10 - exponent))));
    }
  }
  explicit operator float() const {
    int const exponent = raw >> 10 & 31, mantissa = raw & 1023;
    float const size = exponent == 31  ? (mantissa ? NAN : INFINITY)
                       : exponent == 0 ? std::ldexp(float(mantissa), -24)
                                       : std::ldexp(float(mantissa + 1024), exponent - 25);
    return raw & 0x8000 ? -size : size;
  }
};

struct __nv_bfloat16 {
  uint16_t raw;
  __nv_bfloat16() = default;
  explicit __nv_bfloat16(float value) {
    uint32_t const word = bits<uint32_t>(value);
    raw = value != value ? 0x7fc0 : static_cast<uint16_t>((word + 0x7fff + (word >> 16 & 1)) >> 16);
  }
  explicit operator float() const { return bits<float>(static_cast<uint32_t>(raw) << 16); }
};

/** A pointer of any type, as a kernel takes it. */
struct Pointer {
  void* address;
  template <typename T>
  operator T*() const {
    return static_cast<T*>(address);
  }
};

/** A number that a kernel has to take by a type of its size and kind: what cuFuncGetParamInfo shows, and more. */
template <typename T>
struct Exactly {
  T value;
  template <typename U>
  operator U() const {
    static_assert(sizeof(U) == sizeof(T) && std::is_floating_point_v<U> == std::is_floating_point_v<T>, "another type than the kernel's parameter");
    return static_cast<U>(value);
  }
};

/** A buffer of its own: from the standard input, or full of what no kernel may take for a result. */
inline Pointer readBuffer(size_t bytes) {
  void* const memory = std::malloc(bytes);
  if (bytes > 0 && std::fread(memory, 1, bytes, stdin) != bytes) std::abort();
  return {memory};
}
inline Pointer newBuffer(size_t bytes) {
  void* const memory = std::malloc(bytes);
  if (bytes > 0) std::memset(memory, 0xab, bytes);
  return {memory};
}
inline void writeBuffer(Pointer buffer, size_t bytes) {
  if (bytes > 0 && std::fwrite(buffer.address, 1, bytes, stdout) != bytes) std::abort();
}

template <typename F>
void launch(Index grid, Index block, size_t sharedBytes, F kernel) {
  gridDim = grid;
  blockDim = block;
  unsigned const threads = block.x * block.y * block.z;
  for (unsigned b = 0; b < grid.x * grid.y * grid.z; b++) {
    dynamicShared = newBuffer(sharedBytes).address;
    wholeBlock = std::make_unique<std::barrier<>>(threads);
    warps.clear();
    for (unsigned first = 0; first < threads; first += 32) warps.push_back(std::make_unique<std::barrier<>>(std::min(32u, threads - first)));
    std::vector<std::thread> running;
    for (unsigned t = 0; t < threads; t++)
      running.emplace_back([=, &kernel] {
        threadIdx = {t % block.x, t / block.x % block.y, t / block.x / block.y};
        blockIdx = {b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y};
        kernel();
      });
    for (auto& thread : running) thread.join();
    std::free(dynamicShared);
  }
}
