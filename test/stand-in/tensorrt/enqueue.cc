// enqueueV3. What layers compute is put onto the stream; plugins put theirs there themselves.
// STANDIN_NO_CONTEXT: plugins are called as on a thread without a CUDA context. STANDIN_FAIL_ENQUEUE: "3": the third enqueueV3 of the process fails;
// "3:crash": it crashes. STANDIN_SYNC_ENQUEUE: it waits for its stream, as some plugins do.
// STANDIN_ENQUEUE_US: how long enqueueV3 takes. STANDIN_COMPUTE_US: how long its work takes on the stream. "5", or "NAME:5,OTHER:7" by engine.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "context.h"

namespace standin {

namespace {

void wait(int64_t microseconds) {
  if (microseconds > 0) std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

bool is_to_fail() {
  static std::atomic<int> enqueues{0};
  std::string const which = environment("STANDIN_FAIL_ENQUEUE");
  int const number = ++enqueues;
  if (which.empty() || std::stoi(which) != number) return false;
  if (which.find("crash") != std::string::npos) std::raise(SIGSEGV);
  return true;
}

constexpr char refused[] = "Error Code 1: Cuda Driver (the stream takes no work)";

}  // namespace

bool Context::check_memory() {
  if (strategy != kUSER_MANAGED) return true;
  if (!given) return fail("Error Code 3: API Usage Error (setDeviceMemoryV2 was not called)");
  if (reinterpret_cast<uint64_t>(given) % 256) return fail("Error Code 3: API Usage Error (the memory is not aligned to 256 bytes)");
  if (given_bytes < static_cast<int64_t>(layout.bytes)) return fail("Error Code 3: API Usage Error (the memory has " + std::to_string(given_bytes) + " bytes, " + std::to_string(layout.bytes) + " are needed)");
  return true;
}

bool Context::check() {
  if (unusable) return fail("Error Code 2: Internal Error (a plugin could not be attached to this context)");
  if (is_to_fail()) return fail("Error Code 2: Internal Error (STANDIN_FAIL_ENQUEUE)");
  std::vector<int32_t> missing;
  sizes.clear();
  if (!check_shapes(&missing) || !missing.empty()) return fail("Error Code 3: API Usage Error (not all shapes are specified)");
  for (auto const* list : {&plan.inputs, &plan.outputs}) {
    for (int32_t tensor : *list) {
      auto const bound = addresses.find(tensor);
      if (allocators.count(tensor) || (bound != addresses.end() && bound->second)) continue;
      return fail("Error Code 3: API Usage Error (Address is not set for tensor " + plan.tensors[tensor].name + ")");
    }
  }
  return check_memory();
}

bool Context::enqueue(void* stream) {
  if (is_enqueuing.exchange(true)) die("enqueueV3 of one context on two threads at once");
  struct Done {
    std::atomic<bool>& flag;
    ~Done() { flag = false; }
  } const done{is_enqueuing};
  wait(microseconds("STANDIN_ENQUEUE_US", plan.name));
  if (!check()) return false;
  void* current = nullptr;
  bool const hides = !environment("STANDIN_NO_CONTEXT").empty();
  if (hides) cuda().cuCtxGetCurrent(&current), cuda().cuCtxSetCurrent(nullptr);
  void* const memory = activation();
  std::string const name = plan.name;
  size_t const bytes = layout.bytes;
  int64_t const time = microseconds("STANDIN_COMPUTE_US", name);
  auto const log_that = [name](char const* what) { Line("tensorrt", what).text("engine", name); };
  auto* const pending = &engine.pending;
  auto const begin = [=] { ++*pending, log_that("begins"), begin_use(memory, bytes, name), wait(time); };
  bool passed = tell_shapes();
  if (passed && !environment("STANDIN_SYNC_ENQUEUE").empty() && cuda().cuStreamSynchronize(stream)) passed = fail("Error Code 1: Cuda Runtime (in waiting for the stream)");
  if (passed && !on_stream(stream, begin, {memory})) passed = fail(refused);
  if (passed) {
    passed = use_aux_streams(stream) && run_layers(stream);
    // Also after a failure: what was put onto the stream uses the memory until then.
    if (!on_stream(stream, [=] { end_use(memory), log_that("ends"), --*pending; }, {memory}) && passed) passed = fail(refused);
  }
  if (passed && consumed && cuda().cuEventRecord(consumed, stream)) passed = fail(refused);
  if (passed && profiler) {
    has_profile = true;
    if (emits_profile) passed = cuda().cuStreamSynchronize(stream) == 0 ? report_layers() : fail("Error Code 1: Cuda Runtime (in waiting for the times of layers)");
  }
  if (hides) cuda().cuCtxSetCurrent(current);
  return passed;
}

bool Context::tell_shapes() {
  for (size_t i = 0; changed && i < plan.layers.size(); i++) {
    if (!plugins[i]) continue;
    std::vector<TensorDesc> in, out;
    for (int32_t input : plan.layers[i].tensors()) in.push_back({dims(input, true), plan.tensors[input].type});
    for (int32_t output : plan.layers[i].outputs) out.push_back({dims(output, false), plan.tensors[output].type});
    if (plugins[i]->shape_change(in, out)) return fail("Error Code 2: Internal Error (Assertion pluginUtils::isSuccess(status) failed. )");
  }
  return changed = false, true;
}

// Work of its own on each, between the stream's work before and after.
bool Context::use_aux_streams(void* stream) {
  if (aux_streams.empty()) return true;
  constexpr unsigned disable_timing = 2;
  for (void*& event : aux_events) {
    if (!event && cuda().cuEventCreate(&event, disable_timing)) return fail("Error Code 1: Cuda Driver (no event)");
  }
  bool passed = cuda().cuEventRecord(aux_events[0], stream) == 0;
  for (void* aux : aux_streams) {
    passed = passed && cuda().cuStreamWaitEvent(aux, aux_events[0], 0) == 0 && on_stream(aux, [] {}, {activation()});
    passed = passed && cuda().cuEventRecord(aux_events[1], aux) == 0 && cuda().cuStreamWaitEvent(stream, aux_events[1], 0) == 0;
  }
  return passed || fail("Error Code 1: Cuda Driver (an auxiliary stream takes no work)");
}

bool Context::run_layers(void* stream) {
  for (int32_t output : plan.outputs) {
    if (!allocate(output, stream)) return false;
  }
  for (size_t i = 0; i < plan.layers.size(); i++) {
    if (!(plugins[i] ? run_plugin(i, stream) : compute(plan.layers[i], stream))) return false;
    show(plan.layers[i], stream);
  }
  for (int32_t output : plan.outputs) notify(output);
  return true;
}

bool Context::report_layers() {
  has_profile = false;
  // Made up, and longer for each layer.
  float time = 0;
  for (auto const& layer : plan.layers) invoke<void, char const*, float>(profiler, slot::IProfiler::reportLayerTime, layer.name.c_str(), time += 0.25f);
  return true;
}

// Called before the layer has run: what a listener does on the stream comes after it.
void Context::show(PlanLayer const& layer, void* stream) {
  for (int32_t output : layer.outputs) {
    if (!listener || !debugged.count(output)) continue;
    auto const& tensor = plan.tensors[output];
    bool const passed = invoke<bool, void const*, int32_t, int32_t, Dims const&, char const*, void*>(listener, slot::IDebugListener::processDebugTensor, address(output), tensor.on_host, tensor.type, dims(output, false), tensor.name.c_str(), stream);
    if (!passed) recorder.report("IExecutionContext::enqueueV3: Error Code 2: Internal Error (processDebugTensor of " + tensor.name + " returned false)");
  }
}

bool Context::run_plugin(size_t index, void* stream) {
  auto const& layer = plan.layers[index];
  std::vector<TensorDesc> in, out;
  std::vector<void const*> inputs;
  std::vector<void*> outputs;
  for (int32_t input : layer.tensors()) {
    in.push_back({dims(input, false), plan.tensors[input].type});
    inputs.push_back(address(input));
  }
  for (size_t i = 0; i < layer.outputs.size(); i++) {
    int32_t const output = layer.outputs[i];
    // A size that the plugin is to find is unknown: -1.
    out.push_back({dims(output, false), plan.tensors[output].type});
    outputs.push_back(address(output));
  }
  if (plugins[index]->enqueue(in, out, inputs, outputs, layer.workspace ? static_cast<char*>(activation()) + layout.workspace : nullptr, stream)) {
    return fail("Error Code 2: Internal Error (Assertion pluginUtils::isSuccess(status) failed. )");
  }
  // Size tensors are read back; this waits for the stream.
  for (Node const& node : plan.nodes) {
    if (node.kind != Node::size || std::find(layer.outputs.begin(), layer.outputs.end(), node.a) == layer.outputs.end()) continue;
    if (cuda().cuStreamSynchronize(stream)) return fail("Error Code 1: Cuda Runtime (in reading a size tensor)");
    int64_t const size = static_cast<int64_t>(element(on_host(address(node.a)), plan.tensors[node.a].type, 0));
    auto const upper = plan.evaluate(static_cast<int32_t>(node.value), leaf(true));
    if (size < 0 || size > *upper) return fail("Error Code 7: Internal Error (size tensor " + plan.tensors[node.a].name + " holds " + std::to_string(size) + ", outside [0, " + std::to_string(*upper) + "])");
    sizes[node.a] = size;
  }
  return true;
}

bool Context::compute(PlanLayer const& layer, void* stream) {
  int32_t const output = layer.outputs[0];
  int32_t const input = layer.inputs.empty() ? -1 : layer.inputs[0];
  Dims const shape = dims(output, false);
  void* const to = address(output);
  void* const from = input < 0 ? nullptr : address(input);
  int32_t const from_type = input < 0 ? 0 : plan.tensors[input].type, to_type = plan.tensors[output].type;
  auto const work = [=] { standin::compute(layer, shape, from_type, from ? on_host(from) : nullptr, to_type, on_host(to)); };
  return on_stream(stream, work, {to, from}) || fail(refused);
}

// Asked for memory of the upper bound's size before the first layer runs.
bool Context::allocate(int32_t output, void* stream) {
  auto const found = allocators.find(output);
  if (found == allocators.end()) return true;
  size_t const bytes = bytes_of(dims(output, true), plan.tensors[output].type);
  void* const given = invoke<void*>(found->second, slot::IOutputAllocator::reallocateOutputAsync, plan.tensors[output].name.c_str(), static_cast<void*>(nullptr), static_cast<uint64_t>(bytes), uint64_t{256}, stream);
  if (!given && bytes) return fail("Error Code 2: Internal Error (the output allocator of " + plan.tensors[output].name + " returned null)");
  return allocated[output] = given, true;
}

void Context::notify(int32_t output) {
  auto const found = allocators.find(output);
  if (found != allocators.end()) invoke<void, char const*, Dims const&>(found->second, slot::IOutputAllocator::notifyShape, plan.tensors[output].name.c_str(), dims(output, false));
}

}  // namespace standin
