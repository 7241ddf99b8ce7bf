// A plugin's kernels alone, by the driver API, without TensorRT.
#include <algorithm>
#include <cstring>

#include "../core/job.h"
#include "../cuda/device.h"
#include "../cuda/memory.h"
#include "../cuda/stream.h"
#include "../plugin/failure.h"
#include "../plugin/objects.h"
#include "native_plugin.h"

namespace ntrt {

namespace {

class LaunchJob : public Job {
 public:
  struct Input {
    Dims dims;
    std::vector<uint8_t> bytes;
  };

  LaunchJob(int device, PluginParts parts, std::vector<Input> inputs, int32_t tactic) : device_(device), parts_(std::move(parts)), inputs_(std::move(inputs)), tactic_(tactic) {}

  void work() override {
    use_device(device_);
    try {
      launch();
    } catch (Error const& error) {
      if (error.code != "ERR_CUDA_CONTEXT_LOST") throw;
      lose_device(device_, error.what(), {});
    }
  }

  void launch() {
    auto const definition = std::make_shared<PluginDefinition const>(std::move(parts_));
    auto const& recipe = definition->recipe;
    check_inputs(recipe);
    Values values;
    std::vector<Dims const*> dims;
    for (auto const& input : inputs_) dims.push_back(&input.dims);
    values.evaluate(recipe, dims.data(), [&](uint32_t input, uint32_t element) { return integer_at(inputs_[input].bytes, recipe.inputs[input].dtype, element); });
    if (tactic_ < 0 || static_cast<size_t>(tactic_) >= recipe.tactics.size()) throw Error("ERR_PLUGIN", "there is no tactic " + std::to_string(tactic_));
    auto const workspace_bytes = make_launches(recipe, values, static_cast<uint32_t>(tactic_), definition->attributes()).workspace;

    // Each in an allocation of its own, so that compute-sanitizer sees what lies outside.
    std::vector<DeviceBuffer> input_memory(recipe.tensors()), output_memory(recipe.outputs.size());
    DeviceBuffer workspace;
    Stream const stream = Stream::create();
    // As TensorRT describes them: without shape inputs, with hidden outputs.
    std::vector<PluginTensorDesc> input_desc(recipe.tensors()), output_desc(recipe.outputs.size());
    std::vector<void const*> input_pointers;
    std::vector<void*> output_pointers;
    for (size_t i = 0; i < recipe.tensors(); i++) {
      input_desc[i] = {inputs_[i].dims, dtype_values[recipe.inputs[i].dtype], 0, 0};
      void* const memory = input_memory[i].reserve(inputs_[i].bytes.size());
      stream.to_device(memory, inputs_[i].bytes.data(), inputs_[i].bytes.size(), "copying an input to the GPU");
      input_pointers.push_back(memory);
    }
    for (size_t i = 0; i < recipe.outputs.size(); i++) {
      auto const& output = recipe.outputs[i];
      auto const shape = output_shape(recipe, values, i);
      auto& made = outputs_.emplace_back();
      made.shape = shape;
      made.bytes.resize(tensor_bytes(output.dtype, element_count(shape, "output '" + output.name + "'")));
      output_desc[i].type = dtype_values[output.dtype];
      output_desc[i].dims.rank = static_cast<int32_t>(shape.size());
      std::copy(shape.begin(), shape.end(), output_desc[i].dims.d);
      void* const memory = output_memory[i].reserve(made.bytes.size());
      // What no kernel writes is NaN or -1, not what an earlier run left there.
      if (!made.bytes.empty()) check_cuda(driver().cuMemsetD8Async(reinterpret_cast<CUdeviceptr>(memory), 0xff, made.bytes.size(), stream.get()), "filling an output");
      output_pointers.push_back(memory);
    }
    for (size_t i = 0; i < definition->hidden.count(); i++) {
      auto& desc = output_desc.emplace_back();
      desc.type = dtype_values[HiddenOutputs::dtype];
      for (uint32_t dim : definition->hidden.dims(i)) desc.dims.d[desc.dims.rank++] = values[dim];
      desc.dims.d[desc.dims.rank++] = 0;
      output_pointers.push_back(nullptr);
    }
    void* const scratch = workspace.reserve(workspace_bytes);
    run(definition, input_desc, output_desc, input_pointers, output_pointers, scratch, stream);
    for (size_t i = 0; i < outputs_.size(); i++) stream.to_host(outputs_[i].bytes.data(), output_pointers[i], outputs_[i].bytes.size(), "copying an output from the GPU");
    stream.synchronize("copying the outputs");
    trim(recipe, dims, values);
  }

  Napi::Value result(Napi::Env env) override {
    auto array = Napi::Array::New(env);
    for (auto const& output : outputs_) {
      auto item = Napi::Object::New(env);
      auto data = Napi::ArrayBuffer::New(env, output.bytes.size());
      if (!output.bytes.empty()) std::memcpy(data.Data(), output.bytes.data(), output.bytes.size());
      item.Set("shape", numbers(env, output.shape));
      item.Set("data", data);
      array.Set(array.Length(), item);
    }
    return array;
  }

 private:
  struct Output {
    std::vector<int64_t> shape;
    std::vector<uint8_t> bytes;
  };

  void check_inputs(Recipe const& recipe) const {
    if (inputs_.size() != recipe.inputs.size()) throw Error("ERR_PLUGIN", "expected " + std::to_string(recipe.inputs.size()) + " inputs, given " + std::to_string(inputs_.size()));
    for (size_t i = 0; i < inputs_.size(); i++) {
      auto const& [dims, bytes] = inputs_[i];
      std::string const title = "input '" + recipe.inputs[i].name + "'";
      if (dims.rank != recipe.inputs[i].rank) throw Error("ERR_PLUGIN", title + ": expected rank " + std::to_string(recipe.inputs[i].rank) + ", given " + std::to_string(dims.rank));
      uint64_t const expected = tensor_bytes(recipe.inputs[i].dtype, element_count({dims.d, dims.d + dims.rank}, title));
      if (bytes.size() != expected) throw Error("ERR_PLUGIN", title + ": expected " + std::to_string(expected) + " bytes, given " + std::to_string(bytes.size()));
    }
  }

  // An element of int32 or int64; nothing beyond the end.
  static std::optional<int64_t> integer_at(std::vector<uint8_t> const& bytes, uint8_t dtype, uint32_t index) {
    size_t const width = tensor_bytes(dtype, 1);
    if ((index + 1) * width > bytes.size()) return std::nullopt;
    int64_t wide = 0;
    int32_t narrow = 0;
    std::memcpy(width == 8 ? static_cast<void*>(&wide) : &narrow, bytes.data() + index * width, width);
    return width == 8 ? wide : narrow;
  }

  // Through the object that TensorRT would call.
  void run(std::shared_ptr<PluginDefinition const> const& definition, std::vector<PluginTensorDesc> const& inputs, std::vector<PluginTensorDesc> const& outputs,
           std::vector<void const*> const& input_memory, std::vector<void*> const& output_memory, void* workspace, Stream const& stream) {
    struct Disposed {
      PluginObject* plugin;
      ~Disposed() { plugin->dispose(); }
    } const owned{new PluginObject(definition)};
    auto* const runtime = static_cast<PluginRuntime*>(owned.plugin->getCapabilityInterface(2));
    take_failure();
    bool const done = runtime->setTactic(tactic_ + 1) == 0 && runtime->onShapeChange(inputs.data(), static_cast<int32_t>(inputs.size()), outputs.data(), static_cast<int32_t>(outputs.size())) == 0 &&
                      runtime->enqueue(inputs.data(), outputs.data(), input_memory.data(), output_memory.data(), workspace, stream.get()) == 0;
    auto const failure = take_failure();
    if (!done) throw failure ? *failure : Error("ERR_PLUGIN_RUN", definition->title() + " failed");
    try {
      stream.synchronize("running the kernels");
    } catch (Error const& error) {
      throw Error(error.code, definition->title() + ": " + error.what());
    }
  }

  // Cuts outputs to the sizes that the kernel wrote.
  void trim(Recipe const& recipe, std::vector<Dims const*> const& dims, Values const& upper) {
    std::vector<std::optional<int64_t>> sizes(recipe.outputs.size());
    for (auto const& one : recipe.expressions) {
      if (one.op != Expression::size) continue;
      int64_t const size = integer_at(outputs_[one.a].bytes, recipe.outputs[one.a].dtype, 0).value_or(-1);
      if (size < 0 || size > upper[one.c]) {
        throw Error("ERR_PLUGIN_RUN", "the kernel wrote a size of " + std::to_string(size) + " to '" + recipe.outputs[one.a].name + "': expected 0 to " + std::to_string(upper[one.c]));
      }
      sizes[one.a] = size;
    }
    Values values;
    values.evaluate(recipe, dims.data(), [&](uint32_t input, uint32_t element) { return integer_at(inputs_[input].bytes, recipe.inputs[input].dtype, element); }, &sizes);
    for (size_t i = 0; i < outputs_.size(); i++) {
      auto& output = outputs_[i];
      output.shape = output_shape(recipe, values, i);
      output.bytes.resize(std::min<size_t>(output.bytes.size(), tensor_bytes(recipe.outputs[i].dtype, element_count(output.shape, "output '" + recipe.outputs[i].name + "'"))));
    }
  }

  int const device_;
  PluginParts parts_;
  std::vector<Input> inputs_;
  int32_t const tactic_;
  std::vector<Output> outputs_;
};

}  // namespace

Napi::Value launch_recipe(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    std::vector<LaunchJob::Input> inputs;
    auto const list = argument(info, 2);
    for (uint32_t i = 0; i < list.list().Length(); i++) {
      auto& input = inputs.emplace_back();
      auto const shape = list.item(i).member("shape");
      uint32_t const rank = shape.list().Length();
      if (rank > 8) shape.refuse("at most 8 sizes");
      input.dims.rank = static_cast<int32_t>(rank);
      for (uint32_t k = 0; k < rank; k++) input.dims.d[k] = static_cast<int64_t>(shape.item(k).size());
      auto bytes = list.item(i).member("data").bytes();
      input.bytes.assign(bytes.Data(), bytes.Data() + bytes.ByteLength());
    }
    auto job = std::make_shared<LaunchJob>(argument(info, 0).integer(), read_native_plugin(argument(info, 1)), std::move(inputs), argument(info, 3).integer());
    return Job::start(info.Env(), job, Lane::engine);
  });
}

}  // namespace ntrt
