// The state of the stand-in driver.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "../common.h"

namespace standin {

enum Result {
  success = 0,
  invalid_value = 1,
  out_of_memory = 2,
  not_initialized = 3,
  invalid_image = 200,
  invalid_context = 201,
  no_binary_for_gpu = 209,
  invalid_ptx = 218,
  unsupported_ptx_version = 222,
  invalid_handle = 400,
  not_found = 500,
  illegal_address = 700,
  launch_failed = 719,
};

struct Context {
  int device = 0;
  int sticky = 0;   // an error that every later call reports
  int pending = 0;  // an error that the next synchronization finds
};

struct Stream {
  Context* context = nullptr;
};

struct Parameter {
  size_t size = 0;
  size_t offset = 0;
};

struct Kernel {
  std::string lowered;
  std::string name;
  std::vector<Parameter> parameters;
  int shared_limit = 48 * 1024;
  int launches = 0;
  Context* context = nullptr;
};

struct Module {
  std::vector<Kernel*> kernels;
};

struct State {
  std::recursive_mutex mutex;
  std::map<int, Context*> contexts;
  std::set<Stream*> streams;
  std::map<uint64_t, size_t> allocations;  // by device address
  std::set<Module*> modules;
};
State& state();

// The contexts of this thread, the current one last.
std::vector<Context*>& stack();
Context* current();

// 201 without a context, its sticky error, or success.
int usable();
// Whether [address, address + bytes) is inside one allocation.
bool is_allocated(uint64_t address, size_t bytes);
// Major * 10 + minor, from STANDIN_CAPABILITY ("9.0").
int capability();

}  // namespace standin

using namespace standin;
