// A stand-in for libcuda.so.1: device memory is host memory, each stream has a thread that does its work in order.
//
// STANDIN_CAPABILITY ("9.0"), STANDIN_DEVICES (1), STANDIN_LOG, STANDIN_KERNELS and STANDIN_FAIL (modules.cc) steer it.
// STANDIN_DELAY: "200,7": each operation waits up to 200 µs before it works, by the seed 7. STANDIN_SYNC: a call returns when its operation is done.
// STANDIN_MEMORY: bytes of each device. STANDIN_PINNED_LIMIT: bytes of page-locked memory. STANDIN_NO_POOLS: a device without memory pools.
// STANDIN_COUNTERS: a file that always has the numbers of counters.h.
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

bool& in_host_function() {
  thread_local bool inside = false;
  return inside;
}

int usable() {
  if (in_host_function()) return not_permitted;
  Context const* const context = current();
  return !context ? invalid_context : context->sticky;
}

int capability() {
  std::string const text = environment("STANDIN_CAPABILITY");
  if (text.empty()) return 90;
  size_t const dot = text.find('.');
  return std::stoi(text.substr(0, dot)) * 10 + std::stoi(text.substr(dot + 1));
}

int device_count() {
  std::string const text = environment("STANDIN_DEVICES");
  return text.empty() ? 1 : std::stoi(text);
}

size_t device_memory() {
  std::string const text = environment("STANDIN_MEMORY");
  return text.empty() ? size_t{1} << 30 : std::stoull(text);
}

}  // namespace standin

namespace {

bool is_device_number(int device) { return device >= 0 && device < device_count(); }

}  // namespace

extern "C" {

int cuInit(unsigned) { return success; }
int cuDriverGetVersion(int* version) { return *version = 13000, success; }

int cuDeviceGetCount(int* count) { return *count = device_count(), success; }
int cuDeviceGet(int* device, int ordinal) {
  if (!is_device_number(ordinal)) return invalid_device;
  return *device = ordinal, success;
}
int cuDeviceGetName(char* name, int size, int device) {
  if (!is_device_number(device)) return invalid_device;
  return std::snprintf(name, size, "stand-in"), success;
}
int cuDeviceGetPCIBusId(char* id, int size, int device) {
  if (!is_device_number(device)) return invalid_device;
  return std::snprintf(id, size, "0000:%02x:00.0", device + 1), success;
}
int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  if (!is_device_number(device)) return invalid_device;
  return *bytes = device_memory(), success;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  if (!is_device_number(device)) return invalid_device;
  switch (attribute) {
    case 1: *value = 1024; break;                                    // MAX_THREADS_PER_BLOCK
    case 2: case 3: *value = 1024; break;                            // MAX_BLOCK_DIM_X, _Y
    case 4: *value = 64; break;                                      // MAX_BLOCK_DIM_Z
    case 5: *value = 2147483647; break;                              // MAX_GRID_DIM_X
    case 6: case 7: *value = 65535; break;                           // MAX_GRID_DIM_Y, _Z
    case 8: *value = 48 * 1024; break;                               // MAX_SHARED_MEMORY_PER_BLOCK
    case 10: *value = 32; break;                                     // WARP_SIZE
    case 16: *value = 132; break;                                    // MULTIPROCESSOR_COUNT
    case 19: case 31: case 41: case 78: *value = 1; break;           // CAN_MAP_HOST_MEMORY, CONCURRENT_KERNELS, UNIFIED_ADDRESSING, STREAM_PRIORITIES_SUPPORTED
    case 40: *value = 2; break;                                      // ASYNC_ENGINE_COUNT
    case 75: *value = capability() / 10; break;                      // COMPUTE_CAPABILITY_MAJOR
    case 76: *value = capability() % 10; break;                      // COMPUTE_CAPABILITY_MINOR
    case 97: *value = 227 * 1024; break;                             // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    case 115: *value = environment("STANDIN_NO_POOLS").empty(); break;  // MEMORY_POOLS_SUPPORTED
    default: *value = 0;
  }
  return success;
}

int cuDevicePrimaryCtxRetain(void** context, int device) {
  if (!is_device_number(device)) return invalid_device;
  auto const lock = locked();
  auto& found = state().contexts[device];
  if (!found) {
    found = new Context{device, 0, nullptr};
    found->null_stream = std::make_shared<Stream>();
    found->null_stream->context = found;
  }
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
int cuCtxGetId(void* context, unsigned long long* id) {
  if (!context) context = current();
  if (!context) return invalid_context;
  return *id = static_cast<Context*>(context)->device + 1, success;
}
int cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  if (int const result = usable()) return result;
  if (least) *least = 0;
  if (greatest) *greatest = -5;
  return success;
}
int cuCtxSynchronize() {
  auto lock = locked();
  if (int const result = usable()) return result;
  if (int const result = forbid_broad(current())) return result;
  wait_for(lock, current());
  return current()->sticky;
}
}
