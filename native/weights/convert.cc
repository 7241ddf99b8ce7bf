#include "convert.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include "../core/machine.h"
#include "float_bits.h"
#include "simd.h"

namespace ntrt {

namespace {

constexpr std::array<std::string_view, 18> names = {
    "float64",    "float32",    "float16", "bfloat16", "float8e4m3", "float8e5m2", "float4e2m1", "float8e8m0", "int64",
    "uint64",     "int32",      "uint32",  "int16",    "uint16",     "int8",       "uint8",      "bool",       "int4"};

constexpr size_t block_size = 4096;             // elements converted through float at a time; fits in L1
constexpr size_t chunk_size = size_t{1} << 20;  // elements a thread takes at a time

template <float (*Decode)(uint8_t)>
void decode_bytes(uint8_t const* in, float* out, size_t n) {
  static auto const table = [] {
    std::array<float, 256> t;
    for (int i = 0; i < 256; i++) t[i] = Decode(static_cast<uint8_t>(i));
    return t;
  }();
  for (size_t i = 0; i < n; i++) out[i] = table[in[i]];
}

inline int nibble(uint8_t const* in, size_t i) { return in[i / 2] >> (i % 2 * 4) & 15; }

template <class T>
T load(uint8_t const* in, size_t i) {
  T value;
  std::memcpy(&value, in + i * sizeof(T), sizeof(T));
  return value;
}

// Calls f with a value of the C++ type that holds `type`; all but the 64-bit types fit in a double.
template <class F>
auto with_integer(Type type, F f) {
  switch (type) {
    case Type::i64: return f(int64_t{});
    case Type::u64: return f(uint64_t{});
    case Type::i32: return f(int32_t{});
    case Type::u32: return f(uint32_t{});
    case Type::i16: return f(int16_t{});
    case Type::u16: return f(uint16_t{});
    case Type::i8: return f(int8_t{});
    default: return f(uint8_t{});
  }
}

bool is_integer(Type t) { return t >= Type::i64; }
bool is_wide(Type t) { return t == Type::f64 || t == Type::i64 || t == Type::u64 || t == Type::i32 || t == Type::u32; }

void to_float(uint8_t const* in, Type from, float* out, size_t n) {
  switch (from) {
    case Type::f32: std::memcpy(out, in, n * 4); return;
    case Type::f64: for (size_t i = 0; i < n; i++) out[i] = static_cast<float>(load<double>(in, i)); return;
    case Type::f16: return simd::from_f16(reinterpret_cast<uint16_t const*>(in), out, n);
    case Type::bf16: return simd::from_bf16(reinterpret_cast<uint16_t const*>(in), out, n);
    case Type::e4m3: return decode_bytes<from_e4m3>(in, out, n);
    case Type::e5m2: return decode_bytes<from_e5m2>(in, out, n);
    case Type::e8m0: return decode_bytes<from_e8m0>(in, out, n);
    case Type::e2m1: for (size_t i = 0; i < n; i++) out[i] = from_e2m1(static_cast<uint8_t>(nibble(in, i))); return;
    case Type::i4: for (size_t i = 0; i < n; i++) out[i] = static_cast<float>((nibble(in, i) ^ 8) - 8); return;
    default:
      with_integer(from, [&](auto zero) {
        for (size_t i = 0; i < n; i++) out[i] = static_cast<float>(load<decltype(zero)>(in, i));
      });
  }
}

void from_float(float const* in, uint8_t* out, Type to, size_t n) {
  switch (to) {
    case Type::f16: return simd::to_f16(in, reinterpret_cast<uint16_t*>(out), n);
    case Type::bf16: return simd::to_bf16(in, reinterpret_cast<uint16_t*>(out), n);
    case Type::e4m3: return simd::to_e4m3(in, out, n);
    case Type::e5m2: return simd::to_e5m2(in, out, n);
    default: std::memcpy(out, in, n * 4);
  }
}

// -8..7 to a nibble.
inline uint8_t to_i4(float f) {
  return static_cast<uint8_t>(static_cast<int>(std::nearbyintf(std::clamp(f, -8.0f, 7.0f)))) & 15;
}

// Converts through blocks of float; `put` writes one, which starts at an even element, and returns a misfit's index or -1.
template <class Put>
int64_t through_float(uint8_t const* in, Type from, uint8_t* out, Type to, size_t n, Put put) {
  float block[block_size];
  for (size_t at = 0; at < n; at += block_size) {
    size_t const m = std::min(block_size, n - at);
    to_float(in + bytes_of(from, at), from, block, m);
    int64_t const misfit = put(block, out + bytes_of(to, at), m);
    if (misfit >= 0) return static_cast<int64_t>(at) + misfit;
  }
  return -1;
}

// To 4-bit elements, which hold every number between `low` and `high` after rounding, and no NaN.
template <uint8_t (*Encode)(float)>
int64_t to_nibbles(uint8_t const* in, Type from, uint8_t* out, Type to, size_t n, float low, float high) {
  return through_float(in, from, out, to, n, [=](float const* block, uint8_t* target, size_t m) -> int64_t {
    for (size_t i = 0; i < m; i++)
      if (!(block[i] >= low && block[i] <= high)) return static_cast<int64_t>(i);
    for (size_t i = 0; i < m; i += 2)
      target[i / 2] = static_cast<uint8_t>(Encode(block[i]) | (i + 1 < m ? Encode(block[i + 1]) << 4 : 0));
    return -1;
  });
}

int64_t to_powers(uint8_t const* in, Type from, uint8_t* out, size_t n) {
  return through_float(in, from, out, Type::e8m0, n, [](float const* block, uint8_t* target, size_t m) -> int64_t {
    for (size_t i = 0; i < m; i++) {
      if (block[i] < 0) return static_cast<int64_t>(i);
      target[i] = to_e8m0(block[i]);
    }
    return -1;
  });
}

bool is_finite(uint8_t const* in, Type from, size_t i) {
  if (is_integer(from)) return true;
  if (from == Type::f64) return std::isfinite(load<double>(in, i));
  float value;
  to_float(in + bytes_of(from, i), from, &value, 1);
  return std::isfinite(value);
}

// The first finite element that became infinite.
template <class Bits>
__attribute__((optimize("O3"))) int64_t first_infinite(uint8_t const* in, Type from, uint8_t const* out, size_t n,
                                                       Bits infinity) {
  Bits const magnitude = static_cast<Bits>(static_cast<Bits>(~Bits{}) >> 1);
  auto const at = [&](size_t i) { return static_cast<Bits>(load<Bits>(out, i) & magnitude) == infinity; };
  for (size_t begin = 0; begin < n; begin += block_size) {
    size_t const end = std::min(begin + block_size, n);
    Bits any = 0;
    for (size_t i = begin; i < end; i++) any = static_cast<Bits>(any | at(i));
    if (!any) continue;
    for (size_t i = begin; i < end; i++)
      if (at(i) && is_finite(in, from, i)) return static_cast<int64_t>(i);
  }
  return -1;
}

int64_t first_overflow(uint8_t const* in, Type from, uint8_t const* out, Type to, size_t n) {
  switch (to) {
    case Type::f32: return from == Type::f64 ? first_infinite<uint32_t>(in, from, out, n, 0x7f800000) : -1;
    case Type::f16: return first_infinite<uint16_t>(in, from, out, n, 0x7c00);
    case Type::bf16: return is_wide(from) || from == Type::f32 ? first_infinite<uint16_t>(in, from, out, n, 0x7f80) : -1;
    case Type::e5m2: return first_infinite<uint8_t>(in, from, out, n, 0x7c);
    default: return -1;
  }
}

template <class From, class To>
bool fits(From value) {
  if constexpr (std::is_floating_point_v<From>) {
    // The bounds as powers of two are exact in double, unlike max() of a 64-bit integer.
    double const limit = std::ldexp(1.0, std::numeric_limits<To>::digits);
    return value == std::trunc(value) && value < limit && value >= (std::is_signed_v<To> ? -limit : 0.0);
  } else {
    auto const wide = static_cast<__int128>(value);
    return wide >= std::numeric_limits<To>::min() && wide <= std::numeric_limits<To>::max();
  }
}

template <class From, class To>
int64_t to_integers(From const* in, uint8_t* out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!fits<From, To>(in[i])) return static_cast<int64_t>(i);
    To const value = static_cast<To>(in[i]);
    std::memcpy(out + i * sizeof(To), &value, sizeof(To));
  }
  return -1;
}

// Converts through a block of double, or of the source's own 64-bit integers, which double would round.
template <class Wide>
int64_t through(uint8_t const* in, Type from, uint8_t* out, Type to, size_t n) {
  std::vector<Wide> wide(block_size);
  float block[block_size];
  for (size_t at = 0; at < n; at += block_size) {
    size_t const m = std::min(block_size, n - at);
    uint8_t const* begin = in + bytes_of(from, at);
    if (!is_wide(from)) {
      to_float(begin, from, block, m);
      std::copy_n(block, m, wide.begin());
    } else if (from == Type::f64) {
      for (size_t i = 0; i < m; i++) wide[i] = static_cast<Wide>(load<double>(begin, i));
    } else {
      with_integer(from, [&](auto zero) {
        for (size_t i = 0; i < m; i++) wide[i] = static_cast<Wide>(load<decltype(zero)>(begin, i));
      });
    }
    uint8_t* target = out + bytes_of(to, at);
    int64_t misfit = -1;
    if (to == Type::f64) {
      for (size_t i = 0; i < m; i++) {
        double const value = static_cast<double>(wide[i]);
        std::memcpy(target + i * 8, &value, 8);
      }
    } else if (to == Type::boolean) {
      for (size_t i = 0; i < m; i++) target[i] = wide[i] != 0;
    } else {
      misfit = with_integer(to, [&](auto zero) { return to_integers<Wide, decltype(zero)>(wide.data(), target, m); });
    }
    if (misfit >= 0) return static_cast<int64_t>(at) + misfit;
  }
  return -1;
}

int64_t convert_chunk(uint8_t const* in, Type from, uint8_t* out, Type to, size_t n) {
  if (from == to) return std::memcpy(out, in, bytes_of(to, n)), -1;
  float const infinity = std::numeric_limits<float>::infinity();
  if (to == Type::i4 && is_integer(from)) return to_nibbles<to_i4>(in, from, out, to, n, -8, 7);
  if (to == Type::i4) return to_nibbles<to_i4>(in, from, out, to, n, -infinity, infinity);
  if (to == Type::e2m1) return to_nibbles<to_e2m1>(in, from, out, to, n, -infinity, infinity);
  if (to == Type::e8m0) return to_powers(in, from, out, n);
  if (to == Type::f64 || is_integer(to)) {
    if (from == Type::i64) return through<int64_t>(in, from, out, to, n);
    if (from == Type::u64) return through<uint64_t>(in, from, out, to, n);
    return through<double>(in, from, out, to, n);
  }
  if (from == Type::f32) {
    from_float(reinterpret_cast<float const*>(in), out, to, n);
  } else if (to == Type::f32) {
    to_float(in, from, reinterpret_cast<float*>(out), n);
  } else {
    through_float(in, from, out, to, n, [to](float const* block, uint8_t* target, size_t m) -> int64_t {
      from_float(block, target, to, m);
      return -1;
    });
  }
  return first_overflow(in, from, out, to, n);
}

// Fresh memory costs a page fault per 4 KiB, which takes longer than the conversion itself: fault all pages at once.
void populate(uint8_t* begin, size_t size) {
  constexpr int populate_write = 23;  // MADV_POPULATE_WRITE, Linux 5.14; older kernels refuse it, which is harmless
  uintptr_t const first = reinterpret_cast<uintptr_t>(begin) & ~(page_size() - 1);
  madvise(reinterpret_cast<void*>(first), reinterpret_cast<uintptr_t>(begin) + size - first, populate_write);
}

unsigned allowed_cores() {
  cpu_set_t set;
  int const count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  return static_cast<unsigned>(std::clamp(count, 1, 16));
}

}  // namespace

std::optional<Type> type_from_name(std::string_view name) {
  auto const it = std::find(names.begin(), names.end(), name);
  if (it == names.end()) return std::nullopt;
  return static_cast<Type>(it - names.begin());
}

size_t bytes_of(Type type, size_t count) {
  switch (type) {
    case Type::f64: case Type::i64: case Type::u64: return count * 8;
    case Type::f32: case Type::i32: case Type::u32: return count * 4;
    case Type::f16: case Type::bf16: case Type::i16: case Type::u16: return count * 2;
    case Type::e2m1: case Type::i4: return (count + 1) / 2;
    default: return count;
  }
}

int64_t convert(uint8_t const* source, Type from, uint8_t* target, Type to, size_t count) {
  bool const large = bytes_of(to, count) >= size_t{32} << 20;
  size_t const chunks = (count + chunk_size - 1) / chunk_size;
  std::atomic<size_t> next{0};
  std::atomic<int64_t> misfit{std::numeric_limits<int64_t>::max()};
  auto const work = [&] {
    for (size_t c = next++; c < chunks; c = next++) {
      size_t const at = c * chunk_size, n = std::min(chunk_size, count - at);
      if (large) populate(target + bytes_of(to, at), bytes_of(to, n));
      int64_t const bad = convert_chunk(source + bytes_of(from, at), from, target + bytes_of(to, at), to, n);
      int64_t seen = misfit.load();
      int64_t const index = static_cast<int64_t>(at) + bad;
      while (bad >= 0 && index < seen && !misfit.compare_exchange_weak(seen, index)) {}
    }
  };
  std::vector<std::thread> helpers;
  unsigned const wanted = static_cast<unsigned>(std::min<size_t>(allowed_cores(), chunks));
  for (unsigned i = 1; i < wanted; i++) {
    try {
      helpers.emplace_back(work);
    } catch (std::system_error const&) {
      break;  // no more threads: the running ones do the remainder
    }
  }
  work();
  for (auto& helper : helpers) helper.join();
  return misfit == std::numeric_limits<int64_t>::max() ? -1 : misfit.load();
}

}  // namespace ntrt
