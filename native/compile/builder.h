// TensorRT's builders.
#pragma once

#include "../core/log.h"
#include "../tensorrt/api.h"

namespace ntrt {

// TensorRT returns small non-null pointers for some failures.
inline bool is_null(void const* pointer) { return reinterpret_cast<uintptr_t>(pointer) < 4096; }

// The builder of a library: one serves all builds in turn, because creating one loads over a gigabyte of kernels. Called only on
// the build lane. Throws ERR_BUILDER.
Builder* builder_of(Api const& api, LogSink const& log);

// Keeps a builder's number of threads for the builds after this one.
class KeepThreads {
 public:
  KeepThreads(Api const& api, Builder* builder);
  ~KeepThreads();
  KeepThreads(KeepThreads const&) = delete;

 private:
  Api const& api_;
  Builder* const builder_;
  int32_t const before_;
};

}  // namespace ntrt
