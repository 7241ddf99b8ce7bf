// Machine code of kernels, loaded once into each CUDA context.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../cuda/driver.h"

namespace ntrt {

// Makes a stream's context current, if it is not, and restores the other.
class ContextScope {
 public:
  // Throws ERR_PLUGIN_RUN if the stream has none.
  explicit ContextScope(CUstream stream);
  ~ContextScope();
  ContextScope(ContextScope const&) = delete;
  CUcontext context() const { return context_; }

 private:
  CUcontext context_ = nullptr;
  bool pushed_ = false;
};

// The current device's compute capability: major * 10 + minor.
int current_capability();

struct KernelFunction {
  CUfunction handle = nullptr;
  int most_threads = 1024;     // of a block, by the registers that it needs
  int dynamic_shared = 48 << 10;  // bytes that a launch may ask for
};

class Cubin {
 public:
  // The one with these bytes, which layers share.
  static std::shared_ptr<Cubin> of(std::vector<uint8_t> bytes);
  explicit Cubin(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}
  ~Cubin();

  std::vector<uint8_t> const& bytes() const { return bytes_; }
  // A kernel in the current context, loaded on first use. It lives as long as the cubin. Throws ERR_KERNEL.
  KernelFunction& function(CUcontext context, std::string const& lowered);
  // Lets launches ask for that much dynamic shared memory.
  void allow_shared(KernelFunction& function, uint32_t bytes);

 private:
  struct Module {
    CUcontext context = nullptr;
    CUmodule handle = nullptr;
    std::map<std::string, std::unique_ptr<KernelFunction>> functions;
  };
  std::vector<uint8_t> const bytes_;
  std::mutex mutex_;
  std::map<unsigned long long, Module> modules_;  // by the context's id
};

}  // namespace ntrt
