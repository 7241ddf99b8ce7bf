#pragma once

#include <cstddef>
#include <cstdint>

namespace ntrt {

// CRC-32 as in zip (polynomial 0xedb88320); crc is that of the preceding bytes, 0 at the start.
uint32_t crc32(uint8_t const* data, size_t size, uint32_t crc);

}  // namespace ntrt
