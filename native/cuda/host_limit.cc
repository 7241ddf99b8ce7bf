#include "host_limit.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace ntrt {

namespace {

// The least number in `file` in the folder and those it lies in; "max" and a missing file are no limit.
uint64_t least_limit(std::string const& root, std::string folder, char const* file) {
  uint64_t least = UINT64_MAX;
  for (;;) {
    uint64_t limit = 0;
    std::ifstream in(root + folder + "/" + file);
    if (in >> limit) least = std::min(least, limit);
    size_t const slash = folder.rfind('/');
    if (slash == std::string::npos) return least;
    folder.resize(slash);
  }
}

}  // namespace

uint64_t host_memory_limit() {
  uint64_t limit = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  // "0::/a/b" of version 2, "4:memory:/a/b" of version 1. In a container the folder may be that of the host: then its root counts.
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    size_t const first = line.find(':');
    size_t const second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::string const controllers = line.substr(first + 1, second - first - 1);
    std::string const folder = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
    if (controllers.empty()) limit = std::min(limit, least_limit("/sys/fs/cgroup", folder, "memory.max"));
    if (controllers == "memory") limit = std::min(limit, least_limit("/sys/fs/cgroup/memory", folder, "memory.limit_in_bytes"));
  }
  return limit;
}

}  // namespace ntrt
