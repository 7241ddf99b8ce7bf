// Which libraries crashed, and in which lane: they are out of use from then on.
#pragma once

#include <string>

#include "guard.h"

namespace ntrt {

// A library whose calls may crash; known by its address.
struct Library {
  std::string product;  // "TensorRT 10.6.0"
};

// Throws ERR_TENSORRT_CRASHED where the library crashed in this lane, or while it ran an engine.
void check_not_crashed(Library const& library, Lane lane);
// Whether any library crashed in the lane: then nothing is given back to it.
bool has_crashed(Lane lane);

// From here on the lane works for `library`.
void set_last_called(Lane lane, Library const* library);
// Notes a crash, of the library last called in the lane where it is not known. `text` completes "it crashed while …".
void add_crash(Library const* library, Lane lane, std::string text);

}  // namespace ntrt
