// Modules, kernels and launches of the stand-in driver.
//
// STANDIN_KERNELS: libraries with kernels (kernel.h), separated by ':'. A kernel that is in none is recorded and does nothing.
// STANDIN_FAIL: "NAME:700@3": the third launch of kernel NAME (without template arguments) fails so when it runs;
// "NAME:launch" makes cuLaunchKernel itself fail.
#include <dlfcn.h>

#include <algorithm>
#include <sstream>

#include "../cubin.h"
#include "kernel.h"
#include "state.h"

namespace standin {

namespace {

std::string base_name(std::string const& name) { return name.substr(0, name.find('<')); }

using Function = int (*)(Launch const&);

Function function_of(std::string const& name) {
  static auto& known = *new std::map<std::string, Function>;
  std::string const symbol = "kernel_" + base_name(name);
  auto const found = known.find(symbol);
  if (found != known.end()) return found->second;
  std::stringstream paths(environment("STANDIN_KERNELS"));
  Function function = nullptr;
  for (std::string path; std::getline(paths, path, ':');) {
    if (path.empty()) continue;
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) die(std::string("STANDIN_KERNELS: ") + dlerror());
    if (void* address = dlsym(library, symbol.c_str())) function = reinterpret_cast<Function>(address);
  }
  return known[symbol] = function;
}

// What STANDIN_FAIL says of a launch: 0, an error when it runs, or -1: of the call.
int failure_of(Kernel const& kernel, int launch) {
  std::stringstream rules(environment("STANDIN_FAIL"));
  for (std::string rule; std::getline(rules, rule, ',');) {
    size_t const colon = rule.find(':');
    if (colon == std::string::npos || rule.substr(0, colon) != base_name(kernel.name)) continue;
    std::string const how = rule.substr(colon + 1);
    size_t const at = how.find('@');
    if (at != std::string::npos && std::stoi(how.substr(at + 1)) != launch) continue;
    return how.compare(0, 6, "launch") == 0 ? -1 : std::stoi(how);
  }
  return 0;
}

int parse(void const* image, Module& module) {
  int arch = 0;
  auto const kernels = cubin::read(image, &arch);
  if (!kernels) return invalid_image;
  // A cubin runs on its major capability, from its minor one on.
  if (arch / 10 != capability() / 10 || arch % 10 > capability() % 10) return no_binary_for_gpu;
  for (auto const& one : *kernels) {
    auto* const kernel = new Kernel;
    kernel->lowered = one.lowered;
    kernel->name = one.name;
    kernel->context = current();
    size_t offset = 0;
    for (size_t bytes : one.sizes) {
      offset = (offset + bytes - 1) / bytes * bytes;
      kernel->parameters.push_back({bytes, offset});
      offset += bytes;
    }
    module.kernels.push_back(kernel);
  }
  return success;
}

std::string hex(void const* bytes, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; i++) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char const*>(bytes)[i]);
    out += digits;
  }
  return out;
}

int check(Kernel const& kernel, unsigned const* grid, unsigned const* block, unsigned shared) {
  if (kernel.is_unloaded) die("kernel " + kernel.name + " is launched after its module was unloaded");
  if (kernel.context != current()) return invalid_handle;
  for (int i = 0; i < 3; i++) {
    if (grid[i] == 0 || block[i] == 0 || grid[i] > (i ? 65535u : 2147483647u) || block[i] > (i == 2 ? 64u : 1024u)) return invalid_value;
  }
  if (block[0] * block[1] * block[2] > 1024 || shared > static_cast<unsigned>(kernel.shared_limit)) return invalid_value;
  return failure_of(kernel, kernel.launches) < 0 ? launch_failed : success;
}

// Copies of a launch's arguments.
struct Arguments {
  std::vector<std::string> bytes;
  std::vector<void*> pointers;
  Arguments(Kernel const& kernel, void** args) {
    for (size_t i = 0; i < kernel.parameters.size(); i++) bytes.emplace_back(static_cast<char const*>(args[i]), kernel.parameters[i].size);
    for (auto& one : bytes) pointers.push_back(one.data());
  }
  Arguments(Arguments const&) = delete;
};

int execute(Kernel& kernel, Launch const& launch) {
  auto lock = locked();
  if (kernel.is_unloaded) die("kernel " + kernel.name + " runs after its module was unloaded");
  kernel.executions++;
  int const failure = failure_of(kernel, kernel.executions);
  Function const run = failure > 0 ? nullptr : function_of(kernel.name);
  lock.unlock();
  return failure > 0 ? failure : run ? run(launch) : success;
}

}  // namespace

}  // namespace standin

extern "C" {

int cuModuleLoadData(void** module, void const* image) {
  Line line("cuda", "cuModuleLoadData");
  line.flag("context", current());
  if (int const result = usable()) return line.number("result", result), result;
  if (std::strncmp(static_cast<char const*>(image), ".version", 8) == 0) return line.number("result", unsupported_ptx_version), unsupported_ptx_version;
  auto* const made = new Module;
  int const result = parse(image, *made);
  line.number("result", result);
  if (result) return result;
  auto const lock = locked();
  state().modules.insert(made);
  return *module = made, success;
}
int cuModuleLoadDataEx(void** module, void const* image, unsigned, int*, void**) { return cuModuleLoadData(module, image); }
int cuModuleUnload(void* module) {
  Line("cuda", "cuModuleUnload").flag("context", current());
  auto lock = locked();
  if (!state().modules.erase(static_cast<Module*>(module))) return invalid_handle;
  if (current()) wait_for(lock, current());
  // Kept, so that a later launch is noticed.
  for (Kernel* kernel : static_cast<Module*>(module)->kernels) kernel->is_unloaded = true;
  delete static_cast<Module*>(module);
  return success;
}
int cuModuleGetFunction(void** function, void* module, char const* name) {
  auto const lock = locked();
  if (!state().modules.count(static_cast<Module*>(module))) return invalid_handle;
  for (Kernel* kernel : static_cast<Module*>(module)->kernels) {
    if (kernel->lowered == name) return *function = kernel, success;
  }
  return not_found;
}
#ifndef WITHOUT_PARAM_INFO
int cuFuncGetParamInfo(void* function, size_t index, size_t* offset, size_t* size) {
  auto const& parameters = static_cast<Kernel*>(function)->parameters;
  if (index >= parameters.size()) return invalid_value;
  if (offset) *offset = parameters[index].offset;
  if (size) *size = parameters[index].size;
  return success;
}
#endif
int cuFuncSetAttribute(void* function, int attribute, int value) {
  constexpr int max_dynamic_shared = 8;
  if (int const result = usable()) return result;
  if (attribute != max_dynamic_shared || value > 227 * 1024) return invalid_value;
  static_cast<Kernel*>(function)->shared_limit = std::max(value, 48 * 1024);
  return success;
}
int cuFuncGetAttribute(int* value, int attribute, void* function) { return *value = attribute == 0 ? 1024 : attribute == 8 ? static_cast<Kernel*>(function)->shared_limit : 0, success; }

int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void* handle, void** args, void**) {
  auto& kernel = *static_cast<Kernel*>(function);
  auto const copies = std::make_shared<Arguments>(kernel, args);
  Launch const launch{kernel.name.c_str(), {gx, gy, gz}, {bx, by, bz}, shared, copies->pointers.data(), static_cast<int>(kernel.parameters.size())};
  std::string bytes;
  for (auto const& one : copies->bytes) bytes += (bytes.empty() ? "" : ",") + quoted(hex(one.data(), one.size()));
  auto lock = locked();
  std::shared_ptr<Stream> stream;
  int result = find_stream(handle, "cuLaunchKernel", stream);
  kernel.launches++;
  if (!result) result = check(kernel, launch.grid, launch.block, shared);
  Line("cuda", "cuLaunchKernel").text("kernel", kernel.name).flag("context", current()).list("grid", launch.grid).list("block", launch.block).number("shared", shared).flag("stream", handle).raw("args", "[" + bytes + "]").number("result", result);
  if (result) return result;
  return submit(lock, stream, {"cuLaunchKernel", [&kernel, launch, copies] { return execute(kernel, launch); }, {}});
}
}
