// Copies and fills.
#include "state.h"

namespace standin {

namespace {

// Copies of at least as many bytes are logged when they run.
constexpr size_t logged = 64 << 10;

struct Copy {
  uint64_t to = 0, from = 0;
  size_t bytes = 0;
};

// Whether an end of a copy on a device may be used now.
int check_end(uint64_t address, size_t bytes, int device) {
  if (!is_device(reinterpret_cast<void*>(address))) return success;
  Allocation const* const found = allocation_of(address, bytes);
  if (!found || found->device != device) return invalid_value;
  if (found->is_freeing) die("memory of the GPU is used after cuMemFreeAsync");
  return success;
}

// A copy to or from ordinary memory of the host: read before the call returns, and written before it returns.
int copy(Lock& lock, char const* name, void* handle, Copy const& c, bool waits = false, int from_device = -1) {
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, name, stream, !handle)) return result;
  int const device = stream->context->device;
  if (int const result = check_end(c.to, c.bytes, device)) return result;
  if (int const result = check_end(c.from, c.bytes, from_device < 0 ? device : from_device)) return result;
  if (waits) {
    if (int const result = forbid_unsafe()) return result;
  }
  if (c.bytes == 0) return success;
  auto const is_ordinary = [&](uint64_t address) { return !is_device(reinterpret_cast<void*>(address)) && !is_pinned(address, c.bytes); };
  auto* const to = on_host(reinterpret_cast<void*>(c.to));
  auto const* const from = on_host(reinterpret_cast<void*>(c.from));
  Operation operation{name, nullptr, {}};
  if (!is_ordinary(c.to)) operation.uses.push_back({c.to, c.bytes});
  if (!is_ordinary(c.from) && from_device < 0) operation.uses.push_back({c.from, c.bytes});
  if (is_ordinary(c.from) && !stream->capture) {
    auto const staged = std::make_shared<std::string>(static_cast<char const*>(from), c.bytes);
    operation.work = [=] { return std::memcpy(to, staged->data(), staged->size()), success; };
  } else {
    operation.work = [=, bytes = c.bytes] { return std::memmove(to, from, bytes), success; };
  }
  if (c.bytes >= logged) {
    operation.work = [=, work = std::move(operation.work), bytes = c.bytes] {
      Line("cuda", "copies").text("by", name).number("bytes", static_cast<int64_t>(bytes));
      return work();
    };
  }
  if (int const result = submit(lock, stream, std::move(operation))) return result;
  if (stream->capture || !(waits || is_ordinary(c.to))) return success;
  wait_for(lock, end_of(stream));
  return stream->context->sticky;
}

int fill(Lock& lock, char const* name, void* handle, uint64_t to, size_t bytes, std::function<void(void*)> write) {
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(handle, name, stream, !handle)) return result;
  if (!is_device(reinterpret_cast<void*>(to))) return invalid_value;
  if (int const result = check_end(to, bytes, stream->context->device)) return result;
  if (bytes == 0) return success;
  auto* const memory = on_host(reinterpret_cast<void*>(to));
  return submit(lock, stream, {name, [=] { return write(memory), success; }, {{to, bytes}}});
}

// The address must be of a device, or of the host.
bool on_gpu(uint64_t address) { return is_device(reinterpret_cast<void*>(address)); }

}  // namespace

}  // namespace standin

extern "C" {

int cuMemcpyHtoDAsync_v2(unsigned long long to, void const* from, size_t bytes, void* stream) {
  auto lock = locked();
  auto const address = reinterpret_cast<uint64_t>(from);
  if (!on_gpu(to) || on_gpu(address)) return usable() ? usable() : invalid_value;
  return copy(lock, "cuMemcpyHtoDAsync", stream, {to, address, bytes});
}
int cuMemcpyDtoHAsync_v2(void* to, unsigned long long from, size_t bytes, void* stream) {
  auto lock = locked();
  auto const address = reinterpret_cast<uint64_t>(to);
  if (!on_gpu(from) || on_gpu(address)) return usable() ? usable() : invalid_value;
  return copy(lock, "cuMemcpyDtoHAsync", stream, {address, from, bytes});
}
int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes, void* stream) {
  auto lock = locked();
  int const result = !on_gpu(to) || !on_gpu(from) ? (usable() ? usable() : invalid_value) : copy(lock, "cuMemcpyDtoDAsync", stream, {to, from, bytes});
  Line("cuda", "cuMemcpyDtoDAsync").flag("context", current()).number("bytes", static_cast<int64_t>(bytes)).flag("stream", stream).number("result", result);
  return result;
}
int cuMemcpyAsync(unsigned long long to, unsigned long long from, size_t bytes, void* stream) {
  auto lock = locked();
  return copy(lock, "cuMemcpyAsync", stream, {to, from, bytes});
}
int cuMemcpyPeerAsync(unsigned long long to, void*, unsigned long long from, void* from_context, size_t bytes, void* stream) {
  auto lock = locked();
  if (!from_context) return invalid_context;
  return copy(lock, "cuMemcpyPeerAsync", stream, {to, from, bytes}, false, static_cast<Context*>(from_context)->device);
}
int cuMemcpyHtoD_v2(unsigned long long to, void const* from, size_t bytes) {
  auto lock = locked();
  return copy(lock, "cuMemcpyHtoD", nullptr, {to, reinterpret_cast<uint64_t>(from), bytes}, true);
}
int cuMemcpyDtoH_v2(void* to, unsigned long long from, size_t bytes) {
  auto lock = locked();
  return copy(lock, "cuMemcpyDtoH", nullptr, {reinterpret_cast<uint64_t>(to), from, bytes}, true);
}
int cuMemcpyDtoD_v2(unsigned long long to, unsigned long long from, size_t bytes) {
  auto lock = locked();
  return copy(lock, "cuMemcpyDtoD", nullptr, {to, from, bytes}, true);
}

int cuMemsetD8Async(unsigned long long to, unsigned char byte, size_t bytes, void* stream) {
  auto lock = locked();
  int const result = fill(lock, "cuMemsetD8Async", stream, to, bytes, [=](void* memory) { std::memset(memory, byte, bytes); });
  Line("cuda", "cuMemsetD8Async").flag("context", current()).number("byte", byte).number("bytes", static_cast<int64_t>(bytes)).flag("stream", stream).number("result", result);
  return result;
}
int cuMemsetD32Async(unsigned long long to, unsigned value, size_t count, void* stream) {
  auto lock = locked();
  return fill(lock, "cuMemsetD32Async", stream, to, count * sizeof value, [=](void* memory) { std::fill_n(static_cast<unsigned*>(memory), count, value); });
}
}
