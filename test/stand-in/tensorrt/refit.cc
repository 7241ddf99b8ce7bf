// Refitting: constants are the stand-in's only weights. STANDIN_COMBINED="a,b": weights that need each other, as if TensorRT had made
// one of them. STANDIN_REFIT="fail": the first weight is replaced, then it fails.
#include "refit.h"

#include <algorithm>
#include <set>

namespace standin {

namespace {

NAMED(VRefitter);
NAMED(VSerializationConfig);

struct Refitter : Handle {
  Engine& engine;
  Recorder recorder;
  std::map<std::string, std::string> given;
  int32_t threads = 1;
  bool validates = true;
  explicit Refitter(Engine& engine);

  bool has(std::string const& name) const { return given.count(name); }
  template <class F>
  void each(F&& visit) {
    for (auto& layer : engine.plan.layers) {
      if (layer.refittable) visit(layer);
    }
  }
  PlanTensor const& tensor(PlanLayer const& layer) const { return engine.plan.tensors[layer.outputs[0]]; }
  int64_t count(PlanLayer const& layer) const {
    return volume(engine.plan.evaluate(tensor(layer), [](Node const&) { return std::nullopt; }));
  }
  void fail(std::string const& text) { recorder.report("IRefitter::" + text); }
};

Refitter& of(void* f) { return self<Refitter>(f); }

int32_t list(std::vector<std::string> const& names, int32_t size, char const** out) {
  static std::set<std::string> kept;  // callers may keep what they get as long as the refitter
  for (size_t i = 0; out && i < names.size() && static_cast<int32_t>(i) < size; i++) out[i] = kept.insert(names[i]).first->c_str();
  return static_cast<int32_t>(names.size());
}

std::vector<std::string> names(Refitter& refitter) {
  std::vector<std::string> found;
  refitter.each([&](PlanLayer& layer) {
    if (std::find(found.begin(), found.end(), layer.weight) == found.end()) found.push_back(layer.weight);
  });
  return found;
}

std::vector<std::string> missing(Refitter& refitter) {
  std::vector<std::string> found;
  std::string const combined = "," + environment("STANDIN_COMBINED") + ",";
  auto const is_combined = [&](std::string const& name) { return combined.find("," + name + ",") != std::string::npos; };
  bool const some = std::any_of(refitter.given.begin(), refitter.given.end(), [&](auto const& one) { return is_combined(one.first); });
  for (auto const& name : names(refitter)) {
    bool const lacks = std::any_of(refitter.engine.plan.layers.begin(), refitter.engine.plan.layers.end(), [&](PlanLayer const& layer) { return layer.refittable && layer.weight == name && layer.constant.empty(); });
    if (!refitter.has(name) && (lacks || (some && is_combined(name)))) found.push_back(name);
  }
  return found;
}

bool set_named(void* f, char const* name, Weights weights) {
  auto& refitter = of(f);
  bool found = false, fits = true;
  refitter.each([&](PlanLayer& layer) {
    if (layer.weight != name) return;
    found = true;
    fits = fits && weights.type == refitter.tensor(layer).type && weights.count == refitter.count(layer);
  });
  if (!found) return refitter.fail("setNamedWeights: Error Code 3: API Usage Error (no refittable weights are named " + std::string(name) + ")"), false;
  if (!fits) return refitter.fail("setNamedWeights: Error Code 3: API Usage Error (the type or count of " + std::string(name) + " is another)"), false;
  size_t const bytes = weights.type == kINT4 ? (weights.count + 1) / 2 : weights.count * size_of(weights.type);
  refitter.given[name].assign(static_cast<char const*>(weights.values), bytes);
  return true;
}

bool refit(void* f) {
  auto& refitter = of(f);
  if (refitter.engine.pending) die("engine '" + refitter.engine.plan.name + "' is refitted while work of it is on its way");
  Line("tensorrt", "refitCudaEngine").number("weights", static_cast<int64_t>(refitter.given.size()));
  if (!missing(refitter).empty()) return refitter.fail("refitCudaEngine: Error Code 4: API Usage Error (weights are missing)"), false;
  bool const fails = environment("STANDIN_REFIT") == "fail";
  bool done = false;
  refitter.each([&](PlanLayer& layer) {
    if (!refitter.has(layer.weight) || (fails && done)) return;
    layer.constant = refitter.given[layer.weight];
    done = true;
  });
  if (fails) return refitter.fail("refitCudaEngine: Error Code 2: Internal Error (STANDIN_REFIT)"), false;
  return true;
}

int32_t all_weights(void* f, int32_t size, char const** out) { return list(names(of(f)), size, out); }
int32_t missing_weights(void* f, int32_t size, char const** out) { return list(missing(of(f)), size, out); }
Weights prototype(void* f, char const* name) {
  Weights found{0, nullptr, 0};
  of(f).each([&](PlanLayer& layer) {
    if (layer.weight == name) found = {of(f).tensor(layer).type, nullptr, of(f).count(layer)};
  });
  return found;
}
bool set_threads(void* f, int32_t threads) { return of(f).threads = threads, threads > 0; }
void set_validation(void* f, bool validates) { of(f).validates = validates; }
void set_recorder(void* f, void* recorder) { of(f).recorder.set(recorder); }

void* const* refitter_methods() {
  namespace s = slot::VRefitter;
  static void* const* const made = table<VRefitterName>({at(s::refitCudaEngine, &refit), at(s::setErrorRecorder, &set_recorder), at(s::setNamedWeights, &set_named), at(s::getMissingWeights, &missing_weights),
                                                         at(s::getAllWeights, &all_weights), at(s::setMaxThreads, &set_threads), at(s::setWeightsValidation, &set_validation), at(s::getWeightsPrototype, &prototype)});
  return made;
}
Refitter::Refitter(Engine& engine) : Handle(handle_table<Refitter>(), refitter_methods()), engine(engine), recorder(&engine.recorder) {}

struct SerializationConfig : Handle {
  std::set<int32_t> flags;
  explicit SerializationConfig(Engine const& engine);
};
constexpr int exclude_weights = 0, include_refit = 2;
bool is_known(int32_t flag) { return flag < include_refit || RELEASE >= 101400; }
bool set_flag(void* f, int32_t flag) { return is_known(flag) && (self<SerializationConfig>(f).flags.insert(flag), true); }
bool clear_flag(void* f, int32_t flag) { return is_known(flag) && (self<SerializationConfig>(f).flags.erase(flag), true); }
void* const* config_methods() {
  namespace s = slot::VSerializationConfig;
  static void* const* const made = table<VSerializationConfigName>({at(s::setFlag, &set_flag), at(s::clearFlag, &clear_flag)});
  return made;
}
SerializationConfig::SerializationConfig(Engine const& engine) : Handle(handle_table<SerializationConfig>(), config_methods()) {
  if (engine.plan.stripped) flags.insert(exclude_weights);
}

}  // namespace

void* make_refitter(Engine& engine) { return static_cast<Handle*>(new Refitter(engine)); }
void* make_serialization_config(Engine& engine) { return static_cast<Handle*>(new SerializationConfig(engine)); }

void strip(Plan& plan) {
  plan.stripped = true;
  for (auto& layer : plan.layers) {
    if (layer.refittable) layer.constant.clear();
  }
}

std::string serialized(Engine const& engine, void* config) {
  Plan plan = engine.plan;
  auto const* given = config ? static_cast<SerializationConfig*>(static_cast<Handle*>(config)) : nullptr;
  if (given && given->flags.count(exclude_weights)) {
    strip(plan);
  } else if (given && std::exchange(plan.stripped, false) && !given->flags.count(include_refit)) {
    // Such a plan cannot be refitted again.
    for (auto& layer : plan.layers) layer.refittable = false;
  }
  return plan.write();
}

}  // namespace standin
