// How much memory the process may use.
#pragma once

#include <cstdint>

namespace ntrt {

// Bytes of the machine's memory, or fewer if a control group of the process has a limit.
uint64_t host_memory_limit();

}  // namespace ntrt
