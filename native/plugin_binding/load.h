// Loads engines whose plugins TensorRT does not know yet.
#pragma once

#include "../core/log.h"
#include "../tensorrt/api.h"

namespace ntrt {

// Deserializes an engine; null if TensorRT refuses it for another reason than a plugin. Creators of our own plugins are registered
// as TensorRT asks for them, others are looked for once. `log`: where TensorRT's lines go meanwhile.
// Throws ERR_PLUGIN_MISSING; ERR_PLUGIN and ERR_PLUGIN_FIELD if a plugin's fields are damaged or newer.
Owned<Engine> deserialize_engine(Api const& api, Runtime* runtime, void const* plan, uint64_t size, LogSink const& log);

}  // namespace ntrt
