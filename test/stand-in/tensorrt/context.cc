// IExecutionContext. Layers run one after another when enqueueV3 is called; other layers than plugins are computed here.
// STANDIN_NO_CONTEXT: plugins are called as on a thread without a CUDA context.
#include <algorithm>

#include "engine.h"

namespace standin {

namespace {

NAMED(VExecutionContext);

struct Context : Handle {
  Engine& engine;
  Plan const& plan;
  std::vector<std::unique_ptr<Plugin>> plugins;  // attached; null for other layers, and where attachToContext refused
  bool unusable = false;
  int32_t profile = 0;
  std::map<int32_t, Dims> shapes;        // of inputs
  std::map<int32_t, void*> addresses;    // of inputs and outputs
  std::map<int32_t, void*> allocators;   // IOutputAllocator
  std::map<int32_t, void*> allocated;    // what they gave
  std::map<int32_t, int64_t> sizes;      // what size tensors held
  std::vector<Memory> memory;            // per tensor
  Memory workspace;
  std::map<int32_t, int32_t> shares;     // an output inside the network: the input whose memory it has
  bool changed = true;
  explicit Context(Engine& engine);

  Leaf leaf(bool upper);
  Dims dims(int32_t tensor, bool upper, bool* failed = nullptr) { return plan.evaluate(plan.tensors[tensor], leaf(upper), failed); }
  bool check_shapes(std::vector<int32_t>* missing);
  void* address(int32_t tensor);
  bool enqueue(void* stream);
  bool run(size_t layer, void* stream);
  bool run_plugin(size_t layer, void* stream);
  void compute(PlanLayer const& layer);
  bool allocate(int32_t output, void* stream);
  void notify(int32_t output);
};

Context& of(void* f) { return self<Context>(f); }

bool fail(std::string const& text) { return log(error, "IExecutionContext::enqueueV3: " + text), false; }

// IExecutionContext
int32_t find(void* f, char const* name) { return name ? of(f).plan.find(name) : -1; }
bool set_profile(void* f, int32_t profile, void*) {
  if (profile < 0 || static_cast<size_t>(profile) >= of(f).plan.profiles.size()) return false;
  return of(f).profile = profile, of(f).changed = true, true;
}
bool set_shape(void* f, char const* name, Dims const& dims) {
  Context& c = of(f);
  int32_t const input = find(f, name);
  if (input < 0 || c.plan.tensors[input].mode != 1) return false;
  for (int which : {0, 2}) {
    Dims const bound = c.plan.evaluate(c.plan.tensors[input], c.plan.in_profile(c.profile, which));
    for (int i = 0; i < dims.rank; i++) {
      if (dims.rank == bound.rank && (which ? dims.d[i] <= bound.d[i] : dims.d[i] >= bound.d[i])) continue;
      log(error, std::string("IExecutionContext::setInputShape: Error Code 3: API Usage Error (") + name + text_of(dims) + " is outside the profile)");
      return false;
    }
  }
  // The same shape set again changes nothing.
  auto const known = c.shapes.find(input);
  if (known == c.shapes.end() || !(known->second == dims)) c.changed = true;
  c.shapes[input] = dims;
  return true;
}
Dims get_shape(void* f, char const* name) {
  Dims none;
  none.rank = -1;
  int32_t const tensor = find(f, name);
  if (tensor < 0) return none;
  // Sizes that depend on data stay unknown, also after a run.
  return of(f).plan.evaluate(of(f).plan.tensors[tensor], [f](Node const& node) { return node.kind == Node::size ? std::nullopt : of(f).leaf(false)(node); });
}
bool set_address(void* f, char const* name, void* address) {
  int32_t const tensor = find(f, name);
  if (tensor < 0) return false;
  return of(f).addresses[tensor] = address, true;
}
int32_t infer(void* f, int32_t count, char const** names) {
  std::vector<int32_t> missing;
  if (!of(f).check_shapes(&missing)) return -1;
  for (size_t i = 0; i < missing.size() && i < static_cast<size_t>(count); i++) names[i] = of(f).plan.tensors[missing[i]].name.c_str();
  return static_cast<int32_t>(missing.size());
}
bool set_allocator(void* f, char const* name, void* allocator) {
  int32_t const tensor = find(f, name);
  if (tensor < 0) return false;
  if (allocator) of(f).allocators[tensor] = allocator;
  else of(f).allocators.erase(tensor);
  return true;
}
bool enqueue(void* f, void* stream) { return of(f).enqueue(stream); }
void ignore_profiler(void*, void*) {}
void ignore_flag(void*, bool) {}

void* const* methods() {
  namespace s = slot::VExecutionContext;
  static void* const* const made = table<VExecutionContextName>(
      {at(s::setProfiler, &ignore_profiler), at(s::setEnqueueEmitsProfile, &ignore_flag), at(s::setOptimizationProfileAsync, &set_profile), at(s::setInputShape, &set_shape), at(s::getTensorShape, &get_shape),
       at(s::setTensorAddress, &set_address), at(s::setInputTensorAddress, &set_address), at(s::inferShapes, &infer), at(s::setOutputAllocator, &set_allocator), at(s::enqueueV3, &enqueue)});
  return made;
}

Context::Context(Engine& engine) : Handle(handle_table<Context>(), methods()), engine(engine), plan(engine.plan), memory(engine.plan.tensors.size()) {
  need_context();
  int64_t most = 0;
  for (size_t i = 0; i < plan.layers.size(); i++) {
    most = std::max(most, plan.layers[i].workspace);
    auto& attached = plugins.emplace_back();
    if (!engine.plugins[i]) continue;
    if (engine.plugins[i]->set_tactic(plan.layers[i].tactic)) unusable = true;
    attached = engine.plugins[i]->attach(resource_context());
    if (!attached) unusable = true;
  }
  for (auto const& layer : plan.layers) {
    for (size_t i = 0; i < layer.aliases.size(); i++) {
      if (layer.aliases[i] >= 0 && plan.tensors[layer.outputs[i]].mode == 0) shares[layer.outputs[i]] = layer.inputs[layer.aliases[i]];
    }
  }
  if (most) workspace.reserve(static_cast<size_t>(most));
  for (size_t i = 0; i < plan.tensors.size(); i++) {
    size_t bytes = 0;
    for (size_t p = 0; p < plan.profiles.size(); p++) {
      Dims const dims = plan.evaluate(plan.tensors[i], plan.in_profile(p, 2));
      if (volume(dims) >= 0) bytes = std::max(bytes, bytes_of(dims, plan.tensors[i].type));
    }
    memory[i].reserve(bytes);
  }
  for (int32_t input : plan.inputs) {
    Dims const dims = plan.evaluate(plan.tensors[input], [](Node const&) { return std::nullopt; });
    if (std::none_of(dims.d, dims.d + dims.rank, [](int64_t size) { return size < 0; })) shapes[input] = dims;
  }
}

Leaf Context::leaf(bool upper) {
  return [this, upper](Node const& node) -> std::optional<int64_t> {
    if (node.kind == Node::size) {
      if (upper) return plan.evaluate(static_cast<int32_t>(node.value), leaf(true));
      auto const known = sizes.find(node.a);
      return known == sizes.end() ? std::nullopt : std::optional(known->second);
    }
    if (node.kind == Node::dim) {
      auto const known = shapes.find(node.a);
      return known == shapes.end() ? std::nullopt : std::optional(known->second.d[node.b]);
    }
    auto const known = addresses.find(node.a);
    if (known == addresses.end() || !known->second) return std::nullopt;
    return static_cast<int64_t>(element(known->second, plan.tensors[node.a].type, node.b));
  };
}

bool Context::check_shapes(std::vector<int32_t>* missing) {
  for (int32_t input : plan.inputs) {
    auto const address = addresses.find(input);
    if (!shapes.count(input) || (plan.tensors[input].on_host && (address == addresses.end() || !address->second))) missing->push_back(input);
  }
  if (!missing->empty()) return true;
  bool failed = false;
  for (size_t i = 0; i < plan.tensors.size(); i++) {
    Dims const d = dims(static_cast<int32_t>(i), true, &failed);
    for (int k = 0; k < d.rank; k++) {
      if (d.d[k] >= 0 && !failed) continue;
      log(error, "IExecutionContext::inferShapes: Error Code 7: Internal Error (the shape of " + plan.tensors[i].name + " cannot be computed: " + text_of(d) + ")");
      return false;
    }
  }
  return true;
}

void* Context::address(int32_t tensor) {
  // Where the caller bound two addresses to an alias, nothing is copied. Memory of TensorRT's own is shared.
  if (auto const found = shares.find(tensor); found != shares.end()) return address(found->second);
  if (allocators.count(tensor)) return allocated[tensor];
  auto const bound = addresses.find(tensor);
  if (bound != addresses.end() && bound->second) return bound->second;
  return memory[tensor].get();
}

bool Context::enqueue(void* stream) {
  if (unusable) return fail("Error Code 2: Internal Error (a plugin could not be attached to this context)");
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
  void* current = nullptr;
  bool const hides = !environment("STANDIN_NO_CONTEXT").empty();
  if (hides) cuda().cuCtxGetCurrent(&current), cuda().cuCtxSetCurrent(nullptr);
  bool passed = true;
  std::vector<std::pair<std::vector<TensorDesc>, std::vector<TensorDesc>>> descs(plan.layers.size());
  for (size_t i = 0; passed && changed && i < plan.layers.size(); i++) {
    if (!plugins[i]) continue;
    auto& [in, out] = descs[i];
    for (int32_t input : plan.layers[i].tensors()) in.push_back({dims(input, true), plan.tensors[input].type});
    for (int32_t output : plan.layers[i].outputs) out.push_back({dims(output, false), plan.tensors[output].type});
    if (plugins[i]->shape_change(in, out)) passed = fail("Error Code 2: Internal Error (Assertion pluginUtils::isSuccess(status) failed. )");
  }
  if (passed) changed = false;
  for (int32_t output : plan.outputs) passed = passed && allocate(output, stream);
  for (size_t i = 0; passed && i < plan.layers.size(); i++) passed = run(i, stream);
  for (int32_t output : plan.outputs) {
    if (passed) notify(output);
  }
  if (hides) cuda().cuCtxSetCurrent(current);
  return passed;
}

bool Context::run(size_t index, void* stream) {
  if (plugins[index]) return run_plugin(index, stream);
  compute(plan.layers[index]);
  return true;
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
  if (plugins[index]->enqueue(in, out, inputs, outputs, layer.workspace ? workspace.get() : nullptr, stream)) {
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

void Context::compute(PlanLayer const& layer) {
  int32_t const output = layer.outputs[0];
  bool const has_input = !layer.inputs.empty();
  standin::compute(layer, dims(output, false), has_input ? plan.tensors[layer.inputs[0]].type : 0, has_input ? on_host(address(layer.inputs[0])) : nullptr, plan.tensors[output].type, on_host(address(output)));
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

}  // namespace

Handle* make_context(Engine& engine) { return new Context(engine); }

}  // namespace standin
