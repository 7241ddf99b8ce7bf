// What a plugin does at run time.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "failure.h"
#include "objects.h"

namespace ntrt {

namespace {

bool waits_for_launches() {
  static bool const waits = [] {
    char const* value = std::getenv("NODE_TENSORRT_PLUGIN_SYNC");
    return value && std::strcmp(value, "1") == 0;
  }();
  return waits;
}

bool is_same(Dims const& a, Dims const& b) { return a.rank == b.rank && std::equal(a.d, a.d + std::clamp(a.rank, 0, 8), b.d); }

// An output that updates an input has its size.
void check_copy(Recipe const& recipe, Launches::Copy const& copy, Dims const& input) {
  auto const& [name, dtype, rank, is_shape] = recipe.inputs[copy.input];
  uint64_t const bytes = tensor_bytes(dtype, element_count({input.d, input.d + std::clamp(input.rank, 0, 8)}, "input '" + name + "'"));
  if (bytes == copy.bytes) return;
  throw Error("ERR_PLUGIN_RUN", "output '" + recipe.outputs[copy.output].name + "' updates input '" + name + "' and has " + std::to_string(copy.bytes) + " bytes, not " + std::to_string(bytes));
}

}  // namespace

PluginRuntime::PluginRuntime(PluginObject& owner) : PluginCapability(table_of<PluginRuntime>(), owner) {}

int32_t PluginRuntime::setTactic(int32_t tactic) noexcept {
  return guard_callback([&] { return owner_.title(); }, -1, [&] {
    auto const count = static_cast<int32_t>(owner_.definition().recipe.tactics.size());
    if (tactic < 0 || tactic > count) throw Error("ERR_PLUGIN_RUN", "it has no tactic " + std::to_string(tactic));
    // 0 is the default.
    tactic_ = static_cast<uint32_t>(tactic ? tactic - 1 : 0);
    return 0;
  });
}

int32_t PluginRuntime::onShapeChange(PluginTensorDesc const* inputs, int32_t input_count, PluginTensorDesc const* outputs, int32_t output_count) noexcept {
  return guard_callback([&] { return owner_.title(); }, -1, [&] {
    auto const& definition = owner_.definition();
    prepared_.valid = false;
    if (input_count < static_cast<int32_t>(definition.recipe.tensors()) || output_count < static_cast<int32_t>(definition.recipe.outputs.size() + definition.hidden.count())) {
      throw Error("ERR_PLUGIN_RUN", "TensorRT describes " + std::to_string(input_count) + " inputs and " + std::to_string(output_count) + " outputs");
    }
    // What fails here fails in enqueue again, which TensorRT calls only to run.
    try {
      prepare(inputs, outputs);
    } catch (Error const&) {
    }
    return 0;
  });
}

bool PluginRuntime::is_prepared(PluginTensorDesc const* inputs, PluginTensorDesc const* outputs) const {
  if (!prepared_.valid || prepared_.tactic != tactic_) return false;
  size_t const tensors = owner_.definition().recipe.tensors();
  for (size_t i = 0; i < prepared_.dims.size(); i++) {
    if (!is_same(prepared_.dims[i], i < tensors ? inputs[i].dims : outputs[i - tensors].dims)) return false;
  }
  return true;
}

void PluginRuntime::prepare(PluginTensorDesc const* inputs, PluginTensorDesc const* outputs) {
  auto const& definition = owner_.definition();
  auto const& recipe = definition.recipe;
  size_t const tensors = recipe.tensors(), hidden = tensors + recipe.outputs.size();
  prepared_.valid = false;
  prepared_.dims.clear();
  for (size_t i = 0; i < tensors; i++) prepared_.dims.push_back(inputs[i].dims);
  for (size_t i = 0; i < recipe.outputs.size() + definition.hidden.count(); i++) prepared_.dims.push_back(outputs[i].dims);
  Dims const unknown;
  std::vector<Dims const*> dims(recipe.inputs.size(), &unknown);
  for (size_t i = 0; i < tensors; i++) dims[i] = &prepared_.dims[i];
  Values values;
  values.evaluate(recipe, dims.data(), definition.hidden.elements([&](size_t output) -> Dims const& { return prepared_.dims[hidden + output]; }));
  prepared_.launches = make_launches(recipe, values, tactic_, definition.attributes(), &prepared_.dims[tensors]);
  for (auto const& copy : prepared_.launches.copies) check_copy(recipe, copy, prepared_.dims[copy.input]);
  prepared_.tactic = tactic_;
  prepared_.context = nullptr;
  prepared_.functions.clear();
  prepared_.valid = true;
}

void PluginRuntime::find_functions(CUcontext context) {
  auto const& definition = owner_.definition();
  std::vector<CUfunction> functions;
  Cubin& cubin = definition.cubin();
  for (auto const& launch : prepared_.launches.list) {
    auto const& step = *launch.step;
    if (step.is_fill) {
      functions.push_back(nullptr);
      continue;
    }
    auto& function = definition.function(cubin, context, step.kernel);
    std::string const title = "kernel '" + definition.recipe.kernels[step.kernel].name + "': ";
    uint32_t const threads = launch.block[0] * launch.block[1] * launch.block[2];
    if (threads > static_cast<uint32_t>(function.most_threads)) {
      throw Error("ERR_PLUGIN_RUN", title + "block has " + std::to_string(threads) + " threads; by the registers that it needs, this kernel takes " + std::to_string(function.most_threads) + " at most");
    }
    try {
      cubin.allow_shared(function, launch.shared);
    } catch (Error const& error) {
      throw Error(error.code, title + error.what());
    }
    functions.push_back(function.handle);
  }
  prepared_.functions = std::move(functions);
  prepared_.context = context;
}

void PluginRuntime::launch(Launch& launch, CUfunction function, PluginMemory const& memory, CUstream stream) {
  auto const& d = driver();
  CUresult result = 0;
  if (launch.step->is_fill) {
    result = d.cuMemsetD8Async(reinterpret_cast<CUdeviceptr>(launch.target.in(memory)), launch.step->byte, launch.bytes, stream);
  } else {
    launch.set_addresses(memory);
    result = d.cuLaunchKernel(function, launch.grid[0], launch.grid[1], launch.grid[2], launch.block[0], launch.block[1], launch.block[2], launch.shared, stream, launch.addresses.data(), nullptr);
  }
  if (result == 0 && waits_for_launches()) {
    int capturing = 0;
    if (d.cuStreamIsCapturing) d.cuStreamIsCapturing(stream, &capturing);
    if (!capturing) result = d.cuStreamSynchronize(stream);
  }
  if (result == 0) return;
  std::string const what = launch.step->is_fill ? "a fill" : "kernel '" + owner_.definition().recipe.kernels[launch.step->kernel].name + "'";
  throw Error(is_sticky(result) ? "ERR_CUDA_CONTEXT_LOST" : "ERR_PLUGIN_RUN", what + " failed: " + describe_cuda(result));
}

void PluginRuntime::copy(Launches::Copy const& copy, PluginMemory const& memory, CUstream stream) {
  void const* const from = memory.inputs[copy.input];
  void* const to = memory.outputs[copy.output];
  if (from == to) return;
  auto const& d = driver();
  need(reinterpret_cast<void const*>(d.cuMemcpyDtoDAsync_v2), "cuMemcpyDtoDAsync");
  check_cuda(d.cuMemcpyDtoDAsync_v2(reinterpret_cast<CUdeviceptr>(to), reinterpret_cast<CUdeviceptr>(from), copy.bytes, stream), "copying an input to the output that updates it");
}

int32_t PluginRuntime::enqueue(PluginTensorDesc const* inputs, PluginTensorDesc const* outputs, void const* const* input_memory, void* const* output_memory, void* workspace, void* stream) noexcept {
  return guard_callback([&] { return owner_.title(); }, -1, [&] {
    PluginMemory const memory{input_memory, output_memory, workspace};
    ContextScope const scope(stream);
    if (!is_prepared(inputs, outputs)) prepare(inputs, outputs);
    for (auto const& one : prepared_.launches.copies) copy(one, memory, stream);
    auto& launches = prepared_.launches.list;
    if (launches.empty()) return 0;
    if (prepared_.context != scope.context()) find_functions(scope.context());
    for (size_t i = 0; i < launches.size(); i++) launch(launches[i], prepared_.functions[i], memory, stream);
    return 0;
  });
}

void* PluginRuntime::attachToContext(void*) noexcept {
  auto* const attached = static_cast<PluginObject*>(owner_.clone());
  // Kernels are loaded now where that is possible, and else by the first enqueue, whose errors count.
  try {
    CUcontext current = nullptr;
    auto const& d = driver();
    if (owner_.definition_ && d.cuCtxGetCurrent && d.cuCtxGetCurrent(&current) == 0 && current) {
      auto const& definition = *owner_.definition_;
      Cubin& cubin = definition.cubin();
      for (uint32_t i = 0; i < definition.recipe.kernels.size(); i++) definition.function(cubin, current, i);
    }
  } catch (...) {
  }
  return attached;
}

PluginFieldCollection const* PluginRuntime::getFieldsToSerialize() noexcept {
  return guard_callback([&] { return owner_.title(); }, static_cast<PluginFieldCollection const*>(nullptr), [&] { return &owner_.definition().fields(); });
}

}  // namespace ntrt
