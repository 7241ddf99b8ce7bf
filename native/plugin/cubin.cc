#include "cubin.h"

#include <functional>
#include <string_view>

#include "../core/error.h"

namespace ntrt {

namespace {

// Attributes of functions and devices, by the names of cuda.h.
constexpr int max_threads_per_block = 0, max_dynamic_shared_size_bytes = 8;
constexpr int compute_capability_major = 75, compute_capability_minor = 76;

// A context's address may be used again after it was destroyed, its id not.
unsigned long long id_of(CUcontext context) {
  auto const& d = driver();
  unsigned long long id = 0;
  if (d.cuCtxGetId && d.cuCtxGetId(context, &id) == 0) return id;
  return reinterpret_cast<unsigned long long>(context);
}

[[noreturn]] void fail(CUresult result, std::string const& what) {
  if (is_sticky(result)) check_cuda(result, what.c_str());
  throw Error("ERR_KERNEL", what + " failed: " + describe_cuda(result));
}

}  // namespace

ContextScope::ContextScope(CUstream stream) {
  auto const& d = driver();
  need(reinterpret_cast<void const*>(d.cuCtxPushCurrent_v2), "cuCtxPushCurrent");
  need(reinterpret_cast<void const*>(d.cuStreamGetCtx), "cuStreamGetCtx");
  CUcontext current = nullptr;
  d.cuCtxGetCurrent(&current);
  CUresult const result = d.cuStreamGetCtx(stream, &context_);
  if (result != 0 || !context_) {
    // The default stream, which some drivers do not take here, is the current context's.
    if (!current || is_sticky(result)) check_cuda(result ? result : 201, "finding the stream's CUDA context");
    context_ = current;
  }
  if (context_ == current) return;
  check_cuda(d.cuCtxPushCurrent_v2(context_), "entering the stream's CUDA context");
  pushed_ = true;
}

ContextScope::~ContextScope() {
  CUcontext popped = nullptr;
  if (pushed_) driver().cuCtxPopCurrent_v2(&popped);
}

int current_capability() {
  auto const& d = driver();
  need(reinterpret_cast<void const*>(d.cuCtxGetDevice), "cuCtxGetDevice");
  CUdevice device = 0;
  int major = 0, minor = 0;
  check_cuda(d.cuCtxGetDevice(&device), "cuCtxGetDevice");
  check_cuda(d.cuDeviceGetAttribute(&major, compute_capability_major, device), "cuDeviceGetAttribute");
  check_cuda(d.cuDeviceGetAttribute(&minor, compute_capability_minor, device), "cuDeviceGetAttribute");
  return major * 10 + minor;
}

std::shared_ptr<Cubin> Cubin::of(std::vector<uint8_t> bytes) {
  static auto* const mutex = new std::mutex;
  static auto* const known = new std::multimap<size_t, std::weak_ptr<Cubin>>;
  size_t const hash = std::hash<std::string_view>()({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
  std::lock_guard lock(*mutex);
  for (auto it = known->begin(); it != known->end();) {
    auto const live = it->second.lock();
    if (live && it->first == hash && live->bytes() == bytes) return live;
    it = live ? std::next(it) : known->erase(it);
  }
  auto made = std::make_shared<Cubin>(std::move(bytes));
  known->emplace(hash, made);
  return made;
}

Cubin::~Cubin() {
  auto const& loaded = loaded_driver();
  if (!loaded.error.empty()) return;
  for (auto const& [id, module] : modules_) {
    // The context may be gone, and its module with it.
    if (!module.handle || loaded.driver.cuCtxPushCurrent_v2(module.context) != 0) continue;
    if (id_of(module.context) == id) loaded.driver.cuModuleUnload(module.handle);
    CUcontext popped = nullptr;
    loaded.driver.cuCtxPopCurrent_v2(&popped);
  }
}

KernelFunction& Cubin::function(CUcontext context, std::string const& lowered) {
  auto const& d = driver();
  need(reinterpret_cast<void const*>(d.cuModuleLoadData), "cuModuleLoadData");
  need(reinterpret_cast<void const*>(d.cuFuncGetAttribute), "cuFuncGetAttribute");
  std::lock_guard lock(mutex_);
  Module& module = modules_[id_of(context)];
  module.context = context;
  if (!module.handle) {
    CUresult const result = d.cuModuleLoadData(&module.handle, bytes_.data());
    if (result != 0) {
      module.handle = nullptr;
      fail(result, "loading the kernels");
    }
  }
  auto& function = module.functions[lowered];
  if (function) return *function;
  auto found = std::make_unique<KernelFunction>();
  if (CUresult const result = d.cuModuleGetFunction(&found->handle, module.handle, lowered.c_str())) fail(result, "finding the kernel '" + lowered + "' in its cubin");
  d.cuFuncGetAttribute(&found->most_threads, max_threads_per_block, found->handle);
  d.cuFuncGetAttribute(&found->dynamic_shared, max_dynamic_shared_size_bytes, found->handle);
  function = std::move(found);
  return *function;
}

void Cubin::allow_shared(KernelFunction& function, uint32_t bytes) {
  std::lock_guard lock(mutex_);
  if (static_cast<int64_t>(bytes) <= function.dynamic_shared) return;
  auto const& d = driver();
  need(reinterpret_cast<void const*>(d.cuFuncSetAttribute), "cuFuncSetAttribute");
  CUresult const result = d.cuFuncSetAttribute(function.handle, max_dynamic_shared_size_bytes, static_cast<int>(bytes));
  if (is_sticky(result)) check_cuda(result, "allowing shared memory");
  if (result != 0) throw Error("ERR_PLUGIN_RUN", std::to_string(bytes) + " bytes of dynamic shared memory are more than this GPU has for a block: " + describe_cuda(result));
  function.dynamic_shared = static_cast<int>(bytes);
}

}  // namespace ntrt
