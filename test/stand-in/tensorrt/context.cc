// IExecutionContext: what is set and asked. enqueue.cc runs it.
#include "context.h"

#include <algorithm>

namespace standin {

namespace {

NAMED(VExecutionContext);

Context& of(void* f) { return self<Context>(f); }

int32_t find(void* f, char const* name) { return name ? of(f).plan.find(name) : -1; }
bool set_profile(void* f, int32_t profile, void*) {
  if (profile < 0 || static_cast<size_t>(profile) >= of(f).plan.profiles.size()) return false;
  return of(f).choose_profile(profile), true;
}
int32_t get_profile(void* f) { return of(f).profile; }
bool set_shape(void* f, char const* name, Dims const& dims) {
  Context& c = of(f);
  int32_t const input = find(f, name);
  if (input < 0 || c.plan.tensors[input].mode != 1) return false;
  for (int which : {0, 2}) {
    Dims const bound = c.plan.evaluate(c.plan.tensors[input], c.plan.in_profile(c.profile, which));
    for (int i = 0; i < dims.rank; i++) {
      if (dims.rank == bound.rank && (which ? dims.d[i] <= bound.d[i] : dims.d[i] >= bound.d[i])) continue;
      c.recorder.report(std::string("IExecutionContext::setInputShape: Error Code 3: API Usage Error (") + name + text_of(dims) + " is outside the profile)");
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
void* get_address(void* f, char const* name) {
  auto const found = of(f).addresses.find(find(f, name));
  return found == of(f).addresses.end() ? nullptr : found->second;
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
void* get_allocator(void* f, char const* name) {
  auto const found = of(f).allocators.find(find(f, name));
  return found == of(f).allocators.end() ? nullptr : found->second;
}
int64_t max_output_size(void* f, char const* name) {
  int32_t const tensor = find(f, name);
  Dims const dims = tensor < 0 ? Dims{-1, {}} : of(f).dims(tensor, true);
  return dims.rank < 0 || std::any_of(dims.d, dims.d + dims.rank, [](int64_t size) { return size < 0; }) ? -1 : static_cast<int64_t>(bytes_of(dims, of(f).plan.tensors[tensor].type));
}
bool all_specified(void* f) {
  std::vector<int32_t> missing;
  return of(f).check_shapes(&missing) && missing.empty();
}
bool enqueue(void* f, void* stream) { return of(f).enqueue(stream); }

// Memory
uint64_t size_for_shapes(void* f) {
  Context& c = of(f);
  return c.layout = Layout(c.plan, [&](int32_t i) { return c.dims(i, true); }), c.layout.bytes;
}
void set_memory_v2(void* f, void* memory, int64_t bytes) {
  if (of(f).strategy != kUSER_MANAGED) return of(f).recorder.report("IExecutionContext::setDeviceMemoryV2: Error Code 3: API Usage Error (the context has memory of its own)");
  of(f).given = memory, of(f).given_bytes = bytes;
}
void set_memory(void* f, void* memory) { set_memory_v2(f, memory, INT64_MAX); }

// What is told
void set_recorder(void* f, void* recorder) { of(f).recorder.set(recorder); }
void* get_recorder(void* f) { return of(f).recorder.get(); }
void set_profiler(void* f, void* profiler) { of(f).profiler = profiler; }
void* get_profiler(void* f) { return of(f).profiler; }
void set_emits(void* f, bool emits) { of(f).emits_profile = emits; }
bool get_emits(void* f) { return of(f).emits_profile; }
bool report(void* f) { return of(f).has_profile && of(f).report_layers(); }
bool set_listener(void* f, void* listener) { return of(f).listener = listener, true; }
void* get_listener(void* f) { return of(f).listener; }
bool set_debug(void* f, char const* name, bool on) {
  int32_t const tensor = find(f, name);
  if (tensor < 0 || !of(f).plan.tensors[tensor].debug) return false;
  if (on) of(f).debugged.insert(tensor);
  else of(f).debugged.erase(tensor);
  return true;
}
bool get_debug(void* f, char const* name) { return of(f).debugged.count(find(f, name)); }
bool set_all_debug(void* f, bool on) {
  for (auto const& tensor : of(f).plan.tensors) {
    if (tensor.debug) set_debug(f, tensor.name.c_str(), on);
  }
  return true;
}

// Streams and events
bool set_consumed(void* f, void* event) { return of(f).consumed = event, true; }
void* get_consumed(void* f) { return of(f).consumed; }
void set_aux(void* f, void* const* streams, int32_t count) { of(f).aux_streams.assign(streams, streams + std::min(count, nb_aux_streams())); }
void ignore_limit(void*, uint64_t) {}
bool ignore_verbosity(void*, int32_t) { return true; }

void* const* methods() {
  namespace s = slot::VExecutionContext;
  static void* const* const made = table<VExecutionContextName>(
      {at(s::setProfiler, &set_profiler), at(s::getProfiler, &get_profiler), at(s::setEnqueueEmitsProfile, &set_emits), at(s::getEnqueueEmitsProfile, &get_emits), at(s::reportToProfiler, &report),
       at(s::setOptimizationProfileAsync, &set_profile), at(s::getOptimizationProfile, &get_profile), at(s::setInputShape, &set_shape), at(s::getTensorShape, &get_shape), at(s::setTensorAddress, &set_address),
       at(s::setInputTensorAddress, &set_address), at(s::setOutputTensorAddress, &set_address), at(s::getTensorAddress, &get_address), at(s::getOutputTensorAddress, &get_address), at(s::inferShapes, &infer),
       at(s::allInputDimensionsSpecified, &all_specified), at(s::setOutputAllocator, &set_allocator), at(s::getOutputAllocator, &get_allocator), at(s::getMaxOutputSize, &max_output_size), at(s::enqueueV3, &enqueue),
       at(s::updateDeviceMemorySizeForShapes, &size_for_shapes), at(s::setDeviceMemoryV2, &set_memory_v2), at(s::setDeviceMemory, &set_memory), at(s::setErrorRecorder, &set_recorder), at(s::getErrorRecorder, &get_recorder),
       at(s::setDebugListener, &set_listener), at(s::getDebugListener, &get_listener), at(s::setTensorDebugState, &set_debug), at(s::getDebugState, &get_debug), at(s::setAllTensorsDebugState, &set_all_debug),
       at(s::setInputConsumedEvent, &set_consumed), at(s::getInputConsumedEvent, &get_consumed), at(s::setAuxStreams, &set_aux), at(s::setPersistentCacheLimit, &ignore_limit), at(s::setNvtxVerbosity, &ignore_verbosity)});
  return made;
}

}  // namespace

Context::Context(Engine& engine, int32_t strategy) : Handle(handle_table<Context>(), methods()), engine(engine), plan(engine.plan), recorder(&engine.recorder), strategy(strategy) {
  for (size_t i = 0; i < plan.layers.size(); i++) {
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
  engine.contexts++;
  choose_profile(0);
}

Context::~Context() {
  if (is_enqueuing) die("a context is destroyed while enqueueV3 runs");
  need_context();
  for (void* event : aux_events) {
    if (event) cuda().cuEventDestroy_v2(event);
  }
  engine.contexts--;
}

void Context::choose_profile(int32_t which) {
  if (profile != which) shapes.clear();
  profile = which, changed = true;
  for (int32_t input : plan.inputs) {
    Dims const dims = plan.evaluate(plan.tensors[input], [](Node const&) { return std::nullopt; });
    if (std::none_of(dims.d, dims.d + dims.rank, [](int64_t size) { return size < 0; })) shapes[input] = dims;
  }
  layout = Layout::of_profile(plan, which);
  size_t bytes = layout.bytes;
  if (strategy == kSTATIC) bytes = static_cast<size_t>(engine.memory_size());
  if (strategy == kUSER_MANAGED) return;
  need_context();
  own.reserve(bytes);
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
      recorder.report("IExecutionContext::inferShapes: Error Code 7: Internal Error (the shape of " + plan.tensors[i].name + " cannot be computed: " + text_of(d) + ")");
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
  auto const inside = layout.tensors.find(tensor);
  return inside == layout.tensors.end() ? nullptr : static_cast<char*>(activation()) + inside->second;
}

Handle* make_context(Engine& engine, int32_t strategy) {
  need_context();
  auto made = std::make_unique<Context>(engine, strategy);
  if (strategy != kUSER_MANAGED && !made->own.get()) {
    return engine.recorder.report("ICudaEngine::createExecutionContext: Error Code 2: OutOfMemory (Requested size was " + std::to_string(made->layout.bytes) + " bytes.)"), nullptr;
  }
  return made.release();
}

}  // namespace standin
