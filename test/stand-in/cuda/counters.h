// What is alive: eight numbers of 64 bits, also in the file that STANDIN_COUNTERS names, in this order. harness.ts reads it.
#pragma once

#include <atomic>
#include <cstdint>

namespace standin {

struct Counters {
  std::atomic<int64_t> allocations, bytes, pinned, pinned_bytes, streams, events, graphs, execs;
};
Counters& counters();

}  // namespace standin
