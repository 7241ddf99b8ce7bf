// A C++ program as others write it: loads a library of plugins, an engine with input x [n] and output y [n] of float32, and runs it
// on two threads at once, 50 times each, with a context each and no CUDA context current. Prints one line of JSON.
#include <barrier>
#include <fstream>
#include <iterator>
#include <thread>

#include "tensorrt.h"

using namespace program;

namespace {

std::string run(void* engine, int64_t size, std::barrier<>& start) {
  Execution const execution(engine, dims({size}));
  start.arrive_and_wait();
  bool passed = true;
  for (int time = 0; time < 50; time++) {
    for (int64_t i = 0; i < size; i++) execution.input()[i] = static_cast<float>(i + time);
    passed = execution.enqueue() && passed;
  }
  std::string out = passed ? "[true" : "[false";
  for (int64_t i = 0; i < size; i++) out += "," + std::to_string(static_cast<int>(execution.output()[i]));
  return out + "]";
}

}  // namespace

int main(int count, char** argv) {
  if (count < 4) standin::die("expected TensorRT, a library of plugins and an engine");
  library = dlopen(argv[1], RTLD_NOW);
  if (!library) standin::die(dlerror());
  void* const runtime = symbol<void* (*)(void*, int32_t)>("createInferRuntime_INTERNAL")(logger(), RELEASE);
  void* const registry = call<void*>(runtime, slot::VRuntime::getPluginRegistry);
  void* const loaded = standin::invoke<void*>(registry, slot::IPluginRegistry::loadLibrary, argv[2]);
  std::ifstream file(argv[3], std::ios::binary);
  std::string const plan{std::istreambuf_iterator<char>(file), {}};
  void* const engine = call<void*>(runtime, slot::VRuntime::deserializeCudaEngine, plan.data(), static_cast<uint64_t>(plan.size()));
  std::string runs;
  if (engine) {
    std::string first, second;
    std::barrier start(2);
    std::thread a([&] { first = run(engine, 2, start); }), b([&] { second = run(engine, 3, start); });
    a.join(), b.join();
    runs = first + "," + second;
  }
  destroy(engine), destroy(runtime);
  std::string lines;
  for (auto const& line : *logger()->lines) lines += (lines.empty() ? "" : ",") + standin::quoted(line);
  std::printf("[%s,[%s],[%s]]\n", loaded ? "true" : "false", runs.c_str(), lines.c_str());
}
