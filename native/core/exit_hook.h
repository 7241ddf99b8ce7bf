// NVIDIA's plugins call exit() where an assertion fails. On a thread that works for TensorRT that is a crash of the library.
#pragma once

namespace ntrt {

// From now on, calls of exit() in the library with this handle of dlopen end the job and not the process. Other threads exit as ever.
void catch_exit(void* library);

}  // namespace ntrt
