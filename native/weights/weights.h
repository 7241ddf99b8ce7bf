// Weight files for the addon: mapping them, and converting their elements.
#pragma once

#include <memory>
#include <napi.h>

// Adds mapFile, convert and crc32 to the addon's exports.
void register_weights(Napi::Env env, Napi::Object exports);

// An owner of the mapping behind `file`, which mapFile returned. The pages stay mapped while an owner lives, even after
// JavaScript closed the file. Throws where `file` is no such object, is closed, or does not hold all of the bytes at p.
std::shared_ptr<void> hold_mapping(Napi::Value file, const void* p, size_t bytes);

// Whether all of the file could be read, of an owner that hold_mapping returned.
bool mapping_intact(const std::shared_ptr<void>& owner);
