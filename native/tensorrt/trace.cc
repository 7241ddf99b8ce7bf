#include "trace.h"

#include <mutex>

#include "api.h"

namespace ntrt {

// "apiv::VConvolutionLayer" is IConvolutionLayer, "v_1_0::IPluginCreator" IPluginCreator.
std::string title(MethodInfo const& method) {
  std::string type = method.interface;
  if (auto const end = type.rfind("::"); end != std::string::npos) type = type.compare(0, 7, "apiv::V") == 0 ? "I" + type.substr(7) : type.substr(end + 2);
  return type + "::" + method.name;
}

}  // namespace ntrt

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
  state().calls[title(method)];
  return true;
}

void add_call(MethodInfo const& method, std::string arguments) {
  std::lock_guard lock(state().mutex);
  state().calls[title(method)].insert(std::move(arguments));
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
