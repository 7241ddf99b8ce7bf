// The layers that the stand-in computes by itself: constants, identities, reshapes, casts and relu.
#include <cmath>

#include "engine.h"

namespace standin {

namespace {

float from_half(uint16_t half) {
  int const sign = half >> 15, exponent = half >> 10 & 31, fraction = half & 1023;
  float const value = exponent == 31 ? (fraction ? NAN : INFINITY) : exponent ? std::ldexp(1024.f + fraction, exponent - 25) : std::ldexp(static_cast<float>(fraction), -24);
  return sign ? -value : value;
}

}  // namespace

double element(void const* data, int32_t type, int64_t i) {
  switch (type) {
    case kFLOAT: return static_cast<float const*>(data)[i];
    case kHALF: return from_half(static_cast<uint16_t const*>(data)[i]);
    case kINT32: return static_cast<int32_t const*>(data)[i];
    case kINT64: return static_cast<double>(static_cast<int64_t const*>(data)[i]);
    default: die("the stand-in computes no dtype " + std::to_string(type));
  }
}

namespace {

void write(void* data, int32_t type, int64_t i, double value) {
  switch (type) {
    case kFLOAT: static_cast<float*>(data)[i] = static_cast<float>(value); return;
    case kINT32: static_cast<int32_t*>(data)[i] = static_cast<int32_t>(value); return;
    case kINT64: static_cast<int64_t*>(data)[i] = static_cast<int64_t>(value); return;
    default: die("the stand-in casts to no dtype " + std::to_string(type));
  }
}

}  // namespace

void compute(PlanLayer const& layer, Dims const& shape, int32_t from_type, void const* from, int32_t to_type, void* to) {
  if (layer.type == kCONSTANT) {
    if (layer.constant.size() < bytes_of(shape, to_type)) die("layer '" + layer.name + "' has no weights");
    std::memcpy(to, layer.constant.data(), layer.constant.size());
    return;
  }
  if (from_type == to_type) std::memmove(to, from, bytes_of(shape, to_type));
  for (int64_t i = 0; i < volume(shape); i++) {
    if (layer.type == kACTIVATION) {
      if (layer.parameter != 0) die("the stand-in computes relu only");
      if (element(from, from_type, i) < 0) std::memset(static_cast<char*>(to) + i * size_of(to_type), 0, size_of(to_type));
    } else if (from_type != to_type) {
      write(to, to_type, i, element(from, from_type, i));
    }
  }
}

}  // namespace standin
