// Memory of devices: allocations, and what is known of an address.
#include <algorithm>

#include "counters.h"
#include "state.h"

namespace standin {

Allocation* allocation_of(uint64_t address, size_t bytes) {
  auto next = state().allocations.upper_bound(address);
  if (next == state().allocations.begin()) return nullptr;
  auto& [base, allocation] = *--next;
  return address + bytes <= base + allocation.bytes ? &allocation : nullptr;
}

int check_uses(Operation const& operation, int device) {
  std::string const name = std::string("queued work (") + operation.name + ") uses ";
  for (auto const& use : operation.uses) {
    if (!is_device(reinterpret_cast<void*>(use.address))) {
      if (!is_pinned(use.address, use.bytes)) die(name + "page-locked memory that was freed");
      continue;
    }
    Allocation const* const found = allocation_of(use.address, use.bytes);
    if (!found) die(name + "memory of the GPU that is not allocated");
    if (!found->is_ready) die(name + "memory that another stream has not yet allocated");
    if (found->device != device) return illegal_address;
  }
  return success;
}

namespace {

// New and freed memory holds no zeros by luck.
void fill(void* memory, size_t bytes, int byte) { std::memset(memory, byte, std::min(bytes, size_t{1} << 20)); }

}  // namespace

int allocate(unsigned long long* address, size_t bytes, int device, std::shared_ptr<Pool> pool) {
  if (bytes == 0) return invalid_value;
  void* memory = nullptr;
  size_t const reused = pool ? std::min(pool->cached, bytes) : 0;
  if (state().used[device] + bytes - reused > device_memory() || posix_memalign(&memory, 256, bytes)) return out_of_memory;
  fill(memory, bytes, 0xcd);
  *address = reinterpret_cast<uint64_t>(memory) | device_bit;
  if (pool) pool->cached -= reused;
  state().allocations[*address] = {bytes, device, !pool, false, pool};
  state().used[device] += bytes - reused;
  counters().allocations++, counters().bytes += bytes;
  return success;
}

void release(uint64_t address) {
  auto const found = state().allocations.find(address);
  Allocation const one = found->second;
  if (char const* const user = user_of(address, one.bytes)) die(std::string("memory of the GPU is freed that queued work (") + user + ") uses");
  state().allocations.erase(found);
  size_t const kept = one.pool && one.pool->cached < one.pool->threshold ? std::min<uint64_t>(one.bytes, one.pool->threshold - one.pool->cached) : 0;
  if (one.pool) one.pool->cached += kept;
  state().used[one.device] -= one.bytes - kept;
  counters().allocations--, counters().bytes -= one.bytes;
  void* const memory = on_host(reinterpret_cast<void*>(address));
  fill(memory, one.bytes, 0xdd);
  std::free(memory);
}

}  // namespace standin

extern "C" {

int cuMemAlloc_v2(unsigned long long* address, size_t bytes) {
  auto const lock = locked();
  if (int const result = usable()) return result;
  if (int const result = forbid_unsafe()) return result;
  return allocate(address, bytes, current()->device);
}
// Waits for the device, as the driver does; to rely on it is a mistake.
int cuMemFree_v2(unsigned long long address) {
  auto lock = locked();
  if (int const result = usable()) return result;
  if (int const result = forbid_unsafe()) return result;
  if (address == 0) return success;
  auto const found = state().allocations.find(address);
  if (found == state().allocations.end()) return invalid_value;
  if (found->second.is_freeing) die("memory of the GPU is freed twice");
  if (char const* const user = user_of(address, found->second.bytes)) die(std::string("memory of the GPU is freed that queued work (") + user + ") uses");
  found->second.is_freeing = true;
  wait_for(lock, current());
  release(address);
  return success;
}
int cuMemGetInfo_v2(size_t* free, size_t* total) {
  auto const lock = locked();
  if (int const result = usable()) return result;
  *total = device_memory();
  return *free = *total - state().used[current()->device], success;
}

int cuMemGetAddressRange_v2(unsigned long long* base, size_t* bytes, unsigned long long address) {
  auto const lock = locked();
  auto next = state().allocations.upper_bound(address);
  if (!allocation_of(address, 1)) return invalid_value;
  --next;
  if (base) *base = next->first;
  if (bytes) *bytes = next->second.bytes;
  return success;
}
int cuPointerGetAttribute(void* value, int attribute, unsigned long long address) {
  enum { context = 1, memory_type = 2, device_pointer = 3, host_pointer = 4, is_managed = 8, ordinal = 9, range_start = 11, range_size = 12 };
  auto const lock = locked();
  Allocation const* const found = allocation_of(address, 1);
  bool const on_device = found != nullptr;
  if (!on_device && !is_pinned(address, 1)) return invalid_value;
  switch (attribute) {
    case context: return *static_cast<void**>(value) = state().contexts[on_device ? found->device : 0], success;
    case memory_type: return *static_cast<unsigned*>(value) = on_device ? 2 : 1, success;
    case device_pointer: return *static_cast<unsigned long long*>(value) = address, success;
    case host_pointer: return on_device ? invalid_value : (*static_cast<unsigned long long*>(value) = address, success);
    case is_managed: return *static_cast<unsigned*>(value) = 0, success;
    case ordinal: return *static_cast<int*>(value) = on_device ? found->device : 0, success;
    case range_start: return on_device ? (*static_cast<unsigned long long*>(value) = (--state().allocations.upper_bound(address))->first, success) : invalid_value;
    case range_size: return on_device ? (*static_cast<size_t*>(value) = found->bytes, success) : invalid_value;
    default: return invalid_value;
  }
}
}
