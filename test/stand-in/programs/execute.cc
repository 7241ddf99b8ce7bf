// Runs x [-1, 2] → identity, a debug tensor → relu → y as argv[2] says. Prints what was answered: a list of numbers, as JSON.
#include <unistd.h>

#include <atomic>

#include <thread>

#include "tensorrt.h"

using namespace program;
namespace c = slot::VExecutionContext;
namespace e = slot::VCudaEngine;

namespace {

std::vector<int64_t> out;
void say(int64_t value) { out.push_back(value); }

std::string build() {
  void* const builder = symbol<void* (*)(void*, int32_t)>("createInferBuilder_INTERNAL")(logger(), RELEASE);
  void* const network = call<void*>(builder, slot::VBuilder::createNetworkV2, uint32_t{2});
  Dims const shape = dims({-1, 2});
  void* const x = call<void*, char const*, int32_t, Dims const&>(network, slot::VNetworkDefinition::addInput, "x", 0, shape);
  void* const same = call<void*>(call<void*>(network, slot::VNetworkDefinition::addIdentity, x), slot::VLayer::getOutput, 0);
  call<void>(same, slot::VTensor::setName, "same");
  call<bool>(network, slot::VNetworkDefinition::markDebug, same);
  void* const y = call<void*>(call<void*>(network, slot::VNetworkDefinition::addActivation, same, 0), slot::VLayer::getOutput, 0);
  call<void>(y, slot::VTensor::setName, "y");
  call<void>(network, slot::VNetworkDefinition::markOutput, y);
  void* const config = call<void*>(builder, slot::VBuilder::createBuilderConfig);
  for (int64_t most : {4, 400}) {
    void* const profile = call<void*>(builder, slot::VBuilder::createOptimizationProfile);
    int64_t const bounds[] = {1, 2, most};
    for (int which = 0; which < 3; which++) call<bool, char const*, int32_t, Dims const&>(profile, slot::VOptimizationProfile::setDimensions, "x", which, dims({bounds[which], 2}));
    call<int32_t>(config, slot::VBuilderConfig::addOptimizationProfile, profile);
  }
  void* const memory = call<void*>(builder, slot::VBuilder::buildSerializedNetwork, network, config);
  if (!memory) standin::die("no engine");
  return {static_cast<char*>(call<void*>(memory, slot::VHostMemory::data)), call<uint64_t>(memory, slot::VHostMemory::size)};
}

bool enqueue(Execution const& run) { return call<bool>(run.context, c::enqueueV3, run.stream); }
int query(void* stream) { return driver<int (*)(void*)>("cuStreamQuery")(stream); }
int sync(void* stream) { return driver<int (*)(void*)>("cuStreamSynchronize")(stream); }

void hold(void* data) {
  while (!static_cast<std::atomic<bool>*>(data)->load()) usleep(100);
}

void later(void* engine) {
  Execution const run(engine, dims({1, 2}));
  run.enter();
  void* consumed = nullptr;
  driver<int (*)(void**, unsigned)>("cuEventCreate")(&consumed, 2);
  call<bool>(run.context, c::setInputConsumedEvent, consumed);
  std::atomic<bool> open{false};
  driver<int (*)(void*, void (*)(void*), void*)>("cuLaunchHostFunc")(run.stream, hold, &open);
  say(enqueue(run)), say(query(run.stream)), say(driver<int (*)(void*)>("cuEventQuery")(consumed));
  run.input()[0] = 5, run.input()[1] = -5;
  open = true;
  say(sync(run.stream)), say(driver<int (*)(void*)>("cuEventQuery")(consumed)), say(run.output()[0]), say(run.output()[1]);
}

void captured(void* engine) {
  Execution const run(engine, dims({1, 2}));
  run.enter();
  void *graph = nullptr, *exec = nullptr;
  driver<int (*)(void*, int)>("cuStreamBeginCapture_v2")(run.stream, 1);
  say(enqueue(run)), say(driver<int (*)(void*, void**)>("cuStreamEndCapture")(run.stream, &graph));
  driver<int (*)(void**, void*, uint64_t)>("cuGraphInstantiateWithFlags")(&exec, graph, 0);
  for (float value : {3.f, 4.f}) {
    run.input()[0] = value;
    driver<int (*)(void*, void*)>("cuGraphLaunch")(exec, run.stream), say(sync(run.stream)), say(run.output()[0]);
  }
}

// An object of the caller's: a pointer to a table.
void* object(std::initializer_list<standin::Entry> methods) {
  auto* const entries = new void*[16]{};
  for (auto const& method : methods) entries[method.slot] = method.function;
  return new void**(entries);
}

void told(void* engine) {
  Execution const run(engine, dims({2, 2}));
  run.enter();
  call<void>(run.context, c::setProfiler, object({standin::at(slot::IProfiler::reportLayerTime, +[](void*, char const*, float ms) { say(ms > 0); })}));
  say(enqueue(run)), say(query(run.stream));
  call<void>(run.context, c::setEnqueueEmitsProfile, false);
  say(enqueue(run)), sync(run.stream), say(call<bool>(run.context, c::reportToProfiler)), say(call<bool>(run.context, c::reportToProfiler));
  call<void>(run.context, c::setProfiler, static_cast<void*>(nullptr));
  auto const listen = [](void*, void const* address, int32_t location, int32_t type, Dims const& dims, char const* name, void*) {
    say(standin::is_device(address)), say(location), say(type), say(dims.d[0] * 10 + dims.d[1]), say(std::string(name) == "same");
    return true;
  };
  say(call<bool>(engine, e::isDebugTensor, "same"));
  call<bool>(run.context, c::setDebugListener, object({standin::at(slot::IDebugListener::processDebugTensor, +listen)}));
  say(enqueue(run)), call<bool>(run.context, c::setTensorDebugState, "same", true), say(enqueue(run)), sync(run.stream);
}

void recorded(void* engine) {
  namespace r = slot::IErrorRecorder;
  auto const report = [](void*, int32_t code, char const* text) { return say(code), say(std::string(text).find("Address is not set for tensor y") != std::string::npos), true; };
  void* const recorder = object({standin::at(r::reportError, +report), standin::at(r::incRefCount, +[](void*) { return say(111), 1; }), standin::at(r::decRefCount, +[](void*) { return say(-111), 0; })});
  Execution const run(engine, dims({2, 2}));
  call<void>(run.context, c::setErrorRecorder, recorder);
  call<bool>(run.context, c::setTensorAddress, "y", static_cast<void*>(nullptr));
  say(enqueue(run));
}

// A context without memory of its own.
void* without_memory(void* engine) {
  if (e::createRuntimeConfig < 0) return call<void*>(engine, e::createExecutionContext, 2);
  void* const config = call<void*>(engine, e::createRuntimeConfig);
  call<void>(config, slot::VRuntimeConfig::setExecutionContextAllocationStrategy, 2);
  return call<void*>(engine, e::createExecutionContextWithRuntimeConfig, config);
}

void share(Execution& run, void* engine, unsigned long long memory, int64_t bytes) {
  destroy(std::exchange(run.context, without_memory(engine)));
  call<bool, char const*, Dims const&>(run.context, c::setInputShape, "x", dims({2, 2}));
  call<bool>(run.context, c::setTensorAddress, "x", reinterpret_cast<void*>(run.x));
  call<bool>(run.context, c::setTensorAddress, "y", reinterpret_cast<void*>(run.y));
  if (memory) call<void>(run.context, c::setDeviceMemoryV2, reinterpret_cast<void*>(memory), bytes);
}

void memory(void* engine, bool both) {
  Execution first(engine, dims({2, 2})), second(engine, dims({2, 2}));
  first.enter();
  int64_t const all = call<int64_t>(engine, e::getDeviceMemorySizeV2);
  int64_t const small = call<int64_t>(engine, e::getDeviceMemorySizeForProfileV2, 0);
  say(call<int64_t>(engine, e::getDeviceMemorySizeForProfileV2, 1) == all), say(small > 0 && small < all);
  unsigned long long block = 0;
  driver<int (*)(unsigned long long*, size_t)>("cuMemAlloc_v2")(&block, small);
  share(first, engine, 0, 0), say(enqueue(first));
  share(first, engine, block, small - 1), say(enqueue(first));
  share(first, engine, block, small), share(second, engine, block, small);
  say(static_cast<int64_t>(call<uint64_t>(first.context, c::updateDeviceMemorySizeForShapes)) <= small);
  say(enqueue(first));
  if (!both) sync(first.stream);
  say(enqueue(second)), say(sync(second.stream)), sync(first.stream);
}

void threads(void* engine) {
  Execution const run(engine, dims({2, 2}));
  std::thread a([&] { enqueue(run); }), b([&] { enqueue(run); });
  a.join(), b.join();
}

}  // namespace

int main(int, char** argv) {
  library = dlopen(argv[1], RTLD_NOW);
  if (!library) standin::die(dlerror());
  std::string const which = argv[2], plan = build();
  void* const runtime = symbol<void* (*)(void*, int32_t)>("createInferRuntime_INTERNAL")(logger(), RELEASE);
  void* const engine = call<void*>(runtime, slot::VRuntime::deserializeCudaEngine, plan.data(), static_cast<uint64_t>(plan.size()));
  if (which == "later") later(engine);
  if (which == "captured") captured(engine);
  if (which == "told") told(engine);
  if (which == "recorded") recorded(engine);
  if (which == "memory") memory(engine, false);
  if (which == "overlap") memory(engine, true);
  if (which == "threads") threads(engine);
  std::string text;
  for (int64_t value : out) text += (text.empty() ? "" : ",") + std::to_string(value);
  std::printf("[%s]\n", text.c_str());
}
