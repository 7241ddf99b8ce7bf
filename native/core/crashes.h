// Which libraries crashed, and in which lane. They are not used again.
#pragma once

#include <string>

#include "guard.h"

namespace ntrt {

// A library whose calls may crash, identified by its address.
struct Library {
  std::string product;  // "TensorRT 10.6.0"
};

// Throws ERR_TENSORRT_CRASHED if the library crashed in this lane, or while loading or running an engine.
void check_not_crashed(Library const& library, Lane lane);
// Whether any library crashed in the lane.
bool has_crashed(Lane lane);
// Whether one crashed while loading, running or freeing engines. If so, objects of engines are never freed.
bool has_crashed_running();
// Whether one crashed in any lane.
bool has_crashed();

// In a process that is for one caller's builds only, and ends after a crash.
void set_disposable();
bool is_disposable();

// From here on the lane works for `library`.
void set_last_called(Lane lane, Library const* library);
// Records a crash; if the library is unknown, of the one last called in the lane. `text` completes "it crashed while …".
void add_crash(Library const* library, Lane lane, std::string text);

}  // namespace ntrt
