// Builds, loads and runs a network with the plugin of hand.h. `HAND` names what the plugin does wrong. Prints one line of JSON.
#include <thread>

#include "../tensorrt/cuda.h"
#include "hand.h"
#include "tensorrt.h"

using namespace program;

namespace {

std::string list(std::vector<std::string> const& items) {
  std::string out;
  for (auto const& item : items) out += (out.empty() ? "" : ",") + item;
  return "[" + out + "]";
}

// Makes a context, runs it `times` with no CUDA context current at enqueue, and says what came out.
std::string run(void* engine, int64_t rows, int times) {
  Execution const execution(engine, dims({rows, 2}));
  float const data[] = {-3, 1, -5, 2, 4, -1, 0, 7};
  std::memcpy(execution.input(), data, sizeof data);
  bool passed = true;
  for (int i = 0; i < times; i++) passed = execution.enqueue() && passed;
  std::vector<std::string> items{passed ? "true" : "false"};
  for (int64_t i = 0; i < rows * 2; i++) items.push_back(std::to_string(static_cast<int>(execution.output()[i])));
  return list(items);
}

}  // namespace

int main(int, char** argv) {
  library = dlopen(argv[1], RTLD_NOW);
  if (!library) standin::die(dlerror());
  std::vector<std::string> out;
  auto* const global = symbol<void* (*)()>("getPluginRegistry")();
  auto const add = [&](void* registry, hand::Creator& creator, char const* space) { return standin::invoke<bool>(registry, slot::IPluginRegistry::registerCreator, &creator, space); };

  void* const builder = symbol<void* (*)(void*, int32_t)>("createInferBuilder_INTERNAL")(logger(), RELEASE);
  void* const network = call<void*>(builder, slot::VBuilder::createNetworkV2, uint32_t{2});
  Dims const shape = dims({-1, 2});
  void* const x = call<void*, char const*, int32_t, Dims const&>(network, slot::VNetworkDefinition::addInput, "x", 0, shape);
  auto* const original = new hand::Plugin;
  void* const inputs[] = {x};
  void* const layer = call<void*>(network, slot::VNetworkDefinition::addPluginV3, inputs, 1, static_cast<void* const*>(nullptr), 0, static_cast<void*>(original));
  bool const cloned = layer && standin::invoke<void*>(facet(layer, 1), slot::VPluginV3Layer::getPlugin) != original;
  delete original;  // at once
  std::string plan;
  if (layer) {
    call<void>(layer, slot::VLayer::setName, "one");
    void* const middle = call<void*>(layer, slot::VLayer::getOutput, 0);
    bool const known = call<Dims>(middle, slot::VTensor::getDimensions).rank == 2;
    void* const relu = known ? call<void*>(network, slot::VNetworkDefinition::addActivation, middle, 0) : nullptr;
    if (relu) {
      void* const y = call<void*>(relu, slot::VLayer::getOutput, 0);
      call<void>(y, slot::VTensor::setName, "y");
      call<void>(network, slot::VNetworkDefinition::markOutput, y);
      void* const config = call<void*>(builder, slot::VBuilder::createBuilderConfig);
      void* const profile = call<void*>(builder, slot::VBuilder::createOptimizationProfile);
      for (int which = 0; which < 3; which++) {
        Dims const bound = dims({1 << which, 2});
        call<bool, char const*, int32_t, Dims const&>(profile, slot::VOptimizationProfile::setDimensions, "x", which, bound);
      }
      call<int32_t>(config, slot::VBuilderConfig::addOptimizationProfile, profile);
      void* const memory = call<void*>(builder, slot::VBuilder::buildSerializedNetwork, network, config);
      if (memory) plan.assign(static_cast<char*>(call<void*>(memory, slot::VHostMemory::data)), call<uint64_t>(memory, slot::VHostMemory::size));
      destroy(memory), destroy(config);
    }
  }
  destroy(network), destroy(builder);
  out = {cloned ? "true" : "false", plan.empty() ? "false" : "true", std::to_string(hand::living)};
  std::vector<std::string> registered, results;
  if (!plan.empty()) {
    void* const runtime = symbol<void* (*)(void*, int32_t)>("createInferRuntime_INTERNAL")(logger(), RELEASE);
    auto const load = [&] { return call<void*>(runtime, slot::VRuntime::deserializeCudaEngine, plan.data(), static_cast<uint64_t>(plan.size())); };
    if (load()) standin::die("loaded without a creator");
    static hand::Creator creator("hand"), other("elsewhere"), same("hand");
    auto const answer = [&](bool taken) { registered.push_back(taken ? "true" : "false"); };
    // A namespace that is not the creator's own: found under neither.
    answer(add(global, other, "hand"));
    if (load()) standin::die("found under another namespace");
    standin::invoke<bool>(global, slot::IPluginRegistry::deregisterCreator, &other);
    void* const own = call<void*>(runtime, slot::VRuntime::getPluginRegistry);
    answer(add(own, creator, "hand"));
    answer(add(own, creator, "hand"));
    answer(add(own, same, "hand"));
    void* const engine = load();
    if (engine) {
      results.push_back(run(engine, 2, 2));
      std::string first, second;
      std::thread a([&] { first = run(engine, 3, 1); }), b([&] { second = run(engine, 4, 1); });
      a.join(), b.join();
      results.push_back(first), results.push_back(second);
    }
    destroy(engine), destroy(runtime);
  }
  out.push_back(list(registered)), out.push_back(list(results)), out.push_back(std::to_string(hand::living));
  std::vector<std::string> lines;
  for (auto const& line : *logger()->lines) lines.push_back(standin::quoted(line));
  out.push_back(list(lines));
  std::printf("%s\n", list(out).c_str());
}
