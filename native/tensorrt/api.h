// Calls TensorRT without its headers, by slot number in the virtual table of an object's implementation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "../core/crashes.h"
#include "../core/error.h"
#include "trace.h"

namespace ntrt {

enum class Flavor { trt10, trt11, rtx1 };
char const* flavor_name(Flavor flavor);

// The release as getInferLibVersion() counts it: major * 10000 + minor * 100 + patch.
using Release = int32_t;
std::string release_name(Release release);

// Structs of TensorRT's binary interface.
struct Dims {
  int32_t rank = 0;
  int64_t d[8] = {};
};
struct Weights {
  int32_t type = 0;
  void const* values = nullptr;
  int64_t count = 0;
};
struct Permutation {
  int32_t order[8] = {};
};
static_assert(sizeof(Dims) == 72 && sizeof(Weights) == 24 && sizeof(Permutation) == 32);

// Opaque handles: TensorRT's own objects.
struct Network;
struct Builder;
struct BuilderConfig;
struct OptimizationProfile;
struct HostMemory;
struct Runtime;
struct Engine;
struct ExecutionContext;
struct RuntimeConfig;
struct RuntimeCache;
struct Tensor;
struct Layer;
struct TimingCache;
struct EngineInspector;
struct Refitter;
struct SerializationConfig;
struct Loop;
struct IfConditional;
struct Attention;
struct DimensionExpr;
struct ExprBuilder;
struct PluginRegistry;
struct PluginV3;
struct PluginV3Core;
struct LoggerFinder;
struct LoggerObject;
// Plugins that others wrote, and what makes them.
struct ForeignCreator;
struct ForeignPlugin;
struct ForeignCapability;
// Structs of plugin.h and table.h.
struct DimsExprs;
struct InterfaceInfo;
struct PluginFieldCollection;

// A cell of the slot table: "12", "75@10.7.0" or "-".
struct Slot {
  int index = -1;
  Release since = 0;
};

constexpr Slot parse_slot(std::string_view cell) {
  Slot slot;
  if (cell == "-") return slot;
  size_t i = 0;
  auto number = [&] {
    int n = 0;
    for (; i < cell.size() && cell[i] >= '0' && cell[i] <= '9'; i++) n = n * 10 + (cell[i] - '0');
    return n;
  };
  slot.index = number();
  Release scale = 10000;
  for (; i < cell.size(); scale /= 100) {
    i++;  // '@' or '.'
    slot.since += number() * scale;
  }
  return slot;
}

// A row of methods.def, for the check and for messages.
struct MethodInfo {
  char const* interface;
  char const* name;
  Slot slots[3];
};

// Which library is loaded, which flavor it has, and its C functions.
struct Api : Library {
  std::string path;
  Flavor flavor;
  Release release;
  void* (*create_builder)(void* logger, int32_t version);
  void* (*create_runtime)(void* logger, int32_t version);
  void* logger;  // the library's only ILogger, see callbacks.h
  std::string without;  // ",addSqueeze,addCumulative,": methods that tests hide
  void* (*create_refitter)(void* engine, void* logger, int32_t version) = nullptr;  // null in a library without it

  // The value of an enumerator such as ("ActivationType", "kRELU"), or "relu" as the IR spells it; throws if this release lacks it.
  int32_t enumerator(std::string_view name, std::string_view value) const;
  // The same, for comparing with what TensorRT returns; not traced, because nothing is passed to TensorRT.
  int32_t untraced_enumerator(std::string_view name, std::string_view value) const;
  // The reverse: "relu" for ("ActivationType", 0), or the number itself if this release has no such enumerator.
  std::string spelling(std::string_view name, int32_t value) const;
  bool has(MethodInfo const& method) const {
    Slot const& slot = method.slots[static_cast<int>(flavor)];
    if (!without.empty() && without.find(std::string(",") + method.name + ',') != std::string::npos) return false;
    return slot.index >= 0 && release >= slot.since;
  }
};

// "ERR_UNSUPPORTED: INetworkDefinition::addSqueeze needs TensorRT 10.7.0 ..., loaded is ..."
[[noreturn]] void throw_unsupported(Api const& api, MethodInfo const& method);

// The implementation pointer of a handle: it follows the vptr (and the bases' pointers). With offset 0, the handle has none:
// its own table is called.
inline void* implementation(void const* handle, int offset) {
  if (offset == 0) return const_cast<void*>(handle);
  return *reinterpret_cast<void* const*>(static_cast<char const*>(handle) + offset);
}

template <class Signature>
struct Virtual;
template <class R, class... A>
struct Virtual<R(A...)> {
  using Result = R;
  using Function = R (*)(void*, A...);
};

namespace interfaces {
#define INTERFACE(NAME, HANDLE, OFFSET, HEADER) \
  struct NAME {                                 \
    using Handle = ntrt::HANDLE;                \
    static constexpr int offset = OFFSET;       \
    static constexpr char const* name = HEADER; \
  };
#define METHOD(...)
#include "methods.def"
#undef INTERFACE
#undef METHOD
}  // namespace interfaces

namespace signatures {
#define INTERFACE(...)
#define METHOD(ITF, NAME, SIGNATURE, ...) using ITF##_##NAME = SIGNATURE;
#include "methods.def"
#undef INTERFACE
#undef METHOD
}  // namespace signatures

// m::Network::addActivation and so on: one type per row.
namespace m {
#define INTERFACE(...)
#define METHOD(ITF, NAME, SIGNATURE, HEADER, TRT10, TRT11, RTX1)                                              \
  namespace ITF {                                                                                             \
  struct NAME {                                                                                               \
    using Interface = interfaces::ITF;                                                                        \
    using Signature = signatures::ITF##_##NAME;                                                                            \
    static constexpr MethodInfo info{Interface::name, #NAME, {parse_slot(TRT10), parse_slot(TRT11), parse_slot(RTX1)}}; \
  };                                                                                                          \
  }
#include "methods.def"
#undef INTERFACE
#undef METHOD
}  // namespace m

// Calls the method in a slot. A virtual member function is called like a plain function that takes `this` first. A large struct
// is declared as the result: the compiler passes its address as a hidden first argument on x86-64 and in x8 on arm64.
template <class M, class... A>
typename Virtual<typename M::Signature>::Result call_slot(int slot, typename M::Interface::Handle* handle, A&&... args) {
  void* impl = implementation(handle, M::Interface::offset);
  auto function = reinterpret_cast<typename Virtual<typename M::Signature>::Function>((*static_cast<void***>(impl))[slot]);
  return function(impl, std::forward<A>(args)...);
}

// Calls a method on a handle.
template <class M, class... A>
typename Virtual<typename M::Signature>::Result call(Api const& api, typename M::Interface::Handle* handle, A... args) {
  if (!api.has(M::info)) throw_unsupported(api, M::info);
  trace::call<M>(args...);
  return call_slot<M>(M::info.slots[static_cast<int>(api.flavor)].index, handle, args...);
}

// The same for a method with one slot in all flavors and releases, where it is not known which library calls us. Not traced.
template <class M, class... A>
typename Virtual<typename M::Signature>::Result call_in_all(typename M::Interface::Handle* handle, A&&... args) {
  constexpr Slot const* slots = M::info.slots;
  static_assert(slots[0].index >= 0 && slots[0].index == slots[1].index && slots[1].index == slots[2].index && slots[0].since == 0);
  return call_slot<M>(slots[0].index, handle, std::forward<A>(args)...);
}

// Deletes a handle through slot 1 of its own table (the deleting destructor).
inline void destroy(void* handle) {
  if (handle) reinterpret_cast<void (*)(void*)>((*static_cast<void***>(handle))[1])(handle);
}

// Deletes an object that has its table itself and begins with IVersionedInterface's methods: the deleting destructor is slot 3.
inline void destroy_interface(void* object) {
  if (object) reinterpret_cast<void (*)(void*)>((*static_cast<void***>(object))[3])(object);
}

// Owns a handle.
template <class H>
class Owned {
 public:
  Owned() = default;
  explicit Owned(void* handle) : handle_(static_cast<H*>(handle)) {}
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() { destroy(handle_); }
  H* get() const { return handle_; }
  H* release() { return std::exchange(handle_, nullptr); }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  H* handle_ = nullptr;
};

}  // namespace ntrt
