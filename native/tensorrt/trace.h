// For tests: which TensorRT methods were called with which arguments, and which enumerators were looked up.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>

namespace ntrt {

struct MethodInfo;
struct Dims;
struct Weights;
struct Permutation;

// "INetworkDefinition::addSqueeze"
std::string title(MethodInfo const& method);

namespace trace {

inline std::atomic<bool> on{false};

// Every method that the addon's code calls, with the distinct argument lists since tracing began.
using Calls = std::map<std::string, std::set<std::string>>;

// Clears and starts the trace, or stops it.
void set(bool enabled);
Calls calls();
// "ActivationType::kRELU" and so on.
std::set<std::string> enumerators();

bool add_method(MethodInfo const& method);
void add_call(MethodInfo const& method, std::string arguments);
void add_enumerator(std::string_view name, std::string_view value);

// One row for each method called anywhere, present from the start.
template <class M>
inline bool const known = add_method(M::info);

std::string text(Dims const& dims);
std::string text(Weights const& weights);
std::string text(Permutation const& permutation);
inline std::string text(char const* value) { return value ? value : ""; }
// Other pointers are objects, whose addresses differ from run to run.
inline std::string text(void const* value) { return value ? "object" : "null"; }
template <class T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
std::string text(T value) {
  return std::to_string(value);
}

template <class M, class... A>
void call(A const&... args) {
  (void)known<M>;
  if (!on.load(std::memory_order_relaxed)) return;
  std::string list;
  ((list += list.empty() ? text(args) : ", " + text(args)), ...);
  add_call(M::info, std::move(list));
}

}  // namespace trace
}  // namespace ntrt
