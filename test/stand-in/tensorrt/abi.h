// TensorRT's binary interface as the stand-in knows it: structs, slots, and how tables and handles are made.
// RELEASE: major * 10000 + minor * 100 + patch.
#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../common.h"

namespace standin {

struct Dims {
  int32_t rank = 0;
  int64_t d[8] = {};
  bool operator==(Dims const& other) const {
    if (rank != other.rank) return false;
    for (int i = 0; i < rank; i++) {
      if (d[i] != other.d[i]) return false;
    }
    return true;
  }
};
struct Weights {
  int32_t type;
  void const* values;
  int64_t count;
};
struct TensorDesc {
  Dims dims;
  int32_t type = 0;
  int32_t format = 0;  // kLINEAR
  float scale = 1;
};
struct DynamicDesc {
  TensorDesc desc;
  Dims min, max, opt;
};
struct DimsExprs {
  int32_t rank = 0;
  void const* d[8] = {};
};
struct Field {
  char const* name;
  void const* data;
  int32_t type;
  int32_t length;
};
struct FieldCollection {
  int32_t count;
  Field const* fields;
};
struct InterfaceInfo {
  char const* kind;
  int32_t major, minor;
};
static_assert(sizeof(Dims) == 72 && sizeof(TensorDesc) == 88 && sizeof(DynamicDesc) == 304 && sizeof(DimsExprs) == 72 && sizeof(Field) == 24);

enum DataType { kFLOAT, kHALF, kINT8, kINT32, kBOOL, kUINT8, kFP8, kBF16, kINT64, kINT4 };
enum LayerType { kCAST = 1, kACTIVATION = 2, kSHUFFLE = 13, kCONSTANT = 19, kIDENTITY = 20, kPLUGIN_V3 = 46 };
enum Severity { internal_error, error, warning, info, verbose };

// The slot in this release; -1 where it has none. A cell is "12", "75@10.7.0" or "-".
constexpr int slot_of(std::string_view trt10, std::string_view trt11) {
  std::string_view const cell = RELEASE < 110000 ? trt10 : trt11;
  if (cell == "-") return -1;
  int slot = 0;
  int since = 0;
  int scale = 10000;
  size_t i = 0;
  auto const number = [&] {
    int n = 0;
    for (; i < cell.size() && cell[i] >= '0' && cell[i] <= '9'; i++) n = n * 10 + (cell[i] - '0');
    return n;
  };
  slot = number();
  for (; i < cell.size(); scale /= 100) {
    i++;
    since += number() * scale;
  }
  return RELEASE >= since ? slot : -1;
}

#define SLOT(INTERFACE, NAME, THEIRS, HEADER, TRT10, TRT11) \
  namespace slot::INTERFACE {                               \
  constexpr int NAME = slot_of(TRT10, TRT11);               \
  }
#include "slots.def"
#undef SLOT

// A table with a trap in every slot that the stand-in does not fill.
template <class Name, int slot>
void trap() {
  die(std::string("slot ") + std::to_string(slot) + " of " + Name::name + " was called, which the stand-in does not have");
}

struct Entry {
  int slot;
  void* function;
};
template <class F>
Entry at(int slot, F* function) {
  return {slot, reinterpret_cast<void*>(function)};
}

template <class Name>
void* const* table(std::initializer_list<Entry> entries) {
  constexpr int size = 96;
  auto* const all = new std::array<void*, size>;
  [&]<int... i>(std::integer_sequence<int, i...>) { (((*all)[i] = reinterpret_cast<void*>(&trap<Name, i>)), ...); }(std::make_integer_sequence<int, size>());
  for (auto const& entry : entries) {
    if (entry.slot >= 0) (*all)[entry.slot] = entry.function;
  }
  return all->data();
}
#define NAMED(NAME)                                  \
  struct NAME##Name {                                \
    static constexpr char const* name = #NAME;       \
  }

// A handle: its own table (the destructors), then pointers to one implementation, or to two in the case of a layer.
struct Facet {
  void* const* table;
  void* owner;
};
struct Handle {
  void* const* table;
  Facet* facets[2];
  Facet own[2];
  Handle(void* const* handle, void* const* first, void* const* second = nullptr)
      : table(handle), facets{&own[0], &own[1]}, own{{first, this}, {second ? second : first, this}} {}
  Handle(Handle const&) = delete;
};
template <class T>
T& self(void* facet) {
  return *static_cast<T*>(static_cast<Handle*>(static_cast<Facet*>(facet)->owner));
}
template <class T>
void destroy_handle(void* handle) {
  delete static_cast<T*>(static_cast<Handle*>(handle));
}
NAMED(Handle);
NAMED(Child);
template <class T>
void* const* handle_table() {
  static void* const* const made = table<HandleName>({at(1, &destroy_handle<T>)});
  return made;
}
// Layers, tensors and expressions belong to their network.
inline void* const* child_table() {
  static void* const* const made = table<ChildName>({});
  return made;
}

// Calls a method of an object of the user's.
template <class R, class... A>
R invoke(void* object, int slot, A... args) {
  if (slot < 0) die("a method that this release does not have was called");
  return reinterpret_cast<R (*)(void*, A...)>((*static_cast<void***>(object))[slot])(object, args...);
}

// Writes to the logger of the builder or runtime at work, or to the first one made.
void log(Severity severity, std::string const& text);
void set_logger(void* logger);

size_t size_of(int32_t type);
inline int64_t volume(Dims const& dims) {
  int64_t count = 1;
  for (int i = 0; i < dims.rank; i++) count *= dims.d[i];
  return count;
}
inline size_t bytes_of(Dims const& dims, int32_t type) { return type == kINT4 ? (volume(dims) + 1) / 2 : volume(dims) * size_of(type); }
std::string text_of(Dims const& dims);

}  // namespace standin

using namespace standin;
