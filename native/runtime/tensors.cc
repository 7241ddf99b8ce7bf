#include "tensors.h"

#include <cstring>

#include "../core/handle.h"
#include "../core/job.h"
#include "../cuda/copy.h"
#include "../cuda/copy_streams.h"
#include "../cuda/device.h"
#include "../cuda/device_memory.h"
#include "../cuda/heap.h"
#include "../cuda/host_memory.h"
#include "completer.h"
#include "outputs.h"

namespace ntrt {

namespace {

// The error that says how to go on, for one that ended the device's context.
std::exception_ptr explain(int device, std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (Error const& error) {
    if (error.code != "ERR_CUDA_CONTEXT_LOST") return thrown;
    try {
      lose_device(device, error.what(), {});
    } catch (...) {
      return std::current_exception();
    }
  } catch (...) {
    return thrown;
  }
}

// A copy between a tensor on the GPU and a block.
class CopyJob : public Job {
 public:
  explicit CopyJob(std::shared_ptr<DeviceMemory> memory) : memory_(std::move(memory)), block_(take_pinned(memory_->bytes(), memory_->device())) {}

  Napi::Promise begin(Napi::Env env) {
    auto const self = std::static_pointer_cast<CopyJob>(shared_from_this());
    return start(env, self, Lane::run, [&self] {
      self->turn_.when_ready([self] {
        try {
          self->post();
        } catch (...) {
          self->end(std::current_exception());
        }
      });
    });
  }

  void work() override {
    int const device = memory_->device();
    try {
      use_device(device);
      CopyStreams::Use use(CopyStreams::of(device));
      try {
        submit(use);
      } catch (...) {
        driver().cuStreamSynchronize(use.stream().get());  // the job's memory goes with it
        throw;
      }
    } catch (...) {
      std::rethrow_exception(explain(device, std::current_exception()));
    }
  }
  void leave() override { turn_.pass(); }

 protected:
  virtual void copy(Stream const& stream) = 0;
  virtual void note(std::shared_ptr<Event> event) = 0;

  std::shared_ptr<DeviceMemory> const memory_;
  std::shared_ptr<PinnedBlock> block_;
  Turn turn_;

 private:
  void submit(CopyStreams::Use& use) {
    copy(use.stream());
    auto const event = use.record();
    note(event);
    turn_.pass();
    defer_end();
    complete_when_done({event, [self = shared_from_this(), device = memory_->device()](std::exception_ptr error) { self->end(error ? explain(device, error) : nullptr); }, nullptr});
  }
};

class UploadJob : public CopyJob {
 public:
  // On the event loop; `finish` before the array may change.
  UploadJob(std::shared_ptr<DeviceMemory> memory, void const* data) : CopyJob(std::move(memory)), pieces_(block_->get(), data, memory_->bytes()) { turn_.writes(*memory_); }
  void finish() { pieces_.finish(); }

  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

 protected:
  void copy(Stream const& stream) override {
    memory_->before_write(stream);
    for (size_t i = 0; i < pieces_.pieces(); i++) {
      pieces_.wait(i);
      auto const [offset, bytes] = pieces_.range(i);
      stream.to_device(static_cast<char*>(memory_->get()) + offset, static_cast<char*>(block_->get()) + offset, bytes, "uploading a tensor");
    }
  }
  void note(std::shared_ptr<Event> event) override { memory_->after_write(std::move(event)); }

 private:
  PieceCopy pieces_;
};

class DownloadJob : public CopyJob {
 public:
  explicit DownloadJob(std::shared_ptr<DeviceMemory> memory) : CopyJob(std::move(memory)) { turn_.reads(*memory_); }

  Napi::Value result(Napi::Env env) override { return buffer_of(env, std::move(block_), memory_->bytes()); }

 protected:
  void copy(Stream const& stream) override {
    memory_->before_read(stream);
    if (memory_->bytes()) stream.to_host(block_->get(), memory_->get(), memory_->bytes(), "downloading a tensor");
  }
  void note(std::shared_ptr<Event> event) override { memory_->after_read(std::move(event)); }
};

// hostTensor(bytes) → { handle, data, pinned }
Napi::Value host_tensor(Napi::CallbackInfo const& info) {
  auto const env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    auto memory = std::make_shared<HostMemory>();
    memory->bytes = argument(info, 0).size();
    memory->block = take_pinned(memory->bytes, device_in_use());
    // New elements are zeros, as in JavaScript.
    if (memory->block->pinned()) std::memset(memory->block->get(), 0, memory->bytes);
    napi_value data = nullptr;
    if (memory->bytes == 0) {
      data = Napi::ArrayBuffer::New(env, 0);
    } else {
      auto* owner = new std::shared_ptr<HostMemory>(memory);
      auto const let_go = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<HostMemory>*>(hint); };
      napi_status const status = napi_create_external_arraybuffer(env, memory->block->get(), memory->bytes, let_go, owner, &data);
      if (status != napi_ok) delete owner;
      if (status == napi_no_external_buffers_allowed) throw Error("ERR_UNSUPPORTED", "this JavaScript runtime allows no arrays outside its own memory, so that it has no host tensors: give ordinary arrays");
      if (status != napi_ok) throw Napi::Error::New(env);
    }
    bool const pinned = memory->block->pinned();
    auto handle = make_handle(env, std::move(memory)).As<Napi::Object>();
    handle.Set("data", data);  // for disposeTensor
    auto result = Napi::Object::New(env);
    result.Set("handle", handle);
    result.Set("data", data);
    result.Set("pinned", pinned);
    return result;
  });
}

// deviceTensor(device, bytes) → handle
Napi::Value device_tensor(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    size_t const bytes = argument(info, 1).size();
    return make_handle(info.Env(), DeviceMemory::allocate(argument(info, 0).integer(), bytes, nullptr), bytes);
  });
}

// Throws ERR_ARGUMENT unless the memory is the device's, as far as the driver knows.
void check_pointer(int device, uint64_t pointer, size_t bytes) {
  constexpr int memory_type = 2;
  constexpr int device_ordinal = 9;
  constexpr unsigned on_device = 2;
  constexpr uint64_t alignment = 256;  // TensorRT demands it
  std::string const text = "pointer " + std::to_string(pointer);
  if (pointer % alignment != 0) throw Error("ERR_ARGUMENT", "expected a pointer that is a multiple of " + std::to_string(alignment) + ", given " + text);
  if (pointer + bytes < pointer) throw Error("ERR_ARGUMENT", text + ": no memory has " + std::to_string(bytes) + " bytes from there on");
  OnDevice const on(device);
  for (uint64_t const at : {pointer, pointer + (bytes ? bytes - 1 : 0)}) {
    unsigned type = 0;
    int ordinal = -1;
    bool const known = driver().cuPointerGetAttribute(&type, memory_type, at) == 0 && driver().cuPointerGetAttribute(&ordinal, device_ordinal, at) == 0;
    if (known && type == on_device && ordinal == device) continue;
    std::string const where = !known ? "no memory of CUDA" : type != on_device ? "memory of the host" : "memory of GPU " + std::to_string(ordinal);
    throw Error("ERR_ARGUMENT", "expected memory of GPU " + std::to_string(device) + " of " + std::to_string(bytes) + " bytes, given " + text + ": byte " + std::to_string(at - pointer) + " is in " + where);
  }
}

// deviceTensorAt(device, pointer, bytes) → handle; the memory stays its owner's
Napi::Value device_tensor_at(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const given = argument(info, 1);
    bool whole = false;
    uint64_t const pointer = given.value().IsBigInt() ? given.value().As<Napi::BigInt>().Uint64Value(&whole) : 0;
    if (!whole) given.refuse("a bigint of 64 bits");
    int const device = argument(info, 0).integer();
    size_t const bytes = argument(info, 2).size();
    check_pointer(device, pointer, bytes);
    return make_handle(info.Env(), DeviceMemory::wrap(device, pointer, bytes));
  });
}

// pointerOf(handle) → bigint
Napi::Value pointer_of(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const memory = state_of<DeviceMemory>(argument(info, 0));
    return Napi::BigInt::New(info.Env(), reinterpret_cast<uint64_t>(memory->get()));
  });
}

// upload(handle, bytes) → Promise; what the array holds now counts
Napi::Value upload(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto memory = state_of<DeviceMemory>(argument(info, 0));
    auto const data = argument(info, 1).bytes();
    if (data.ByteLength() != memory->bytes()) {
      throw Error("ERR_FEED", "expected " + std::to_string(memory->bytes()) + " bytes for the tensor, given " + std::to_string(data.ByteLength()));
    }
    auto const job = std::make_shared<UploadJob>(std::move(memory), data.Data());
    auto const promise = job->begin(info.Env());
    job->finish();
    return promise;
  });
}

// download(handle) → Promise of an ArrayBuffer
Napi::Value download(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return std::make_shared<DownloadJob>(state_of<DeviceMemory>(argument(info, 0)))->begin(info.Env());
  });
}

// disposeTensor(handle): frees the memory once no call uses it; nothing the second time
void dispose_tensor(Napi::CallbackInfo const& info) {
  auto const env = info.Env();
  guarded(env, [&] {
    auto const given = argument(info, 0);
    Handle& handle = handle_of(given, nullptr);
    bool const on_host = std::strcmp(handle.kind, HostMemory::handle_kind) == 0;
    if (!on_host && std::strcmp(handle.kind, DeviceMemory::handle_kind) != 0) throw Error("ERR_ARGUMENT", std::string("expected the handle of a tensor, given that of ") + handle.kind);
    if (!handle.state) return;
    if (on_host) {
      state_of<HostMemory>(given)->disposed = true;
      auto data = given.object().Get("data").As<Napi::ArrayBuffer>();
      if (!data.IsDetached()) data.Detach();
    } else {
      state_of<DeviceMemory>(given)->disposed = true;
    }
    handle.state = nullptr;
    Napi::MemoryManagement::AdjustExternalMemory(env, -handle.bytes);
    handle.bytes = 0;
  });
}

// hostMemory() → { pinned, cached, limit, refused? } in bytes
Napi::Value host_memory(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    PinnedUse const use = pinned_use();
    auto result = Napi::Object::New(info.Env());
    result.Set("pinned", static_cast<double>(use.used));
    result.Set("cached", static_cast<double>(use.cached));
    result.Set("limit", static_cast<double>(use.limit));
    if (!use.refused.empty()) result.Set("refused", use.refused);
    return result;
  });
}

// deviceMemory(device) → { free, total, used } in bytes
Napi::Value device_memory(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    int const device = argument(info, 0).integer();
    OnDevice const on(device);
    Heap::Use const use = Heap::of(device).use();
    auto result = Napi::Object::New(info.Env());
    result.Set("free", static_cast<double>(use.free));
    result.Set("total", static_cast<double>(use.total));
    result.Set("used", static_cast<double>(use.used));
    return result;
  });
}

}  // namespace

void register_tensors(Napi::Env env, Napi::Object exports) {
  exports.Set("hostTensor", Napi::Function::New<host_tensor>(env));
  exports.Set("deviceTensor", Napi::Function::New<device_tensor>(env));
  exports.Set("deviceTensorAt", Napi::Function::New<device_tensor_at>(env));
  exports.Set("pointerOf", Napi::Function::New<pointer_of>(env));
  exports.Set("upload", Napi::Function::New<upload>(env));
  exports.Set("download", Napi::Function::New<download>(env));
  exports.Set("disposeTensor", Napi::Function::New<dispose_tensor>(env));
  exports.Set("hostMemory", Napi::Function::New<host_memory>(env));
  exports.Set("deviceMemory", Napi::Function::New<device_memory>(env));
}

}  // namespace ntrt
