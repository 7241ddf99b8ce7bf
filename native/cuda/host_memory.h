// The memory of a tensor on the host.
#pragma once

#include <atomic>
#include <memory>

#include "pinned.h"

namespace ntrt {

struct HostMemory {
  static constexpr char handle_kind[] = "a page-locked tensor";
  std::shared_ptr<PinnedBlock> block;
  size_t bytes = 0;
  std::atomic<bool> disposed{false};
};

}  // namespace ntrt
