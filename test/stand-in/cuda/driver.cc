// A stand-in for libcuda.so.1: device memory is host memory, streams work at once.
// STANDIN_CAPABILITY ("9.0"), STANDIN_DEVICES (1), STANDIN_LOG, STANDIN_KERNELS and STANDIN_FAIL (modules.cc) steer it.
#include "state.h"

namespace standin {

State& state() {
  static auto* const instance = new State;
  return *instance;
}

std::vector<Context*>& stack() {
  thread_local std::vector<Context*> contexts;
  return contexts;
}

Context* current() { return stack().empty() ? nullptr : stack().back(); }

int usable() {
  Context const* const context = current();
  return !context ? invalid_context : context->sticky;
}

bool is_allocated(uint64_t address, size_t bytes) {
  std::lock_guard lock(state().mutex);
  auto next = state().allocations.upper_bound(address);
  if (next == state().allocations.begin()) return false;
  auto const& [base, size] = *--next;
  return address + bytes <= base + size;
}

int capability() {
  std::string const text = environment("STANDIN_CAPABILITY");
  if (text.empty()) return 90;
  size_t const dot = text.find('.');
  return std::stoi(text.substr(0, dot)) * 10 + std::stoi(text.substr(dot + 1));
}

namespace {

int device_count() {
  std::string const text = environment("STANDIN_DEVICES");
  return text.empty() ? 1 : std::stoi(text);
}

// Streams work at once; what failed is known at the next synchronization, and then for ever.
int synchronize(Context* context) {
  if (context->pending) context->sticky = context->pending;
  return context->sticky;
}

struct Name {
  int code;
  char const* name;
  char const* text;
};
constexpr Name names[] = {
    {success, "CUDA_SUCCESS", "no error"},
    {invalid_value, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {out_of_memory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {not_initialized, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {invalid_image, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {invalid_context, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {no_binary_for_gpu, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {invalid_ptx, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {unsupported_ptx_version, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."},
    {invalid_handle, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {not_found, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {illegal_address, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {launch_failed, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
};

}  // namespace

}  // namespace standin

extern "C" {

int cuInit(unsigned) { return success; }
int cuDriverGetVersion(int* version) { return *version = 13000, success; }
int cuGetErrorName(int code, char const** name) {
  for (auto const& row : names) {
    if (row.code == code) return *name = row.name, success;
  }
  return *name = nullptr, invalid_value;
}
int cuGetErrorString(int code, char const** text) {
  for (auto const& row : names) {
    if (row.code == code) return *text = row.text, success;
  }
  return *text = nullptr, invalid_value;
}

int cuDeviceGetCount(int* count) { return *count = device_count(), success; }
int cuDeviceGet(int* device, int ordinal) {
  if (ordinal < 0 || ordinal >= device_count()) return 101;
  return *device = ordinal, success;
}
int cuDeviceGetName(char* name, int size, int) { return std::snprintf(name, size, "stand-in"), success; }
int cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = size_t{1} << 30, success; }
int cuDeviceGetAttribute(int* value, int attribute, int) {
  switch (attribute) {
    case 1: *value = 1024; break;                                    // MAX_THREADS_PER_BLOCK
    case 2: case 3: *value = 1024; break;                            // MAX_BLOCK_DIM_X, _Y
    case 4: *value = 64; break;                                      // MAX_BLOCK_DIM_Z
    case 5: *value = 2147483647; break;                              // MAX_GRID_DIM_X
    case 6: case 7: *value = 65535; break;                           // MAX_GRID_DIM_Y, _Z
    case 8: *value = 48 * 1024; break;                               // MAX_SHARED_MEMORY_PER_BLOCK
    case 10: *value = 32; break;                                     // WARP_SIZE
    case 16: *value = 132; break;                                    // MULTIPROCESSOR_COUNT
    case 75: *value = capability() / 10; break;                      // COMPUTE_CAPABILITY_MAJOR
    case 76: *value = capability() % 10; break;                      // COMPUTE_CAPABILITY_MINOR
    case 97: *value = 227 * 1024; break;                             // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    default: *value = 0;
  }
  return success;
}

int cuDevicePrimaryCtxRetain(void** context, int device) {
  std::lock_guard lock(state().mutex);
  auto& found = state().contexts[device];
  if (!found) found = new Context{device};
  return *context = found, success;
}
int cuDevicePrimaryCtxRelease_v2(int) { return success; }
int cuDevicePrimaryCtxRelease(int) { return success; }
int cuCtxSetCurrent(void* context) {
  if (!stack().empty()) stack().pop_back();
  if (context) stack().push_back(static_cast<Context*>(context));
  return success;
}
int cuCtxGetCurrent(void** context) { return *context = current(), success; }
int cuCtxPushCurrent_v2(void* context) {
  if (!context) return invalid_context;
  stack().push_back(static_cast<Context*>(context));
  return success;
}
int cuCtxPopCurrent_v2(void** context) {
  if (stack().empty()) return invalid_context;
  if (context) *context = stack().back();
  stack().pop_back();
  return success;
}
int cuCtxGetDevice(int* device) {
  if (!current()) return invalid_context;
  return *device = current()->device, success;
}
int cuCtxSynchronize() {
  int const result = usable();
  return result ? result : synchronize(current());
}

int cuMemAlloc_v2(unsigned long long* address, size_t bytes) {
  if (int const result = usable()) return result;
  if (bytes == 0) return invalid_value;
  void* memory = nullptr;
  if (posix_memalign(&memory, 256, bytes)) return out_of_memory;
  std::memset(memory, 0xcd, bytes);  // never zeros by luck
  *address = reinterpret_cast<uint64_t>(memory) | device_bit;
  std::lock_guard lock(state().mutex);
  state().allocations[*address] = bytes;
  return success;
}
int cuMemFree_v2(unsigned long long address) {
  if (int const result = usable()) return result;
  std::lock_guard lock(state().mutex);
  if (!state().allocations.erase(address)) return invalid_value;
  std::free(on_host(reinterpret_cast<void*>(address)));
  return success;
}
int cuMemAllocHost_v2(void** memory, size_t bytes) {
  if (int const result = usable()) return result;
  return posix_memalign(memory, 64, bytes) ? out_of_memory : success;
}
int cuMemFreeHost(void* memory) { return std::free(memory), success; }

int cuMemcpyHtoDAsync_v2(unsigned long long to, void const* from, size_t bytes, void*) {
  if (int const result = usable()) return result;
  if (!is_allocated(to, bytes)) return invalid_value;
  std::memcpy(on_host(reinterpret_cast<void*>(to)), from, bytes);
  return success;
}
int cuMemcpyDtoHAsync_v2(void* to, unsigned long long from, size_t bytes, void*) {
  if (int const result = usable()) return result;
  if (!is_allocated(from, bytes)) return invalid_value;
  std::memcpy(to, on_host(reinterpret_cast<void*>(from)), bytes);
  return success;
}
int cuMemcpyHtoD_v2(unsigned long long to, void const* from, size_t bytes) { return cuMemcpyHtoDAsync_v2(to, from, bytes, nullptr); }
int cuMemcpyDtoH_v2(void* to, unsigned long long from, size_t bytes) { return cuMemcpyDtoHAsync_v2(to, from, bytes, nullptr); }
int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes, void* stream) {
  int const result = usable();
  Line("cuda", "cuMemcpyDtoDAsync").flag("context", current()).number("bytes", static_cast<int64_t>(bytes)).flag("stream", stream).number("result", result);
  if (result) return result;
  if (!is_allocated(to, bytes) || !is_allocated(from, bytes)) return invalid_value;
  std::memmove(on_host(reinterpret_cast<void*>(to)), on_host(reinterpret_cast<void*>(from)), bytes);
  return success;
}
int cuMemsetD8Async(unsigned long long to, unsigned char byte, size_t bytes, void* stream) {
  int const result = usable();
  Line("cuda", "cuMemsetD8Async").flag("context", current()).number("byte", byte).number("bytes", static_cast<int64_t>(bytes)).flag("stream", stream).number("result", result);
  if (result) return result;
  if (!is_allocated(to, bytes)) return invalid_value;
  std::memset(on_host(reinterpret_cast<void*>(to)), byte, bytes);
  return success;
}

int cuStreamCreate(void** stream, unsigned) {
  if (int const result = usable()) return result;
  std::lock_guard lock(state().mutex);
  auto* const made = new Stream{current()};
  state().streams.insert(made);
  return *stream = made, success;
}
int cuStreamDestroy_v2(void* stream) {
  std::lock_guard lock(state().mutex);
  if (!state().streams.erase(static_cast<Stream*>(stream))) return invalid_handle;
  delete static_cast<Stream*>(stream);
  return success;
}
int cuStreamSynchronize(void* stream) {
  std::lock_guard lock(state().mutex);
  if (!stream) return cuCtxSynchronize();
  if (!state().streams.count(static_cast<Stream*>(stream))) return invalid_handle;
  return synchronize(static_cast<Stream*>(stream)->context);
}
int cuStreamGetCtx(void* stream, void** context) {
  std::lock_guard lock(state().mutex);
  if (!stream) return *context = current(), usable();
  if (!state().streams.count(static_cast<Stream*>(stream))) return invalid_handle;
  return *context = static_cast<Stream*>(stream)->context, success;
}
int cuCtxGetId(void* context, unsigned long long* id) {
  if (!context) context = current();
  if (!context) return invalid_context;
  return *id = static_cast<Context*>(context)->device + 1, success;
}
int cuPointerGetAttribute(void* value, int attribute, unsigned long long address) {
  if (!is_allocated(address, 1)) return invalid_value;
  constexpr int context = 1, memory_type = 2, ordinal = 9;
  if (attribute == context) return *static_cast<void**>(value) = state().contexts[0], success;
  if (attribute == memory_type) return *static_cast<unsigned*>(value) = 2, success;
  if (attribute == ordinal) return *static_cast<int*>(value) = 0, success;
  return invalid_value;
}
int cuStreamIsCapturing(void*, int* status) { return *status = 0, success; }
}
