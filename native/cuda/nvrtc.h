// NVRTC, NVIDIA's compiler of CUDA C++ to machine code, loaded by path.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "../core/crashes.h"

namespace ntrt {

using nvrtcResult = int;
using nvrtcProgram = void*;

// NVRTC's functions, by the names of nvrtc.h.
struct NvrtcFunctions {
  nvrtcResult (*nvrtcVersion)(int* major, int* minor);
  char const* (*nvrtcGetErrorString)(nvrtcResult result);
  nvrtcResult (*nvrtcGetNumSupportedArchs)(int* count);
  nvrtcResult (*nvrtcGetSupportedArchs)(int* architectures);
  nvrtcResult (*nvrtcCreateProgram)(nvrtcProgram* program, char const* source, char const* name, int headers, char const* const* texts, char const* const* names);
  nvrtcResult (*nvrtcDestroyProgram)(nvrtcProgram* program);
  nvrtcResult (*nvrtcAddNameExpression)(nvrtcProgram program, char const* name);
  nvrtcResult (*nvrtcCompileProgram)(nvrtcProgram program, int count, char const* const* options);
  nvrtcResult (*nvrtcGetLoweredName)(nvrtcProgram program, char const* name, char const** lowered);
  nvrtcResult (*nvrtcGetCUBINSize)(nvrtcProgram program, size_t* bytes);
  nvrtcResult (*nvrtcGetCUBIN)(nvrtcProgram program, char* cubin);
  nvrtcResult (*nvrtcGetProgramLogSize)(nvrtcProgram program, size_t* bytes);
  nvrtcResult (*nvrtcGetProgramLog)(nvrtcProgram program, char* log);
};

struct Nvrtc : Library {
  NvrtcFunctions functions{};
  int major = 0;
  int minor = 0;
  std::vector<int> architectures;  // 90 is sm_90
};

// Loads the library at `path` once; later calls return the same one. It stays loaded. Throws ERR_NVRTC_MISSING.
std::shared_ptr<Nvrtc const> load_nvrtc(std::string const& path);

struct KernelSource {
  std::string text;
  std::string file;  // its name in messages
  std::vector<std::string> options;
  std::vector<std::string> names;  // name expressions: rmsNorm<__half>
};

struct CompiledKernel {
  std::vector<char> cubin;           // empty if it does not compile
  std::string log;                   // the compiler's errors and warnings
  std::vector<std::string> lowered;  // of each name; empty if it does not compile
};

// Errors in the source are in the log. Throws ERR_KERNEL where NVRTC itself fails.
CompiledKernel compile_kernel(Nvrtc const& nvrtc, KernelSource const& source);

}  // namespace ntrt
