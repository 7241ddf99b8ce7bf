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

template <class F>
F driver(char const* name) {
  static void* const cuda = dlopen("libcuda.so.1", RTLD_NOW);
  return reinterpret_cast<F>(dlsym(cuda, name));
}

// A context of an engine with input x of a shape and output y, both of 64 bytes, on a stream of its own.
struct Execution {
  void* cuda = nullptr;
  void* context = nullptr;
  void* stream = nullptr;
  unsigned long long x = 0, y = 0;

  Execution(void* engine, Dims const& shape) {
    driver<int (*)(void**, int)>("cuDevicePrimaryCtxRetain")(&cuda, 0);
    enter();
    context = call<void*>(engine, slot::VCudaEngine::createExecutionContext, 0);
    driver<int (*)(unsigned long long*, size_t)>("cuMemAlloc_v2")(&x, 64);
    driver<int (*)(unsigned long long*, size_t)>("cuMemAlloc_v2")(&y, 64);
    driver<int (*)(void**, unsigned)>("cuStreamCreate")(&stream, 1);
    call<bool, char const*, Dims const&>(context, slot::VExecutionContext::setInputShape, "x", shape);
    call<bool>(context, slot::VExecutionContext::setTensorAddress, "x", reinterpret_cast<void*>(x));
    call<bool>(context, slot::VExecutionContext::setTensorAddress, "y", reinterpret_cast<void*>(y));
    leave();
  }
  Execution(Execution const&) = delete;
  ~Execution() {
    enter();
    destroy(context);
  }

  void enter() const { driver<int (*)(void*)>("cuCtxSetCurrent")(cuda); }
  // No CUDA context is current from here on.
  void leave() const { driver<int (*)(void*)>("cuCtxSetCurrent")(nullptr); }
  // Enqueues and waits.
  bool enqueue() const {
    bool const passed = call<bool>(context, slot::VExecutionContext::enqueueV3, stream);
    return driver<int (*)(void*)>("cuStreamSynchronize")(stream) == 0 && passed;
  }
  float* input() const { return static_cast<float*>(standin::on_host(reinterpret_cast<void*>(x))); }
  float const* output() const { return static_cast<float const*>(standin::on_host(reinterpret_cast<void*>(y))); }
};

}  // namespace program
