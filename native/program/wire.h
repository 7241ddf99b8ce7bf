// Graphs arrive from JavaScript as bytes, written by src/tensorrt/compile/wire.ts and read off the event loop.
#pragma once

#include "graph.h"

namespace ntrt {

// Decodes a program: its inputs and outputs, then its nodes, which may continue over several pieces.
void read_program(Program& program);

}  // namespace ntrt
