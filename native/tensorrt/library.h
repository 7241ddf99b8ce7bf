// Loads a TensorRT library and chooses its flavor.
#pragma once

#include <memory>

#include "api.h"

namespace ntrt {

// Loads the library at `path` once; later calls return the same Api. It stays loaded: TensorRT does not survive dlclose.
// Throws ERR_LIBRARY_NOT_FOUND, ERR_LIBRARY_INVALID (not TensorRT) or ERR_LIBRARY_REFUSED (a release we must not call).
std::shared_ptr<Api const> load_library(std::string const& path);

// The flavor of a release; throws ERR_LIBRARY_REFUSED if its tables are unknown.
Flavor flavor_of(Release release);

// The values of an enumerator such as ("BuilderFlag", "kTF32") in the flavors, and since which releases.
Slot const* enumerator_slots(std::string_view name, std::string_view value);

}  // namespace ntrt
