#include "handle.h"

#include <cstring>

#include "crashes.h"
#include "job.h"

namespace ntrt {

namespace {

// Marks an object that wraps a Handle. The address distinguishes it from those of another copy of the addon in this process.
napi_type_tag const& handle_tag() {
  static char const here = 0;
  static napi_type_tag const tag = {0x6e74727468616e64, reinterpret_cast<uintptr_t>(&here)};
  return tag;
}

// Whether the calling thread frees objects itself.
thread_local bool frees_itself = false;

// A job, because the process must not end while TensorRT frees something.
struct ReleaseJob : Job {
  std::shared_ptr<void> state;
  void work() override {
    if (has_crashed_running()) {
      new std::shared_ptr<void>(std::move(state));  // never freed: TensorRT crashed and cannot do it
      return;
    }
    enter_library(nullptr, "freeing memory");
    frees_itself = true;
    state.reset();
  }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }
};

void finalize(napi_env env, void* data, void*) {
  auto* handle = static_cast<Handle*>(data);
  Napi::MemoryManagement::AdjustExternalMemory(env, -handle->bytes);
  if (has_crashed_running()) return;
  // A process that ends must not leave while a thread frees.
  if (!is_closed(env)) release_later(std::move(handle->state));
  frees_itself = true;
  delete handle;
  frees_itself = false;
}

}  // namespace

void release_later(std::shared_ptr<void> state) noexcept {
  if (!state || frees_itself) return;
  try {
    auto job = std::make_shared<ReleaseJob>();
    job->state = std::move(state);
    Job::start_detached(std::move(job), Lane::free);
  } catch (...) {
    // Without a thread, whoever has the last reference frees.
  }
}

Napi::Value make_handle(Napi::Env env, Handle handle) {
  auto object = Napi::Object::New(env);
  auto owner = std::make_unique<Handle>(std::move(handle));
  if (napi_wrap(env, object, owner.get(), finalize, nullptr, nullptr) != napi_ok) throw Napi::Error::New(env);
  // The object's from here on, whatever follows.
  Napi::MemoryManagement::AdjustExternalMemory(env, owner.release()->bytes);
  object.TypeTag(&handle_tag());
  return object;
}

Handle& handle_of(Given const& given, char const* kind) {
  auto const value = given.value();
  void* data = nullptr;
  bool const ours = value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&handle_tag()) && napi_unwrap(value.Env(), value, &data) == napi_ok;
  std::string const expected = kind ? std::string("the handle of ") + kind : "a handle";
  if (!ours) given.refuse(expected);
  auto& handle = *static_cast<Handle*>(data);
  if (kind && std::strcmp(handle.kind, kind) != 0) throw Error("ERR_ARGUMENT", "expected " + expected + ", given that of " + handle.kind);
  return handle;
}

Napi::Value release(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto& handle = handle_of(argument(info, 0), nullptr);
    auto job = std::make_shared<ReleaseJob>();
    job->state = std::move(handle.state);
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), -handle.bytes);
    handle.bytes = 0;
    return Job::start(info.Env(), job, Lane::free);
  });
}

}  // namespace ntrt
