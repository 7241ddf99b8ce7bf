// Reads little-endian numbers and texts out of bytes that may be damaged.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "../core/error.h"

namespace ntrt {

class ByteReader {
 public:
  ByteReader(void const* bytes, size_t size) : at_(static_cast<uint8_t const*>(bytes)), end_(at_ + (bytes ? size : 0)) {}

  template <class T>
  T number() {
    T value;
    if (left() < sizeof value) fail("they end too early");
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  // A number below `count`.
  template <class T>
  T below(size_t count, char const* what) {
    T const value = number<T>();
    if (value >= count) fail(std::string(what) + " " + std::to_string(value) + " of " + std::to_string(count));
    return value;
  }
  bool flag() { return below<uint8_t>(2, "flag") == 1; }
  // A count of things that take at least `least` bytes each.
  uint32_t count(size_t least, size_t most, char const* what) {
    auto const value = number<uint32_t>();
    if (value > left() / least || value > most) fail(std::to_string(value) + " " + what);
    return value;
  }
  // Without zeros: TensorRT takes names as C strings.
  std::string text() {
    auto const length = number<uint32_t>();
    if (length > left()) fail("a text of " + std::to_string(length) + " bytes");
    std::string value(reinterpret_cast<char const*>(at_), length);
    if (value.find('\0') != std::string::npos) fail("a text with a zero in it");
    at_ += length;
    return value;
  }
  uint8_t const* bytes(size_t size) {
    if (size > left()) fail("they end too early");
    auto const* found = at_;
    at_ += size;
    return found;
  }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  [[noreturn]] static void fail(std::string const& what) { throw Error("ERR_PLUGIN", "damaged plugin data: " + what); }

 private:
  uint8_t const* at_;
  uint8_t const* end_;
};

}  // namespace ntrt
