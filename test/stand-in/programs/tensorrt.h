// TensorRT as a C++ program calls it, by the slots of slots.def.
#pragma once

#include <dlfcn.h>

#include <map>
#include <string>
#include <vector>

#include "../tensorrt/abi.h"

namespace program {

struct Log {
  void* const* table;
  static void log(void* self, int32_t severity, char const* text) {
    if (severity <= 2) static_cast<Log*>(self)->lines->push_back(text);
  }
  std::vector<std::string>* lines;
};

inline void* library;
template <class F>
F symbol(char const* name) {
  void* const found = dlsym(library, name);
  if (!found) standin::die(std::string("no ") + name);
  return reinterpret_cast<F>(found);
}

inline void* facet(void* handle, int which = 0) { return static_cast<Handle*>(handle)->facets[which]; }
template <class R, class... A>
R call(void* handle, int slot, A... args) {
  return standin::invoke<R, A...>(facet(handle), slot, args...);
}
inline void destroy(void* handle) {
  if (handle) standin::invoke<void>(handle, 1);
}

// The logger: 10's table begins with log, 11's has it in slot 4.
inline Log* logger() {
  static std::vector<std::string> lines;
  static void* entries[5] = {};
  entries[RELEASE < 110000 ? 0 : 4] = reinterpret_cast<void*>(&Log::log);
  static Log log{entries, &lines};
  return &log;
}

inline Dims dims(std::initializer_list<int64_t> sizes) {
  Dims out;
  for (int64_t size : sizes) out.d[out.rank++] = size;
  return out;
}

}  // namespace program
