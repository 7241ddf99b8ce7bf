#include "failure.h"

#include <atomic>
#include <utility>

namespace ntrt {

namespace {

thread_local std::optional<Error> failure;
thread_local std::vector<std::string> created;
std::atomic<PluginLog> plugin_log{nullptr};

}  // namespace

void record_failure(Error const& error) noexcept {
  try {
    if (auto const log = plugin_log.load()) log(1, error.what());
    if (!failure) failure.emplace(error);
  } catch (...) {
    // Out of memory: TensorRT still learns that it failed.
  }
}

std::optional<Error> take_failure() {
  auto taken = std::move(failure);
  failure.reset();
  return taken;
}

void record_created(std::string const& title) noexcept {
  try {
    // Other programs never take them.
    if (created.size() < 1000) created.push_back(title);
  } catch (...) {
  }
}

std::vector<std::string> take_created() { return std::exchange(created, {}); }

void set_plugin_log(PluginLog log) { plugin_log = log; }

}  // namespace ntrt
