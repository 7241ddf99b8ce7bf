// Weight files for the addon: mapping them, and converting their elements.
#pragma once

#include <napi.h>

#include <memory>

#include "../core/js.h"

namespace ntrt {

// Adds mapFile, convert and crc32 to the addon's exports.
void register_weights(Napi::Env env, Napi::Object exports);

// An owner of the mapping behind `file`, which mapFile returned. The pages stay mapped while an owner lives, even after
// JavaScript closed the file. ERR_ARGUMENT where `file` is no such object or does not hold all of the bytes at p, ERR_DISPOSED
// where it is closed.
std::shared_ptr<void> hold_mapping(Given const& file, void const* p, size_t bytes);

// Whether all of the file could be read, of an owner that hold_mapping returned.
bool mapping_intact(std::shared_ptr<void> const& owner);

}  // namespace ntrt
