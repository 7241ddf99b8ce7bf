// Other addons' exceptions on threads that are being ended.
#pragma once

#include <string>

namespace ntrt {

// When a worker thread is ended while an addon's code runs on it, every call of Node-API fails, napi_throw too. Addons built on
// node-addon-api without NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS, such as onnxruntime's, then let a C++ exception out into V8's
// frames, and the process aborts. Loads the addon, which stays loaded, and lets the calls succeed that make and throw such an
// exception where nothing can be thrown any more. False if it cannot be loaded or does not call napi_throw.
bool swallow_unthrowable(std::string const& addon);

}  // namespace ntrt
