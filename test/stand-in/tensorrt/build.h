#pragma once

#include <optional>
#include <string>

#include "config.h"
#include "network.h"

namespace standin {

// The bytes of an engine; nothing if the build failed, which the log says.
std::optional<std::string> build(Network& network, Config& config);

}  // namespace standin
