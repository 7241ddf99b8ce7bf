#include "timing_cache.h"

#include "../core/job.h"
#include "../core/js.h"
#include "../tensorrt/library.h"
#include "builder.h"

namespace ntrt {

namespace {

// A timing cache made of bytes; null with TensorRT's reason in `why` if it does not take them.
Owned<TimingCache> read(Api const& api, BuilderConfig* config, std::string const& bytes, std::string& why) {
  LogSink said;
  Owned<TimingCache> cache;
  {
    LogScope const scope(said, true);
    void* const made = call<m::BuilderConfig::createTimingCache>(api, config, static_cast<void const*>(bytes.empty() ? nullptr : bytes.data()), static_cast<uint64_t>(bytes.size()));
    if (!is_null(made)) cache = Owned<TimingCache>(made);
  }
  // TensorRT makes an empty cache of bytes that it does not know, and says so.
  auto const lines = said.errors();
  if (!lines.empty()) why = lines.front();
  if (!cache && why.empty()) why = "TensorRT gives no reason";
  return cache;
}

std::string serialize(Api const& api, TimingCache const* cache) {
  Owned<HostMemory> const memory(is_null(cache) ? nullptr : call<m::TimingCache::serialize>(api, const_cast<TimingCache*>(cache)));
  if (!memory) throw Error("ERR_TIMING_CACHE", "TensorRT " + release_name(api.release) + " gave no timing cache");
  auto const* data = static_cast<char const*>(call<m::HostMemory::data>(api, memory.get()));
  return {data, call<m::HostMemory::size>(api, memory.get())};
}

struct CombineJob : Job {
  std::string library;
  std::vector<std::string> caches;
  bool ignore_mismatch = false;
  std::string combined;

  void work() override {
    auto const api = load_library(library);
    enter_library(api.get(), "combining timing caches");
    Builder* const builder = builder_of(*api, log);
    Owned<BuilderConfig> const config(call<m::Builder::createBuilderConfig>(*api, builder));
    if (!config) throw Error("ERR_BUILDER", "TensorRT could not create a builder configuration");
    Owned<TimingCache> all;
    for (size_t i = 0; i < caches.size(); i++) {
      auto const refuse = [&](std::string const& why) { throw Error("ERR_TIMING_CACHE", "timing cache " + std::to_string(i) + ": " + why); };
      std::string why;
      Owned<TimingCache> one = read(*api, config.get(), caches[i], why);
      if (!why.empty()) refuse(why);
      if (!all) {
        all = std::move(one);
        // Combining checks the others against the first, and this the first against the GPU.
        if (!call<m::BuilderConfig::setTimingCache>(*api, config.get(), static_cast<TimingCache const*>(all.get()), ignore_mismatch)) refuse("TensorRT refused it: it is another GPU's or release's");
      } else if (!call<m::TimingCache::combine>(*api, all.get(), static_cast<TimingCache const*>(one.get()), ignore_mismatch)) {
        refuse("TensorRT refused to combine it with those before: it is another GPU's or release's");
      }
    }
    combined = serialize(*api, all.get());
  }
  Napi::Value result(Napi::Env env) override {
    auto buffer = Napi::ArrayBuffer::New(env, combined.size());
    std::copy(combined.begin(), combined.end(), static_cast<char*>(buffer.Data()));
    return buffer;
  }
};

}  // namespace

Owned<TimingCache> attach_timing_cache(Api const& api, BuilderConfig* config, std::string const& bytes, bool ignore_mismatch, LogSink& log) {
  std::string why;
  // TensorRT-RTX measures nothing: its caches are empty, and it reads one on a GPU only.
  std::string const none;
  for (auto const* given : {api.flavor == Flavor::rtx1 ? &none : &bytes, &none}) {
    std::string reason;
    Owned<TimingCache> cache = read(api, config, *given, reason);
    bool set = false;
    if (cache) {
      LogSink said;
      LogScope const scope(said, true);
      set = call<m::BuilderConfig::setTimingCache>(api, config, static_cast<TimingCache const*>(cache.get()), ignore_mismatch);
      if (reason.empty() && !said.errors().empty()) reason = said.errors().front();
    }
    if (!set && reason.empty()) reason = "it is another GPU's or release's";
    if (!reason.empty() && why.empty()) why = reason;
    if (!set) continue;
    if (!why.empty()) log.add(Severity::warning, ("the timing cache was not used, so every layer is timed anew: " + why).c_str());
    return cache;
  }
  throw Error("ERR_TIMING_CACHE", "TensorRT " + release_name(api.release) + " takes no timing cache: " + why);
}

std::string timing_cache_of(Api const& api, BuilderConfig* config) { return serialize(api, call<m::BuilderConfig::getTimingCache>(api, config)); }

Napi::Value combine_timing_caches(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] {
    auto job = std::make_shared<CombineJob>();
    job->library = argument(info, 0).text();
    auto const list = argument(info, 1);
    for (uint32_t i = 0; i < list.list().Length(); i++) {
      auto const bytes = list.item(i).bytes();
      job->caches.emplace_back(reinterpret_cast<char const*>(bytes.Data()), bytes.ByteLength());
    }
    job->ignore_mismatch = argument(info, 2).flag();
    return Job::start(info.Env(), job, Lane::build);
  });
}

}  // namespace ntrt
