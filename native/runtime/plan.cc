#include "plan.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "../core/handle.h"
#include "../core/job.h"
#include "../cuda/copy.h"
#include "../weights/crc32.h"
#include "../weights/mapping.h"

namespace ntrt {

namespace {

constexpr size_t alignment = 64;
// Bytes of a file that are read at a time: they stay in the processor's cache until they are summed up.
constexpr size_t piece = 1 << 18;
constexpr unsigned most_threads = 8;

// Where a page begins, so that `aligned` takes it as it is.
Plan in_memory(size_t size) {
  Plan plan;
  plan.size = size;
  auto memory = Mapping::allocate(std::max<size_t>(size, 1));
  plan.data = memory->data();
  plan.owner = std::move(memory);
  return plan;
}

void* writable(Plan const& plan) { return const_cast<void*>(plan.data); }

Error shortened() { return Error("ERR_ENGINE_FILE", "became shorter while it was read"); }

// Several threads take the next part each, until there is none.
class ChecksumJob : public Job {
 public:
  ChecksumJob(std::shared_ptr<Plan> plan, size_t chunk) : plan_(std::move(plan)), chunk_(chunk), sums_((plan_->size + chunk - 1) / chunk) {}

  void work() override {
    size_t const wanted = std::min<size_t>({sums_.size(), most_threads, std::max(1u, std::thread::hardware_concurrency())});
    std::vector<std::thread> helpers;
    try {
      while (helpers.size() + 1 < wanted) helpers.emplace_back([this] { take_parts(); });
    } catch (std::system_error const&) {
      // no more threads: those that are there do it
    }
    take_parts();
    for (auto& helper : helpers) helper.join();
    if (failed_) throw shortened();
  }

  Napi::Value result(Napi::Env env) override {
    auto buffer = Napi::ArrayBuffer::New(env, sums_.size() * sizeof(uint32_t));
    if (!sums_.empty()) std::memcpy(buffer.Data(), sums_.data(), buffer.ByteLength());
    return buffer;
  }

 private:
  void take_parts() noexcept {
    std::unique_ptr<uint8_t[]> buffer(plan_->file ? new (std::nothrow) uint8_t[piece] : nullptr);
    if (plan_->file && !buffer) failed_ = true;
    for (size_t part = next_++; part < sums_.size() && !failed_ && !cancelled; part = next_++) {
      size_t const begin = part * chunk_, end = std::min(plan_->size, begin + chunk_);
      uint32_t sum = 0;
      for (size_t at = begin; at < end; at += piece) {
        size_t const size = std::min(piece, end - at);
        if (plan_->file && !plan_->file->read(plan_->offset + at, buffer.get(), size)) {
          failed_ = true;
          return;
        }
        sum = crc32(plan_->file ? buffer.get() : static_cast<uint8_t const*>(plan_->data) + at, size, sum);
      }
      sums_[part] = sum;
    }
  }

  std::shared_ptr<Plan> plan_;
  size_t chunk_;
  std::vector<uint32_t> sums_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
};

Napi::Value plan_of(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto bytes = argument(info, 0).bytes();
    auto plan = std::make_shared<Plan>(copied(bytes.Data(), bytes.ByteLength()));
    return make_handle(info.Env(), plan, plan->size);
  });
}

Napi::Value map_plan(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto mapping = Mapping::of_descriptor(argument(info, 0).integer());
    size_t const offset = argument(info, 1).size(), size = argument(info, 2).size();
    if (offset > mapping->size() || size > mapping->size() - offset) throw Error("ERR_ARGUMENT", "the plan lies outside the file");
    auto plan = std::make_shared<Plan>();
    plan->file = mapping.get();
    plan->offset = offset;
    plan->data = mapping->data() + offset;
    plan->size = size;
    plan->owner = std::move(mapping);
    return make_handle(info.Env(), plan);
  });
}

Napi::Value plan_part(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto part = std::make_shared<Plan>(*state_of<Plan>(argument(info, 0)));
    size_t const offset = argument(info, 1).size(), size = argument(info, 2).size();
    if (offset > part->size || size > part->size - offset) throw Error("ERR_ARGUMENT", "the range lies outside the plan");
    part->data = static_cast<uint8_t const*>(part->data) + offset;
    part->offset += offset;
    part->size = size;
    return make_handle(info.Env(), part, part->file ? 0 : size);
  });
}

Napi::Value plan_intact(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return Napi::Boolean::New(info.Env(), is_intact(*state_of<Plan>(argument(info, 0)))); });
}

Napi::Value plan_bytes(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const plan = state_of<Plan>(argument(info, 0));
    auto buffer = Napi::ArrayBuffer::New(info.Env(), plan->size);
    if (!plan->file) {
      std::memcpy(buffer.Data(), plan->data, plan->size);
    } else if (!plan->file->read(plan->offset, buffer.Data(), plan->size)) {
      throw shortened();
    }
    return buffer;
  });
}

Napi::Value plan_view(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const plan = state_of<Plan>(argument(info, 0));
    size_t const offset = argument(info, 1).size(), size = argument(info, 2).size();
    if (offset > plan->size || size > plan->size - offset) throw Error("ERR_ARGUMENT", "the range lies outside the plan");
    if (size == 0) return Napi::ArrayBuffer::New(info.Env(), 0);
    auto* const at = static_cast<uint8_t*>(writable(*plan)) + offset;
    auto const release = [](Napi::Env, void*, std::shared_ptr<Plan>* held) { delete held; };
    return Napi::ArrayBuffer::New(info.Env(), at, size, release, new std::shared_ptr<Plan>(plan));
  });
}

Napi::Value plan_checksums(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto plan = state_of<Plan>(argument(info, 0));
    size_t const chunk = argument(info, 1).size();
    if (chunk == 0) throw Error("ERR_ARGUMENT", "expected parts of at least one byte");
    return Job::start(info.Env(), std::make_shared<ChecksumJob>(std::move(plan), chunk), Lane::engine);
  });
}

}  // namespace

Plan copied(void const* data, size_t size) {
  Plan plan = in_memory(size);
  PieceCopy(writable(plan), data, size).finish();
  return plan;
}

bool is_intact(Plan const& plan) { return !plan.file || plan.file->intact(); }

Plan aligned(Plan const& plan) {
  if (reinterpret_cast<uintptr_t>(plan.data) % alignment == 0) return plan;
  if (!plan.file) return copied(plan.data, plan.size);
  Plan copy = in_memory(plan.size);
  if (!plan.file->read(plan.offset, writable(copy), plan.size)) throw shortened();
  return copy;
}

void register_plans(Napi::Env env, Napi::Object exports) {
  exports.Set("planOf", Napi::Function::New<plan_of>(env));
  exports.Set("mapPlan", Napi::Function::New<map_plan>(env));
  exports.Set("planPart", Napi::Function::New<plan_part>(env));
  exports.Set("planIntact", Napi::Function::New<plan_intact>(env));
  exports.Set("planBytes", Napi::Function::New<plan_bytes>(env));
  exports.Set("planView", Napi::Function::New<plan_view>(env));
  exports.Set("planChecksums", Napi::Function::New<plan_checksums>(env));
}

}  // namespace ntrt
