#include "trace.h"

#include <mutex>

#include "api.h"

namespace ntrt::trace {

namespace {

struct State {
  std::mutex mutex;
  Calls calls;
  std::set<std::string> enumerators;
};

State& state() {
  static auto* state = new State;
  return *state;
}

// "apiv::VConvolutionLayer" and "setStrideNd" are IConvolutionLayer::setStrideNd.
std::string name_of(MethodInfo const& method) { return std::string(method.interface).replace(0, 7, "I") + "::" + method.name; }

}  // namespace

void set(bool enabled) {
  std::lock_guard lock(state().mutex);
  if (enabled) {
    for (auto& [name, arguments] : state().calls) arguments.clear();
    state().enumerators.clear();
  }
  on = enabled;
}

Calls calls() {
  std::lock_guard lock(state().mutex);
  return state().calls;
}

std::set<std::string> enumerators() {
  std::lock_guard lock(state().mutex);
  return state().enumerators;
}

bool add_method(MethodInfo const& method) {
  std::lock_guard lock(state().mutex);
  state().calls[name_of(method)];
  return true;
}

void add_call(MethodInfo const& method, std::string arguments) {
  std::lock_guard lock(state().mutex);
  state().calls[name_of(method)].insert(std::move(arguments));
}

void add_enumerator(std::string_view name, std::string_view value) {
  if (!on.load(std::memory_order_relaxed)) return;
  std::lock_guard lock(state().mutex);
  state().enumerators.insert(std::string(name) + "::" + std::string(value));
}

std::string text(Dims const& dims) {
  std::string list = "[";
  for (int32_t i = 0; i < dims.rank; i++) list += (i ? ", " : "") + std::to_string(dims.d[i]);
  return list + "]";
}

std::string text(Weights const& weights) { return std::to_string(weights.count) + " weights"; }

std::string text(Permutation const& permutation) {
  std::string list = "[";
  for (int i = 0; i < 8; i++) list += (i ? ", " : "") + std::to_string(permutation.order[i]);
  return list + "]";
}

}  // namespace ntrt::trace
