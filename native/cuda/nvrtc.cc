#include "nvrtc.h"

#include <dlfcn.h>

#include <climits>
#include <cstdlib>
#include <map>
#include <mutex>

#include "../core/error.h"

namespace ntrt {

namespace {

constexpr nvrtcResult invalid_option = 5;
constexpr nvrtcResult does_not_compile = 6;
constexpr nvrtcResult unknown_name = 10;

void check(Nvrtc const& nvrtc, nvrtcResult result, char const* what) {
  if (result == 0) return;
  char const* const text = nvrtc.functions.nvrtcGetErrorString(result);
  throw Error("ERR_KERNEL", nvrtc.product + ": " + what + " failed: " + (text ? text : "error " + std::to_string(result)));
}

std::vector<char const*> pointers(std::vector<std::string> const& texts) {
  std::vector<char const*> list;
  for (auto const& text : texts) list.push_back(text.c_str());
  return list;
}

class Compilation {
 public:
  Compilation(Nvrtc const& nvrtc, KernelSource const& source) : nvrtc_(nvrtc) {
    check(nvrtc, nvrtc.functions.nvrtcCreateProgram(&program_, source.text.c_str(), source.file.c_str(), 0, nullptr, nullptr), "nvrtcCreateProgram");
  }
  ~Compilation() { nvrtc_.functions.nvrtcDestroyProgram(&program_); }
  Compilation(Compilation const&) = delete;
  nvrtcProgram get() const { return program_; }

 private:
  Nvrtc const& nvrtc_;
  nvrtcProgram program_ = nullptr;
};

std::string log_of(Nvrtc const& nvrtc, nvrtcProgram program) {
  size_t bytes = 0;
  check(nvrtc, nvrtc.functions.nvrtcGetProgramLogSize(program, &bytes), "nvrtcGetProgramLogSize");
  std::string log(bytes + 1, '\0');
  check(nvrtc, nvrtc.functions.nvrtcGetProgramLog(program, log.data()), "nvrtcGetProgramLog");
  log.resize(log.find('\0'));
  return log;
}

}  // namespace

std::shared_ptr<Nvrtc const> load_nvrtc(std::string const& path) {
  static std::mutex mutex;
  static auto* loaded = new std::map<std::string, std::shared_ptr<Nvrtc const>>;

  char resolved[PATH_MAX];
  std::string const real = realpath(path.c_str(), resolved) ? resolved : path;
  std::lock_guard lock(mutex);
  if (auto found = loaded->find(real); found != loaded->end()) return found->second;

  void* handle = dlopen(real.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw Error("ERR_NVRTC_MISSING", std::string("could not load NVRTC: ") + dlerror());
  auto nvrtc = std::make_shared<Nvrtc>();
  auto const fail = [&](std::string const& why) {
    dlclose(handle);
    throw Error("ERR_NVRTC_MISSING", real + " cannot be used: " + why);
  };
#define LOAD(NAME)                                                                                        \
  nvrtc->functions.NAME = reinterpret_cast<decltype(nvrtc->functions.NAME)>(dlsym(handle, #NAME));        \
  if (!nvrtc->functions.NAME) fail("it is no NVRTC of CUDA 11.2 or later: it does not export " #NAME);
  LOAD(nvrtcVersion) LOAD(nvrtcGetErrorString) LOAD(nvrtcGetNumSupportedArchs) LOAD(nvrtcGetSupportedArchs) LOAD(nvrtcCreateProgram)
  LOAD(nvrtcDestroyProgram) LOAD(nvrtcAddNameExpression) LOAD(nvrtcCompileProgram) LOAD(nvrtcGetLoweredName) LOAD(nvrtcGetCUBINSize)
  LOAD(nvrtcGetCUBIN) LOAD(nvrtcGetProgramLogSize) LOAD(nvrtcGetProgramLog)
#undef LOAD
  int count = 0;
  if (nvrtc->functions.nvrtcVersion(&nvrtc->major, &nvrtc->minor) != 0) fail("nvrtcVersion failed");
  if (nvrtc->functions.nvrtcGetNumSupportedArchs(&count) != 0 || count < 0) fail("nvrtcGetNumSupportedArchs failed");
  nvrtc->architectures.resize(static_cast<size_t>(count));
  if (nvrtc->functions.nvrtcGetSupportedArchs(nvrtc->architectures.data()) != 0) fail("nvrtcGetSupportedArchs failed");
  // That of CUDA 13.0 does not look beside itself for its other half; it takes the one that is loaded.
  std::string const builtins = "libnvrtc-builtins.so." + std::to_string(nvrtc->major) + "." + std::to_string(nvrtc->minor);
  dlopen((real.substr(0, real.rfind('/') + 1) + builtins).c_str(), RTLD_NOW | RTLD_LOCAL);
  nvrtc->product = "NVRTC " + std::to_string(nvrtc->major) + "." + std::to_string(nvrtc->minor);
  loaded->emplace(real, nvrtc);
  return nvrtc;
}

CompiledKernel compile_kernel(Nvrtc const& nvrtc, KernelSource const& source) {
  auto const& f = nvrtc.functions;
  Compilation const program(nvrtc, source);
  for (auto const& name : source.names) check(nvrtc, f.nvrtcAddNameExpression(program.get(), name.c_str()), "nvrtcAddNameExpression");
  auto const options = pointers(source.options);
  nvrtcResult const result = f.nvrtcCompileProgram(program.get(), static_cast<int>(options.size()), options.data());
  CompiledKernel compiled;
  compiled.log = log_of(nvrtc, program.get());
  if (result == invalid_option || result == does_not_compile || result == unknown_name) return compiled;
  check(nvrtc, result, compiled.log.empty() ? "nvrtcCompileProgram" : ("nvrtcCompileProgram (" + compiled.log + ")").c_str());
  for (auto const& name : source.names) {
    char const* lowered = nullptr;
    check(nvrtc, f.nvrtcGetLoweredName(program.get(), name.c_str(), &lowered), ("nvrtcGetLoweredName of " + name).c_str());
    compiled.lowered.push_back(lowered);
  }
  size_t bytes = 0;
  check(nvrtc, f.nvrtcGetCUBINSize(program.get(), &bytes), "nvrtcGetCUBINSize");
  if (bytes == 0) throw Error("ERR_KERNEL", nvrtc.product + " made no machine code: --gpu-architecture must name an sm_ architecture");
  compiled.cubin.resize(bytes);
  check(nvrtc, f.nvrtcGetCUBIN(program.get(), compiled.cubin.data()), "nvrtcGetCUBIN");
  return compiled;
}

}  // namespace ntrt
