// A thread for calls of the driver that wait for the GPU and that nobody waits for.
#pragma once

#include <functional>

namespace ntrt {

// What the function throws is dropped.
void in_background(std::function<void()> function);

}  // namespace ntrt
