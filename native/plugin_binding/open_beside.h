// Loads a library that uses another one without being linked with it.
#pragma once

#include <string>

namespace ntrt {

// Like dlopen of `path`, which also finds the symbols of the loaded library `other`. Nothing else does: making them global would put
// them before those of a second TensorRT. Null, with dlerror, if it fails.
void* open_beside(std::string const& path, std::string const& other);

}  // namespace ntrt
