// The form in which graphs come from JavaScript: bytes, written by src/runtime/wire.ts and read off the event loop.
#pragma once

#include <cstdint>
#include <vector>

#include "../lowering/graph.h"

namespace ntrt {

using Bytes = std::vector<uint8_t>;

// Reads a graph whose inputs and outputs come first and whose nodes may go on through several pieces.
Graph read_graph(std::vector<Bytes> const& pieces);

}  // namespace ntrt
