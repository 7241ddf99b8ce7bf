// Weight files for the addon: mapping them, and converting their elements.
#pragma once

#include <napi.h>

#include <memory>

namespace ntrt {

// Adds mapFile, convert and crc32 to the addon's exports.
void register_weights(Napi::Env env, Napi::Object exports);

// An owner of the file mapping that holds address p, or null where p lies in none.
// The pages stay mapped while an owner lives, even after JavaScript closed the file.
std::shared_ptr<void> hold_mapping(void const* p);

// Whether all of the file could be read, of an owner that hold_mapping returned.
bool mapping_intact(std::shared_ptr<void> const& owner);

}  // namespace ntrt
