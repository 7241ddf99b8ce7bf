// Learns when work on the GPU is done: one thread looks at the events of all runs in flight.
#pragma once

#include <exception>
#include <functional>
#include <memory>

#include "../cuda/event.h"

namespace ntrt {

// Calls `then` on the completer's thread once the event is done, with the error if the device failed; and `early`, if that is
// given, shortly before, where work on the stream takes long and usually as long. Both must be quick.
void complete_when_done(std::shared_ptr<Event> event, std::function<void(std::exception_ptr)> then, std::function<void()> early = nullptr);

}  // namespace ntrt
