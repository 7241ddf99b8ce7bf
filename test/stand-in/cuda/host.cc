// Page-locked memory of the host.
#include "counters.h"
#include "state.h"

namespace standin {

bool is_pinned(uint64_t address, size_t bytes) {
  auto next = state().pinned.upper_bound(address);
  if (next == state().pinned.begin()) return false;
  --next;
  return address + bytes <= next->first + next->second;
}

namespace {

size_t limit() {
  std::string const text = environment("STANDIN_PINNED_LIMIT");
  return text.empty() ? SIZE_MAX : std::stoull(text);
}

void add(void* memory, size_t bytes) {
  state().pinned[reinterpret_cast<uint64_t>(memory)] = bytes;
  state().pinned_bytes += bytes;
  counters().pinned++, counters().pinned_bytes += bytes;
}

// Of `call`: whether it may go.
int remove(void* memory, char const* call) {
  auto const found = state().pinned.find(reinterpret_cast<uint64_t>(memory));
  if (found == state().pinned.end()) return invalid_value;
  if (char const* const user = user_of(found->first, found->second)) die(std::string(call) + " of memory that queued work (" + user + ") uses");
  state().pinned_bytes -= found->second;
  counters().pinned--, counters().pinned_bytes -= found->second;
  std::memset(memory, 0xdd, std::min(found->second, size_t{1} << 20));
  state().pinned.erase(found);
  return success;
}

}  // namespace

}  // namespace standin

extern "C" {

int cuMemHostAlloc(void** memory, size_t bytes, unsigned flags) {
  auto const lock = locked();
  if (int const result = usable()) return result;
  if (int const result = forbid_unsafe()) return result;
  if (bytes == 0 || flags > 7) return invalid_value;
  if (state().pinned_bytes + bytes > limit() || posix_memalign(memory, 4096, bytes)) return out_of_memory;
  std::memset(*memory, 0xcd, std::min(bytes, size_t{1} << 20));
  return add(*memory, bytes), success;
}
int cuMemAllocHost_v2(void** memory, size_t bytes) { return cuMemHostAlloc(memory, bytes, 0); }
int cuMemFreeHost(void* memory) {
  auto const lock = locked();
  if (int const result = usable()) return result;
  if (int const result = forbid_unsafe()) return result;
  if (int const result = remove(memory, "cuMemFreeHost")) return result;
  return std::free(memory), success;
}
int cuMemHostRegister_v2(void* memory, size_t bytes, unsigned) {
  auto const lock = locked();
  if (int const result = usable()) return result;
  if (int const result = forbid_unsafe()) return result;
  if (bytes == 0) return invalid_value;
  if (is_pinned(reinterpret_cast<uint64_t>(memory), 1)) return already_registered;
  if (state().pinned_bytes + bytes > limit()) return out_of_memory;
  return add(memory, bytes), success;
}
int cuMemHostUnregister(void* memory) {
  auto const lock = locked();
  if (int const result = usable()) return result;
  if (int const result = forbid_unsafe()) return result;
  auto const found = state().pinned.find(reinterpret_cast<uint64_t>(memory));
  if (found == state().pinned.end()) return not_registered;
  std::string const kept(static_cast<char const*>(memory), std::min(found->second, size_t{1} << 20));
  int const result = remove(memory, "cuMemHostUnregister");
  return std::memcpy(memory, kept.data(), kept.size()), result;
}
int cuMemHostGetDevicePointer_v2(unsigned long long* address, void* memory, unsigned) {
  auto const lock = locked();
  if (!is_pinned(reinterpret_cast<uint64_t>(memory), 1)) return invalid_value;
  return *address = reinterpret_cast<uint64_t>(memory), success;
}
int cuMemHostGetFlags(unsigned* flags, void* memory) {
  auto const lock = locked();
  if (!is_pinned(reinterpret_cast<uint64_t>(memory), 1)) return invalid_value;
  return *flags = 3, success;
}
}
