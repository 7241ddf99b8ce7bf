#include "activation.h"

#include <mutex>

namespace standin {

namespace {

size_t aligned(size_t bytes) { return (bytes + 255) / 256 * 256; }

struct Uses {
  std::mutex mutex;
  std::map<uint64_t, std::pair<size_t, std::string>> all;
};
Uses& uses() {
  static auto* const instance = new Uses;
  return *instance;
}

}  // namespace

Layout::Layout(Plan const& plan, std::function<Dims(int32_t)> const& dims) {
  bytes = 256;
  auto const add = [&](size_t size) {
    size_t const offset = bytes;
    bytes += aligned(size);
    return offset;
  };
  for (int32_t i = 0; i < static_cast<int32_t>(plan.tensors.size()); i++) {
    Dims const shape = dims(i);
    size_t const size = volume(shape) < 0 ? 0 : bytes_of(shape, plan.tensors[i].type);
    size_t const offset = plan.tensors[i].mode == 2 ? 0 : add(size);
    if (plan.tensors[i].mode == 0) tensors[i] = offset;
  }
  int64_t most = 0;
  for (auto const& layer : plan.layers) most = std::max(most, layer.workspace);
  workspace = add(static_cast<size_t>(most));
}

Layout Layout::of_profile(Plan const& plan, size_t profile) {
  return Layout(plan, [&](int32_t i) { return plan.evaluate(plan.tensors[i], plan.in_profile(profile, 2)); });
}

void begin_use(void* memory, size_t bytes, std::string const& engine) {
  auto const address = reinterpret_cast<uint64_t>(memory);
  std::lock_guard const held(uses().mutex);
  for (auto const& [other, use] : uses().all) {
    if (other < address + bytes && address < other + use.first) die("engine '" + engine + "' computes in memory in which engine '" + use.second + "' computes at the same time");
  }
  uses().all[address] = {bytes, engine};
}
void end_use(void* memory) {
  std::lock_guard const held(uses().mutex);
  uses().all.erase(reinterpret_cast<uint64_t>(memory));
}

int64_t microseconds(char const* variable, std::string const& engine) {
  std::stringstream items(environment(variable));
  for (std::string item; std::getline(items, item, ',');) {
    size_t const colon = item.rfind(':');
    if (colon == std::string::npos) return std::stoll(item);
    if (item.substr(0, colon) == engine) return std::stoll(item.substr(colon + 1));
  }
  return 0;
}

}  // namespace standin
