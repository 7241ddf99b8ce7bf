// Converts float formats in bulk, with vector instructions if the processor has them. Results equal float_bits.h's bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ntrt::simd {

void to_f16(float const* in, uint16_t* out, size_t n);
void from_f16(uint16_t const* in, float* out, size_t n);
void to_bf16(float const* in, uint16_t* out, size_t n);
void from_bf16(uint16_t const* in, float* out, size_t n);
void to_e4m3(float const* in, uint8_t* out, size_t n);
void to_e5m2(float const* in, uint8_t* out, size_t n);

}  // namespace ntrt::simd
