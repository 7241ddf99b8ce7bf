// What differs between processors.
#pragma once

#include <ucontext.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace ntrt {

// Where a signal stopped a thread.
inline uintptr_t instruction_of(ucontext_t const& context) {
#if defined(__x86_64__)
  return static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return static_cast<uintptr_t>(context.uc_mcontext.pc);
#else
#error "the addon knows x86-64 and arm64"
#endif
}

// 4 KiB on x86-64; 4, 16 or 64 KiB on arm64.
inline size_t page_size() {
  static size_t const size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace ntrt
