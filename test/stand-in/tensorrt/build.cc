// Building: every plugin is cloned, asked for formats, configured, timed if it has tactics, and its fields are taken.
#include "build.h"

#include <algorithm>

#include "cuda.h"
#include "refit.h"

namespace standin {

namespace {

DynamicDesc describe(Plan const& plan, int32_t index, size_t profile) {
  PlanTensor const& tensor = plan.tensors[index];
  DynamicDesc desc;
  desc.desc.type = tensor.type;
  desc.desc.dims = plan.evaluate(tensor, [](Node const&) { return std::nullopt; });
  desc.min = plan.evaluate(tensor, plan.in_profile(profile, 0));
  desc.opt = plan.evaluate(tensor, plan.in_profile(profile, 1));
  desc.max = plan.evaluate(tensor, plan.in_profile(profile, 2));
  return desc;
}

Descs describe(Plan const& plan, PlanLayer const& layer, size_t profile) {
  Descs descs;
  for (int32_t input : layer.tensors()) descs.inputs.push_back(describe(plan, input, profile));
  for (int32_t output : layer.outputs) descs.outputs.push_back(describe(plan, output, profile));
  return descs;
}

void fail(std::string const& text) { log(error, "IBuilder::buildSerializedNetwork: " + text); }

class Building {
 public:
  Building(Network& network, Config& config) : network_(network), config_(config), plan_(network.plan) {
    if (config.timing_cache) timings_ = config.timing_cache->entries;
  }
  ~Building() {
    if (config_.timing_cache) config_.timing_cache->entries = timings_;
  }

  std::optional<std::string> run() {
    need_context();
    if (!add_profiles()) return std::nullopt;
    for (auto const& layer : network_.layers) {
      if (layer->plugin && !layer->network.tensors[layer->plan().outputs[0]]->has_dims && !infer_shapes(*layer)) return std::nullopt;
    }
    plan_ = network_.plan;
    constexpr int weight_streaming = RELEASE < 110000 ? 21 : 20;
    plan_.streams_weights = config_.flags.count(weight_streaming);
    if (!add_profiles()) return std::nullopt;
    for (size_t i = 0; i < plan_.tensors.size(); i++) {
      uint32_t const allowed = network_.tensors[i]->formats;
      while (allowed && !(allowed >> plan_.tensors[i].format & 1)) plan_.tensors[i].format++;
    }
    for (size_t i = 0; i < plan_.tensors.size(); i++) plan_.tensors[i].on_host = network_.is_shape(static_cast<int32_t>(i));
    monitor_start();
    for (size_t i = 0; i < plan_.layers.size(); i++) {
      if (network_.layers[i]->plugin && !add_plugin(*network_.layers[i]->plugin, plan_.layers[i])) return monitor_end(), std::nullopt;
      if (config_.monitor && !invoke<bool>(config_.monitor, slot::IProgressMonitor::stepComplete, "Building Engine", static_cast<int32_t>(i))) return monitor_end(), std::nullopt;
    }
    monitor_end();
    set_refittable();
    return plan_.write();
  }

 private:
  bool has(int trt10, int trt11) const { return config_.flags.count(RELEASE < 110000 ? trt10 : trt11); }

  // Stripping alone means kREFIT_IDENTICAL.
  void set_refittable() {
    bool const refit = has(4, 4), identical = has(20, 19), individual = has(23, 22), stripped = has(19, 18);
    for (auto& layer : plan_.layers) {
      if (layer.type != kCONSTANT) continue;
      if (layer.weight.empty()) layer.weight = layer.name + " CONSTANT";
      layer.refittable = individual ? network_.refittable.count(layer.weight) > 0 : refit || identical || stripped;
    }
    if (stripped) strip(plan_);
  }

  void monitor_start() {
    if (config_.monitor) invoke<void>(config_.monitor, slot::IProgressMonitor::phaseStart, "Building Engine", static_cast<char const*>(nullptr), static_cast<int32_t>(plan_.layers.size()));
  }
  void monitor_end() {
    if (config_.monitor) invoke<void>(config_.monitor, slot::IProgressMonitor::phaseFinish, "Building Engine");
  }

  bool add_profiles() {
    plan_.profiles.clear();
    for (auto* profile : config_.profiles) plan_.profiles.push_back(profile->ranges);
    if (plan_.profiles.empty()) plan_.profiles.emplace_back();
    for (auto const& profile : plan_.profiles) {
      for (int32_t input : plan_.inputs) {
        auto const& tensor = plan_.tensors[input];
        bool const dynamic = std::any_of(tensor.dims.begin(), tensor.dims.end(), [&](int32_t node) { return plan_.nodes[node].kind != Node::constant; });
        if (!dynamic || profile.count(tensor.name)) continue;
        return fail("Error Code 4: API Usage Error (" + tensor.name + " has dynamic dimensions but no optimization profile)"), false;
      }
    }
    return true;
  }

  bool add_plugin(Plugin const& given, PlanLayer& layer) {
    auto const work = given.clone(layer.name);
    Descs descs = describe(plan_, layer, 0);
    std::vector<DynamicDesc> all = descs.inputs;
    all.insert(all.end(), descs.outputs.begin(), descs.outputs.end());
    for (int time = 0; time < 3; time++) {
      for (size_t i = 0; i < all.size(); i++) {
        if (!work->supports(static_cast<int32_t>(i), all, static_cast<int32_t>(descs.inputs.size()))) {
          return fail("Error Code 9: Internal Error (" + layer.name + ": could not find any supported formats consistent with input/output data types)"), false;
        }
      }
    }
    for (size_t p = 0; p < plan_.profiles.size(); p++) {
      Descs const d = describe(plan_, layer, p);
      if (int32_t const code = work->configure(d)) return fail("Error Code 4: Internal Error (" + layer.name + ": configurePlugin returned error code " + std::to_string(code) + ")"), false;
      layer.workspace = std::max(layer.workspace, static_cast<int64_t>(work->workspace(d)));
    }
    std::vector<int32_t> tactics;
    if (int32_t const code = work->tactics(tactics)) return fail("Error Code 4: Internal Error (" + layer.name + ": getValidTactics returned error code " + std::to_string(code) + ")"), false;
    for (int32_t tactic : tactics) {
      if (tactic <= 0 || std::count(tactics.begin(), tactics.end(), tactic) != 1) return fail("Error Code 3: API Usage Error (" + layer.name + ": tactics must be unique and positive)"), false;
    }
    if (config_.previews[RELEASE < 110000 ? 1 : 0]) {
      for (size_t i = 0; i < layer.outputs.size(); i++) layer.aliases.push_back(work->aliased_input(static_cast<int32_t>(i)));
    }
    layer.aliases.resize(layer.outputs.size(), -1);
    auto const second = work->clone();
    {
      auto const timed = second->attach(resource_context());
      if (!timed) return fail("Error Code 2: Internal Error (" + layer.name + ": attachToContext returned null)"), false;
      if (tactics.size() == 1) layer.tactic = tactics[0];
      if (tactics.size() > 1 && !choose(*work, *timed, layer, descs, tactics)) return false;
    }
    if (work->configure(descs)) return fail("Error Code 4: Internal Error (" + layer.name + ": configurePlugin failed)"), false;
    if (work->set_tactic(layer.tactic)) return fail("Error Code 4: Internal Error (" + layer.name + ": setTactic failed)"), false;
    if (!work->attach(resource_context())) return fail("Error Code 2: Internal Error (" + layer.name + ": attachToContext returned null)"), false;
    work->fields(layer.fields);  // none: an engine without fields
    return true;
  }

  // Times every tactic, unless one with the same ID, shapes and types was timed; tactics that fail are skipped.
  bool choose(Plugin const& work, Plugin const& timed, PlanLayer& layer, Descs const& descs, std::vector<int32_t> const& tactics) {
    std::string const id = work.timing_id();
    std::string key = layer.plugin + "/" + layer.version + "/" + layer.space + "/" + id;
    for (auto const* list : {&descs.inputs, &descs.outputs}) {
      for (auto const& one : *list) key += "/" + std::to_string(one.desc.type) + text_of(one.opt);
    }
    auto const known = timings_.find(key);
    Line("tensorrt", "timing cache").text("layer", layer.name).text("id", id).flag("hit", !id.empty() && known != timings_.end());
    if (!id.empty() && known != timings_.end()) return layer.tactic = known->second, true;
    constexpr int error_on_miss = RELEASE < 110000 ? 16 : 15;
    if (config_.timing_cache && config_.flags.count(error_on_miss)) return fail("Error Code 4: Internal Error (" + layer.name + ": its tactics are not in the timing cache)"), false;
    int32_t chosen = 0;
    std::string const wanted = environment("STANDIN_TACTIC");
    for (int32_t tactic : tactics) {
      if (!time(timed, layer, descs, tactic)) {
        log(warning, "Skipping tactic 0x" + std::to_string(tactic) + " due to exception Assertion pluginUtils::isSuccess(status) failed.");
        continue;
      }
      if (!chosen || wanted == std::to_string(tactic)) chosen = tactic;
    }
    if (!chosen) return fail("Error Code 10: Internal Error (Could not find any implementation for node " + layer.name + ".)"), false;
    layer.tactic = timings_[key] = chosen;
    return true;
  }

  bool time(Plugin const& timed, PlanLayer const& layer, Descs const& descs, int32_t tactic) {
    if (timed.set_tactic(tactic)) return false;
    std::vector<TensorDesc> in, out;
    std::vector<void const*> inputs;
    std::vector<void*> outputs;
    std::vector<Memory> memory(descs.inputs.size() + descs.outputs.size() + 1);
    size_t used = 0;
    for (auto const& one : descs.inputs) {
      in.push_back({one.opt, one.desc.type});
      size_t const bytes = bytes_of(one.opt, one.desc.type);
      void* const address = memory[used++].reserve(bytes);
      std::memset(on_host(address), 0, bytes);
      inputs.push_back(address);
    }
    for (size_t i = 0; i < descs.outputs.size(); i++) {
      auto const& one = descs.outputs[i];
      out.push_back({one.opt, one.desc.type});
      outputs.push_back(layer.aliases[i] >= 0 ? const_cast<void*>(inputs[layer.aliases[i]]) : memory[used++].reserve(bytes_of(one.max, one.desc.type)));
    }
    if (timed.shape_change(in, out)) return false;
    void* stream = nullptr;
    if (cuda().cuStreamCreate(&stream, 1)) return false;
    bool passed = true;
    for (int i = 0; passed && i < 4; i++) {
      passed = timed.enqueue(in, out, inputs, outputs, memory.back().reserve(layer.workspace), stream) == 0 && cuda().cuStreamSynchronize(stream) == 0;
    }
    cuda().cuStreamDestroy_v2(stream);
    return passed;
  }

  Network& network_;
  Config& config_;
  Plan plan_;
  std::map<std::string, int32_t> timings_;
};

}  // namespace

std::optional<std::string> build(Network& network, Config& config) { return Building(network, config).run(); }

}  // namespace standin
