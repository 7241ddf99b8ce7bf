// Checks of native/cuda on the stand-in driver: `PROGRAM CHECK` runs one and ends with 0, or says what is wrong.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../../../native/core/error.h"
#include "../../../native/cuda/device.h"
#include "../../../native/cuda/pinned.h"

namespace ntrt {

[[noreturn]] inline void fail(std::string const& what) {
  std::printf("%s\n", what.c_str());
  std::fflush(stdout);
  std::_Exit(1);
}
#define CHECK(CONDITION) \
  if (!(CONDITION)) fail("line " + std::to_string(__LINE__) + ": " #CONDITION)

template <class F>
std::string error_of(F function) {
  try {
    function();
    return "";
  } catch (Error const& error) {
    return error.code + ": " + error.what();
  }
}

constexpr size_t KiB = 1024;
constexpr size_t MiB = 1024 * KiB;

inline std::shared_ptr<PinnedBlock> filled(size_t bytes, int byte) {
  auto block = take_pinned(bytes, current_device());
  std::memset(block->get(), byte, bytes);
  return block;
}
inline bool is_filled(PinnedBlock const& block, size_t bytes, int byte) {
  auto const* data = static_cast<unsigned char const*>(block.get());
  return std::all_of(data, data + bytes, [byte](unsigned char one) { return one == byte; });
}

inline int run_check(std::map<std::string, void (*)()> const& checks, char const* name) {
  try {
    checks.at(name)();
  } catch (std::exception const& error) {
    fail(error.what());
  }
  std::puts("ok");
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace ntrt
