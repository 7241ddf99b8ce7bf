// Maps weight files and converts their elements.
#pragma once

#include <napi.h>

#include <memory>

#include "../core/js.h"
#include "mapping.h"

namespace ntrt {

// Adds mapFile, allocate, convert and crc32 to the addon's exports.
void register_weights(Napi::Env env, Napi::Object exports);

// An owner of the mapping behind `file`, which mapFile or allocate returned. The pages stay mapped while an owner lives, even after
// JavaScript closed the file. Throws ERR_ARGUMENT if `file` is no such object or does not hold all bytes at p, ERR_DISPOSED if
// it is closed.
std::shared_ptr<void> hold_mapping(Given const& file, void const* p, size_t bytes);

// The mapping itself. Throws likewise.
std::shared_ptr<Mapping> mapping_of(Given const& file);
// A new object for a mapping, as mapFile returns it, but without a path.
Napi::Value mapping_value(Napi::Env env, std::shared_ptr<Mapping> mapping);

// For an owner that hold_mapping returned: whether the file is as it was when it was mapped.
bool mapping_intact(std::shared_ptr<void> const& owner);

}  // namespace ntrt
