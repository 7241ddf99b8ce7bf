#include <cstring>

#include "../core/handle.h"
#include "context.h"
#include "engine.h"

namespace ntrt {

namespace {

class RuntimeCacheJob : public Job {
 public:
  explicit RuntimeCacheJob(std::shared_ptr<ContextState> context) : context_(std::move(context)) {}

  void work() override {
    auto const& engine = *context_->engine;
    enter_library(engine.api.get(), "serializing a runtime cache");
    use_device(engine.device);
    bytes_ = runtime_cache_bytes(*engine.api, context_->created);
  }
  Napi::Value result(Napi::Env env) override {
    auto buffer = Napi::ArrayBuffer::New(env, bytes_.size());
    if (!bytes_.empty()) std::memcpy(buffer.Data(), bytes_.data(), bytes_.size());
    return buffer;
  }

 private:
  std::shared_ptr<ContextState> context_;
  std::vector<uint8_t> bytes_;
};

}  // namespace

Napi::Value runtime_cache(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Job::start(info.Env(), std::make_shared<RuntimeCacheJob>(state_of<ContextState>(argument(info, 0))), Lane::engine);
  });
}

}  // namespace ntrt
