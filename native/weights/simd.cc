#include "simd.h"

#include "float_bits.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ntrt::simd {

namespace {

// For every processor: plain loops, which the compiler vectorises for arm64.
template <auto Function, class In, class Out>
__attribute__((optimize("O3"))) void each(In const* in, Out* out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = Function(in[i]);
}

#if defined(__x86_64__)

// Uses AVX2 and F16C if the processor has them.
bool const has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c");

template <auto Function, class In, class Out>
__attribute__((target("avx2"), optimize("O3"))) void each_avx2(In const* in, Out* out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = Function(in[i]);
}

__attribute__((target("avx2,f16c"))) void to_f16_avx2(float const* in, uint16_t* out, size_t n) {
  __m256 const quiet = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
  __m256 const sign = _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(0x80000000)));
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m256 x = _mm256_loadu_ps(in + i);
    __m256 const nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
    x = _mm256_blendv_ps(x, _mm256_or_ps(quiet, _mm256_and_ps(x, sign)), nan);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  for (; i < n; i++) out[i] = ntrt::to_f16(in[i]);
}

__attribute__((target("avx2,f16c"))) void from_f16_avx2(uint16_t const* in, float* out, size_t n) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<__m128i const*>(in + i))));
  for (; i < n; i++) out[i] = ntrt::from_f16(in[i]);
}

__attribute__((target("avx2"))) inline __m256i bf16_lanes_avx2(float const* in) {
  __m256 const f = _mm256_loadu_ps(in);
  __m256i const x = _mm256_castps_si256(f), one = _mm256_set1_epi32(1);
  __m256i const odd = _mm256_and_si256(_mm256_srli_epi32(x, 16), one);
  __m256i const rounded = _mm256_srli_epi32(
      _mm256_add_epi32(x, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  __m256i const nan = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi32(x, 16), _mm256_set1_epi32(0x8000)),
                                      _mm256_set1_epi32(0x7fc0));
  return _mm256_blendv_epi8(rounded, nan, _mm256_castps_si256(_mm256_cmp_ps(f, f, _CMP_UNORD_Q)));
}

__attribute__((target("avx2"))) void to_bf16_avx2(float const* in, uint16_t* out, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i const packed = _mm256_packus_epi32(bf16_lanes_avx2(in + i), bf16_lanes_avx2(in + i + 8));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_permute4x64_epi64(packed, 0xd8));
  }
  for (; i < n; i++) out[i] = ntrt::to_bf16(in[i]);
}

// Body of a conversion.
#define CHOOSE(AVX2, PORTABLE) return has_avx2 ? AVX2(in, out, n) : PORTABLE(in, out, n)

#else

#define CHOOSE(AVX2, PORTABLE) return PORTABLE(in, out, n)

#endif

}  // namespace

void to_f16(float const* in, uint16_t* out, size_t n) { CHOOSE(to_f16_avx2, each<ntrt::to_f16>); }
void from_f16(uint16_t const* in, float* out, size_t n) { CHOOSE(from_f16_avx2, each<ntrt::from_f16>); }
void to_bf16(float const* in, uint16_t* out, size_t n) { CHOOSE(to_bf16_avx2, each<ntrt::to_bf16>); }
void from_bf16(uint16_t const* in, float* out, size_t n) { CHOOSE(each_avx2<ntrt::from_bf16>, each<ntrt::from_bf16>); }
void to_e4m3(float const* in, uint8_t* out, size_t n) { CHOOSE(each_avx2<ntrt::to_e4m3>, each<ntrt::to_e4m3>); }
void to_e5m2(float const* in, uint8_t* out, size_t n) { CHOOSE(each_avx2<ntrt::to_e5m2>, each<ntrt::to_e5m2>); }

}  // namespace ntrt::simd
