#include "crc32.h"

#include <array>
#include <cstring>

namespace ntrt {

namespace {

using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables t{};
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    t[0][i] = c;
  }
  for (size_t s = 1; s < 8; s++)
    for (size_t i = 0; i < 256; i++) t[s][i] = t[0][t[s - 1][i] & 255] ^ (t[s - 1][i] >> 8);
  return t;
}
constexpr Tables tables = make_tables();

}  // namespace

// Eight bytes at a time ("slicing by 8").
uint32_t crc32(uint8_t const* data, size_t size, uint32_t crc) {
  crc = ~crc;
  for (; size >= 8; size -= 8, data += 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    word ^= crc;
    crc = 0;
    for (size_t i = 0; i < 8; i++) crc ^= tables[7 - i][word >> (8 * i) & 255];
  }
  for (; size > 0; size--, data++) crc = tables[0][(crc ^ *data) & 255] ^ (crc >> 8);
  return ~crc;
}

}  // namespace ntrt
