// Serialized engines: in memory, or in a mapped file.
#pragma once

#include <napi.h>

#include "../compile/build.h"

namespace ntrt {

// planOf(bytes) → handle of a copy, made by several threads before it returns.
// mapPlan(file descriptor, offset, size) → handle of that part of the file. Throws ERR_WEIGHTS_FILE, or ERR_ARGUMENT if it is not in the file.
// planPart(plan, offset, size) → handle of these bytes, where they lie.
// planIntact(plan) → false once the file that the plan is in was changed.
// planBytes(plan) → a new ArrayBuffer with all bytes.
// planView(plan, offset, size) → an ArrayBuffer over these bytes, where they lie. Nobody may write to it.
// planChecksums(plan, chunk) → Promise of an ArrayBuffer: the CRC-32 of every `chunk` bytes, as uint32. Rejects with ERR_ENGINE_FILE if the file
// became shorter.
void register_plans(Napi::Env env, Napi::Object exports);

// A plan with a copy of the bytes.
Plan copied(void const* data, size_t size);
// False once the file that a plan is in was changed.
bool is_intact(Plan const& plan);
// The plan, copied if it does not begin where an object of any type may.
Plan aligned(Plan const& plan);

}  // namespace ntrt
