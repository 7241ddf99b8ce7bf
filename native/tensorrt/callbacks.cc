#include "callbacks.h"

#include <algorithm>
#include <type_traits>
#include <typeinfo>

namespace ntrt {

namespace {

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

// The slots of a class in a flavor, as bits; -1 if two rows share one.
template <class C>
constexpr int64_t slots_of(Flavor flavor) {
  int64_t slots = 0;
  auto const take = [&](Slot slot) {
    if (slot.index < 0 || slots < 0) return;
    int64_t const bit = int64_t{1} << slot.index;
    slots = slots & bit || slot.since ? -1 : slots | bit;
  };
#define CALLBACKS(...)
#define CALLBACK(CLASS, NAME, SIGNATURE, HEADER, TRT10, TRT11, RTX1) \
  if (std::is_same_v<C, CLASS>) take(parse_slot(flavor == Flavor::trt10 ? TRT10 : flavor == Flavor::trt11 ? TRT11 : RTX1));
#include "callbacks.def"
#undef CALLBACK
  return slots;
}

// Whether a table has an entry in every slot up to its last.
template <class C>
constexpr bool is_whole(Flavor flavor) {
  int64_t const slots = slots_of<C>(flavor);
  return slots > 0 && slots < 1 << 16 && (slots & (slots + 1)) == 0;
}

// The compiler's layout: the entries follow the offset to the whole object and its type.
struct Table {
  void* offset = nullptr;
  std::type_info const* type = &typeid(Table);
  void* entries[16] = {};
};

// The table of a class in a flavor; it lives as long as the process.
template <class C>
void* const* table_of(Flavor flavor) {
  static_assert(!std::is_polymorphic_v<C>);
  static_assert(is_whole<C>(Flavor::trt10) && is_whole<C>(Flavor::trt11) && is_whole<C>(Flavor::rtx1));
  static auto const* const tables = [] {
    auto* made = new Table[3];
    auto const add = [&](int flavor, Slot slot, void* function) {
      if (slot.index >= 0) made[flavor].entries[slot.index] = function;
    };
#define CALLBACK(CLASS, NAME, SIGNATURE, HEADER, TRT10, TRT11, RTX1)                                                  \
  if constexpr (std::is_same_v<C, CLASS>) {                                                                           \
    auto* const function = reinterpret_cast<void*>(&Entry<SIGNATURE>::template function<C, &C::NAME>);                \
    add(0, parse_slot(TRT10), function), add(1, parse_slot(TRT11), function), add(2, parse_slot(RTX1), function);     \
  }
#include "callbacks.def"
#undef CALLBACK
#undef CALLBACKS
    return made;
  }();
  return tables[static_cast<int>(flavor)].entries;
}

}  // namespace

Logger::Logger(Flavor flavor) : Callbacks(table_of<Logger>(flavor)) {}

ProgressMonitor::ProgressMonitor(Step step) : Callbacks(table_of<ProgressMonitor>(Flavor::trt10)), step_(std::move(step)) {
  constexpr int64_t all = slots_of<ProgressMonitor>(Flavor::trt10);
  static_assert(all == slots_of<ProgressMonitor>(Flavor::trt11) && all == slots_of<ProgressMonitor>(Flavor::rtx1));
}

void ProgressMonitor::phaseStart(char const* phase, char const*, int32_t steps) noexcept {
  try {
    std::lock_guard lock(mutex_);
    phases_.emplace_back(phase, steps);
  } catch (...) {
  }
}

bool ProgressMonitor::stepComplete(char const* phase, int32_t step) noexcept {
  try {
    int32_t steps = 0;
    {
      std::lock_guard lock(mutex_);
      for (auto const& [name, count] : phases_) {
        if (name == phase) steps = count;
      }
    }
    return step_(phase, step, steps);
  } catch (...) {
    return false;
  }
}

void ProgressMonitor::phaseFinish(char const* phase) noexcept {
  std::lock_guard lock(mutex_);
  auto last = std::find_if(phases_.rbegin(), phases_.rend(), [&](auto const& entry) { return entry.first == phase; });
  if (last != phases_.rend()) phases_.erase(std::next(last).base());
}

OutputAllocator::OutputAllocator(Flavor flavor, Allocate allocate) : Callbacks(table_of<OutputAllocator>(flavor)), allocate_(std::move(allocate)) {}

void* OutputAllocator::reallocateOutput(char const*, void*, uint64_t bytes, uint64_t) noexcept {
  try {
    return allocate_(bytes);
  } catch (...) {
    return nullptr;  // TensorRT reports the failure
  }
}

void* OutputAllocator::reallocateOutputAsync(char const* name, void* memory, uint64_t bytes, uint64_t alignment, void*) noexcept {
  return reallocateOutput(name, memory, bytes, alignment);
}

}  // namespace ntrt
