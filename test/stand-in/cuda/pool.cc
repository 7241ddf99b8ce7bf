// Stream-ordered memory, and its pools.
#include "state.h"

namespace {

bool has_pools() { return environment("STANDIN_NO_POOLS").empty(); }

void* default_pool(int device) {
  auto& handle = state().default_pools[device];
  if (!handle) {
    auto made = std::make_shared<Pool>();
    made->device = device;
    handle = state().pools.add(std::move(made));
  }
  return handle;
}

int allocate_async(Lock& lock, char const* name, unsigned long long* address, size_t bytes, void* pool_handle, void* handle) {
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, name, stream)) return result;
  if (!has_pools()) return not_supported;
  if (stream->capture) die(std::string(name) + " on a capturing stream, which the stand-in does not have");
  auto const pool = state().pools.find(pool_handle ? pool_handle : default_pool(stream->context->device), name);
  if (!pool) return invalid_handle;
  if (int const result = allocate(address, bytes, pool->device, pool)) return result;
  auto const take_place = [address = *address] {
    auto const held = locked();
    return allocation_of(address, 1)->is_ready = true, success;
  };
  return submit(lock, stream, {name, take_place, {}});
}

}  // namespace

extern "C" {

int cuMemAllocAsync(unsigned long long* address, size_t bytes, void* stream) {
  auto lock = locked();
  return allocate_async(lock, "cuMemAllocAsync", address, bytes, nullptr, stream);
}
int cuMemAllocFromPoolAsync(unsigned long long* address, size_t bytes, void* pool, void* stream) {
  auto lock = locked();
  return allocate_async(lock, "cuMemAllocFromPoolAsync", address, bytes, pool, stream);
}
int cuMemFreeAsync(unsigned long long address, void* handle) {
  auto lock = locked();
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, "cuMemFreeAsync", stream)) return result;
  if (stream->capture) die("cuMemFreeAsync on a capturing stream, which the stand-in does not have");
  if (address == 0) return success;
  auto const found = state().allocations.find(address);
  if (found == state().allocations.end()) return invalid_value;
  if (found->second.is_freeing) die("memory of the GPU is freed twice");
  found->second.is_freeing = true;
  auto const take_place = [address] {
    auto const held = locked();
    return release(address), success;
  };
  return submit(lock, stream, {"cuMemFreeAsync", take_place, {}});
}

int cuDeviceGetDefaultMemPool(void** pool, int device) {
  auto const lock = locked();
  if (device < 0 || device >= device_count()) return invalid_device;
  if (!has_pools()) return not_supported;
  return *pool = default_pool(device), success;
}
int cuDeviceGetMemPool(void** pool, int device) { return cuDeviceGetDefaultMemPool(pool, device); }
int cuMemPoolCreate(void** pool, void const* properties) {
  auto const lock = locked();
  if (!has_pools()) return not_supported;
  // allocType, handleTypes, location.type, location.id
  int const* const given = static_cast<int const*>(properties);
  if (given[0] != 1 || given[1] != 0 || given[2] != 1 || given[3] < 0 || given[3] >= device_count()) return invalid_value;
  auto made = std::make_shared<Pool>();
  made->device = given[3];
  return *pool = state().pools.add(std::move(made)), success;
}
int cuMemPoolDestroy(void* handle) {
  auto const lock = locked();
  auto const pool = state().pools.find(handle, "cuMemPoolDestroy");
  if (!pool) return invalid_value;
  state().used[pool->device] -= pool->cached;
  pool->cached = pool->threshold = 0;
  return state().pools.remove(handle), success;
}
int cuMemPoolTrimTo(void* handle, size_t keep) {
  auto const lock = locked();
  auto const pool = state().pools.find(handle, "cuMemPoolTrimTo");
  if (!pool) return invalid_value;
  size_t const given_back = pool->cached > keep ? pool->cached - keep : 0;
  state().used[pool->device] -= given_back;
  return pool->cached -= given_back, success;
}
int cuMemPoolSetAttribute(void* handle, int attribute, void* value) {
  constexpr int release_threshold = 4;
  auto const lock = locked();
  auto const pool = state().pools.find(handle, "cuMemPoolSetAttribute");
  if (!pool || attribute < 1 || attribute > 8) return invalid_value;
  if (attribute == release_threshold) pool->threshold = *static_cast<uint64_t*>(value);
  return success;
}
int cuMemPoolGetAttribute(void* handle, int attribute, void* value) {
  constexpr int release_threshold = 4;
  auto const lock = locked();
  auto const pool = state().pools.find(handle, "cuMemPoolGetAttribute");
  if (!pool || attribute != release_threshold) return invalid_value;
  return *static_cast<uint64_t*>(value) = pool->threshold, success;
}
}
