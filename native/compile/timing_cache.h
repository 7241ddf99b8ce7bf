// Timing caches: what TensorRT measured in earlier builds, as bytes between builds.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "../core/log.h"
#include "../tensorrt/api.h"

namespace ntrt {

// Gives a configuration the timing cache that was serialized, or an empty one if TensorRT does not take the bytes, which is
// logged once, as a warning. It has to live as long as the configuration. Throws ERR_TIMING_CACHE if there can be none.
Owned<TimingCache> attach_timing_cache(Api const& api, BuilderConfig* config, std::string const& bytes, bool ignore_mismatch, LogSink& log);

// The configuration's timing cache, serialized. Throws ERR_TIMING_CACHE.
std::string timing_cache_of(Api const& api, BuilderConfig* config);

// combineTimingCaches(library, caches, ignoreMismatch): a promise of the bytes; see NativeBinding.
Napi::Value combine_timing_caches(Napi::CallbackInfo const& info);

}  // namespace ntrt
