// The form in which graphs come from JavaScript: bytes, written by src/tensorrt/compile/wire.ts and read off the event loop.
#pragma once

#include "graph.h"

namespace ntrt {

// Reads what a program was encoded in: its inputs and outputs, and nodes, which may go on through several pieces.
void read_program(Program& program);

}  // namespace ntrt
