#include "held.h"

namespace ntrt {

namespace {

// A job, because the process must not end while TensorRT frees something.
struct ReleaseJob : Job {
  std::shared_ptr<void> state;
  void work() override {
    if (has_crashed(Lane::run)) {
      new std::shared_ptr<void>(std::move(state));  // never freed: TensorRT is in no state to do it
      return;
    }
    enter_tensorrt(nullptr, "freeing memory");
    state.reset();
  }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }
};

}  // namespace

Napi::Value release(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto& held = *info[0].As<Napi::External<Held>>().Data();
    auto job = std::make_shared<ReleaseJob>();
    job->state = std::move(held.state);
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), -held.bytes);
    held.bytes = 0;
    return Job::start(info.Env(), job, Job::Lane::run);
  });
}

}  // namespace ntrt
