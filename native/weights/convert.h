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
bool convertible(Type to);

// Converts count elements on all allowed cores. Floats round to nearest even, as PyTorch does: float16, bfloat16 and
// float8e5m2 overflow to infinity, float8e4m3 to NaN; int4 takes the nearest of -8..7. Other integers must fit exactly.
// Returns the index of the first element that does not, or -1.
int64_t convert(uint8_t const* source, Type from, uint8_t* target, Type to, size_t count);

}  // namespace ntrt
