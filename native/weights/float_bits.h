// Scalar float formats, bit by bit: the reference for the vector code.
#pragma once

#include <cstdint>
#include <cstring>

namespace ntrt {

inline uint32_t bits_of(float f) {
  uint32_t u;
  std::memcpy(&u, &f, 4);
  return u;
}
inline float float_of(uint32_t u) {
  float f;
  std::memcpy(&f, &u, 4);
  return f;
}

// IEEE binary16. NaN becomes the quiet NaN 0x7e00 with its sign, as in PyTorch.
inline uint16_t to_f16(float f) {
  uint32_t const x = bits_of(f), sign = (x >> 16) & 0x8000;
  uint32_t a = x & 0x7fffffff, r;
  if (a >= 0x47800000) r = a > 0x7f800000 ? 0x7e00 : 0x7c00;
  else if (a < 0x38800000) r = bits_of(float_of(a) + 0.5f) - 0x3f000000;  // subnormal: the addition rounds
  else r = (a - 0x38000000 + 0xfff + ((a >> 13) & 1)) >> 13;
  return static_cast<uint16_t>(r | sign);
}
inline float from_f16(uint16_t h) {
  uint32_t const sign = static_cast<uint32_t>(h & 0x8000) << 16, a = h & 0x7fff;
  uint32_t r;
  if (a >= 0x7c00) r = 0x7f800000 | (a & 0x3ff) << 13 | (a > 0x7c00 ? 0x400000 : 0);
  else if (a < 0x400) r = bits_of(static_cast<float>(a) * 0x1p-24f);
  else r = (a << 13) + 0x38000000;
  return float_of(r | sign);
}

// NaN becomes 0x7fc0 with its sign.
inline uint16_t to_bf16(float f) {
  uint32_t const x = bits_of(f);
  uint32_t const rounded = (x + 0x7fff + ((x >> 16) & 1)) >> 16;
  return static_cast<uint16_t>((x & 0x7fffffff) > 0x7f800000 ? 0x7fc0 | ((x >> 16) & 0x8000) : rounded);
}
inline float from_bf16(uint16_t h) { return float_of(static_cast<uint32_t>(h) << 16); }

// OCP 8-bit floats, as PyTorch 2.12 and later, ONNX and TensorRT round to them: e4m3 has no infinity and saturates at 448.
inline uint8_t to_e4m3(float f) {
  uint32_t const x = bits_of(f), sign = x >> 24 & 0x80, a = x & 0x7fffffff;
  uint32_t const subnormal = bits_of(float_of(a < 0x3c800000 ? a : 0) + 16384.0f) - 0x46800000;
  uint32_t const normal = (a - 0x3c000000 + 0x7ffff + ((a >> 20) & 1)) >> 20;
  uint32_t const r = a > 0x7f800000 ? 0x7f : a >= 0x43e00000 ? 0x7e : a < 0x3c800000 ? subnormal : normal;
  return static_cast<uint8_t>(r | sign);
}
inline uint8_t to_e5m2(float f) {
  uint32_t const x = bits_of(f), sign = x >> 24 & 0x80, a = x & 0x7fffffff;
  uint32_t const subnormal = bits_of(float_of(a < 0x38800000 ? a : 0) + 128.0f) - 0x43000000;
  uint32_t const normal = (a - 0x38000000 + 0xfffff + ((a >> 21) & 1)) >> 21;
  uint32_t const r = a > 0x7f800000 ? 0x7f : a >= 0x47800000 ? 0x7c : a < 0x38800000 ? subnormal : normal;
  return static_cast<uint8_t>(r | sign);
}
inline float from_e5m2(uint8_t b) { return from_f16(static_cast<uint16_t>(b << 8)); }
inline float from_e4m3(uint8_t b) {
  uint32_t const sign = static_cast<uint32_t>(b & 0x80) << 24, a = b & 0x7f;
  if (a == 0x7f) return float_of(sign | 0x7fc00000);
  if (a < 8) return float_of(bits_of(static_cast<float>(a) * 0x1p-9f) | sign);
  return float_of(((a << 20) + 0x3c000000) | sign);
}
// OCP microscaling formats: e2m1 holds 0 .5 1 1.5 2 3 4 6, e8m0 is a power of two.
inline float from_e2m1(uint8_t nibble) {
  static float const values[8] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  return nibble & 8 ? -values[nibble & 7] : values[nibble & 7];
}
// Nearest even of a number; saturates at 6.
inline uint8_t to_e2m1(float f) {
  uint32_t const x = bits_of(f);
  float const a = float_of(x & 0x7fffffff);
  int const r = (a > 0.25f) + (a >= 0.75f) + (a > 1.25f) + (a >= 1.75f) + (a > 2.5f) + (a >= 3.5f) + (a > 5.0f);
  return static_cast<uint8_t>(r | (x >> 28 & 8));
}
// The nearest power of two of a number of 0 or more, from 2^-127 to 2^127; halfway goes up, as does all
// above 2^-127. NaN is 0xff.
inline uint8_t to_e8m0(float f) {
  uint32_t const a = bits_of(f) & 0x7fffffff;
  uint32_t const r = a < 0x800000 ? a > 0x400000 : (a + 0x400000) >> 23;
  return static_cast<uint8_t>(a > 0x7f800000 ? 0xff : r > 0xfe ? 0xfe : r);
}
inline float from_e8m0(uint8_t b) {
  return b == 0xff ? float_of(0x7fc00000) : b == 0 ? float_of(0x00400000) : float_of(static_cast<uint32_t>(b) << 23);
}

}  // namespace ntrt
