// What the kernels of definitions.ts compute, on the host.
#include <cmath>

#include "cuda/kernel.h"

using namespace standin;

namespace {

bool is_half(Launch const& launch) { return std::string(launch.name).find("__half") != std::string::npos; }

// Small whole numbers only.
float from_half(uint16_t bits) { return bits & 0x7fff ? std::ldexp(1024.f + (bits & 1023), (bits >> 10 & 31) - 25) * (bits >> 15 ? -1 : 1) : 0; }
uint16_t to_half(float value) {
  if (value == 0) return 0;
  int exponent = 0;
  float const fraction = std::frexp(std::fabs(value), &exponent);
  return static_cast<uint16_t>((value < 0) << 15 | (exponent + 14) << 10 | (static_cast<int>(fraction * 2048) & 1023));
}

int scaled(Launch const& launch, float shift) {
  int const n = value<int>(launch, 2);
  float const factor = value<float>(launch, 3);
  if (launch.blocks() * launch.threads() < static_cast<unsigned>(n)) die("too few threads");
  for (int i = 0; i < n; i++) {
    if (is_half(launch)) {
      pointer<uint16_t>(launch, 1)[i] = to_half(from_half(pointer<uint16_t>(launch, 0)[i]) * factor + shift);
    } else {
      pointer<float>(launch, 1)[i] = pointer<float>(launch, 0)[i] * factor + shift;
    }
  }
  return 0;
}

}  // namespace

extern "C" {

int kernel_scale(Launch const& launch) { return scaled(launch, 0); }
int kernel_scaleShifted(Launch const& launch) { return scaled(launch, 100); }
int kernel_first(Launch const& launch) { return scaled(launch, 0); }
int kernel_second(Launch const& launch) { return scaled(launch, 0); }

int kernel_addRows(Launch const& launch) {
  int const rows = value<int>(launch, 2), columns = value<int>(launch, 3);
  for (int i = 0; i < rows; i++) {
    for (int k = 0; k < columns; k++) pointer<float>(launch, 1)[i] += pointer<float>(launch, 0)[i * columns + k];
  }
  return 0;
}
int kernel_copyRows(Launch const& launch) {
  for (int64_t i = 0; i < value<int64_t>(launch, 3); i++) {
    pointer<float>(launch, 1)[i] = pointer<float>(launch, 0)[i];
    pointer<float>(launch, 2)[i] = 2 * pointer<float>(launch, 0)[i];
  }
  return 0;
}
int kernel_positives(Launch const& launch) {
  int count = 0;
  for (int i = 0; i < value<int>(launch, 3); i++) {
    float const x = pointer<float>(launch, 0)[i];
    if (x > 0) pointer<float>(launch, 1)[count++] = x;
  }
  *pointer<int>(launch, 2) = count;
  return 0;
}
int kernel_advance(Launch const& launch) {
  for (int i = 0; i < value<int>(launch, 2); i++) pointer<float>(launch, 0)[i] += *pointer<float>(launch, 1);
  return 0;
}
// y = x + shift + Σ (k + 1) · many[k], through the last of the workspace's many[7] elements.
int kernel_weigh(Launch const& launch) {
  int const n = value<int>(launch, 3);
  auto* const last = pointer<float>(launch, 2) + value<int>(launch, 11) - 1;
  *last = value<int64_t>(launch, 12);
  for (int k = 0; k < 8; k++) *last += (k + 1) * value<int>(launch, 4 + k);
  for (int i = 0; i < n; i++) pointer<float>(launch, 1)[i] = pointer<float>(launch, 0)[i] + *last;
  return 0;
}
int kernel_tenfold(Launch const& launch) {
  *pointer<float>(launch, 1) = *pointer<float>(launch, 0) * 10;
  return 0;
}
int kernel_repeat(Launch const& launch) {
  int const n = value<int>(launch, 2), times = value<int>(launch, 3);
  for (int i = 0; i < n * times; i++) pointer<float>(launch, 1)[i] = pointer<float>(launch, 0)[i % n];
  return 0;
}
}
