// Element conversion between the dtypes of weight files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ntrt {

enum class Type { f64, f32, f16, bf16, e4m3, e5m2, e2m1, e8m0, i64, u64, i32, u32, i16, u16, i8, u8, boolean, i4 };

std::optional<Type> type_from_name(std::string_view name);
// Size of count elements in bytes; 4-bit types are packed two to a byte, low nibble first.
size_t bytes_of(Type type, size_t count);

// Converts count elements on all allowed cores. Floats round to nearest even; float8e4m3, float4e2m1, float8e8m0 and int4
// saturate. Returns the index of the first element that `to` cannot hold, or -1: for an integer, one that does not fit
// exactly; for a dtype without NaN or sign, a NaN or a negative one; for a dtype with infinity, a finite one beyond its largest. Only in this last
// case is everything converted all the same: to infinity, as in PyTorch.
int64_t convert(uint8_t const* source, Type from, uint8_t* target, Type to, size_t count);

}  // namespace ntrt
