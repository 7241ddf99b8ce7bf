// IRefitter and ISerializationConfig.
#pragma once

#include "engine.h"

namespace standin {

void* make_refitter(Engine& engine);
void* make_serialization_config(Engine& engine);
// The plan's bytes as the configuration wants them; with all weights if it is null.
std::string serialized(Engine const& engine, void* config);
// Leaves the elements of refittable weights out.
void strip(Plan& plan);

}  // namespace standin
