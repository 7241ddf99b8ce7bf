// Tables of the objects that TensorRT calls, built from callbacks.def.
#pragma once

#include <type_traits>
#include <typeinfo>

#include "api.h"
#include "plugin.h"

namespace ntrt {

struct InterfaceInfo {
  char const* kind;
  int32_t major;
  int32_t minor;
};

// An object in TensorRT's layout: it begins with a pointer to a table. It has no virtual members, whose table would come first.
class Callbacks {
 public:
  Callbacks(Callbacks const&) = delete;
  // We delete the objects ourselves.
  void destroy() noexcept {}
  int32_t getAPILanguage() noexcept { return 0; }  // C++

 protected:
  explicit Callbacks(void* const* table) : table_(table) {}

 private:
  [[maybe_unused]] void* const* const table_;
};

// The classes of callbacks.def.
#define CALLBACKS(CLASS, HEADER) class CLASS;
#define CALLBACK(...)
#include "callbacks.def"
#undef CALLBACK
#undef CALLBACKS

namespace table {

// A virtual member function is called like a plain function that takes `this` first.
template <class Signature>
struct Entry;
template <class R, class C, class... A>
Entry<R(A...)> entry_of(R (C::*member)(A...) noexcept);
template <class R, class... A>
struct Entry<R(A...)> {
  template <class C, auto member>
  static R function(void* object, A... args) noexcept {
    static_assert(std::is_same_v<decltype(entry_of(member)), Entry>, "callbacks.def has another signature");
    return (static_cast<C*>(object)->*member)(args...);
  }
};

// The slots of a class in a flavor, as bits; -1 if two rows share one, or if they came with different releases.
template <class C>
constexpr int64_t slots(Flavor flavor) {
  int64_t found = 0;
  Release since = -1;
  auto const take = [&](Slot slot) {
    if (slot.index < 0 || found < 0) return;
    int64_t const bit = int64_t{1} << slot.index;
    bool const apart = since >= 0 && since != slot.since;
    since = slot.since;
    found = found & bit || apart ? -1 : found | bit;
  };
#define CALLBACKS(...)
#define CALLBACK(CLASS, NAME, SIGNATURE, HEADER, TRT10, TRT11, RTX1) \
  if (std::is_same_v<C, CLASS>) take(parse_slot(flavor == Flavor::trt10 ? TRT10 : flavor == Flavor::trt11 ? TRT11 : RTX1));
#include "callbacks.def"
#undef CALLBACK
  return found;
}

// Whether a table has an entry in every slot up to its last.
template <class C>
constexpr bool is_whole(Flavor flavor) {
  int64_t const bits = slots<C>(flavor);
  return bits > 0 && bits < 1 << 16 && (bits & (bits + 1)) == 0;
}

// Whether every row of a class has one slot in all flavors.
template <class C>
constexpr bool is_same() {
  bool same = true;
#define CALLBACK(CLASS, NAME, SIGNATURE, HEADER, TRT10, TRT11, RTX1) \
  if (std::is_same_v<C, CLASS>) same = same && parse_slot(TRT10).index == parse_slot(TRT11).index && parse_slot(TRT11).index == parse_slot(RTX1).index;
#include "callbacks.def"
#undef CALLBACK
  return same;
}

// The compiler's layout: the entries follow the offset to the whole object and its type.
struct Table {
  void* offset = nullptr;
  std::type_info const* type = &typeid(Table);
  void* entries[16] = {};
};

}  // namespace table

// The table of a class in a flavor; it lives as long as the process.
template <class C>
void* const* table_of(Flavor flavor) {
  static_assert(!std::is_polymorphic_v<C>);
  static_assert(table::is_whole<C>(Flavor::trt10) && table::is_whole<C>(Flavor::trt11) && table::is_whole<C>(Flavor::rtx1));
  static auto const* const tables = [] {
    auto* made = new table::Table[3];
    auto const add = [&](int flavor, Slot slot, void* function) {
      if (slot.index >= 0) made[flavor].entries[slot.index] = function;
    };
#define CALLBACK(CLASS, NAME, SIGNATURE, HEADER, TRT10, TRT11, RTX1)                                                     \
  if constexpr (std::is_same_v<C, CLASS>) {                                                                              \
    auto* const function = reinterpret_cast<void*>(&table::Entry<SIGNATURE>::template function<C, &C::NAME>);            \
    add(0, parse_slot(TRT10), function), add(1, parse_slot(TRT11), function), add(2, parse_slot(RTX1), function);        \
  }
#include "callbacks.def"
#undef CALLBACK
#undef CALLBACKS
    return made;
  }();
  return tables[static_cast<int>(flavor)].entries;
}

// The table of a class that has the same in all flavors.
template <class C>
void* const* table_of() {
  static_assert(table::is_same<C>());
  return table_of<C>(Flavor::trt10);
}

}  // namespace ntrt
