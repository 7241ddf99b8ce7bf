#include "refitter.h"

#include "../lowering/lower.h"
#include "../runtime/observe.h"

namespace ntrt {

namespace {

Owned<Refitter> create(EngineState const& state) {
  auto const& api = *state.api;
  if (!api.create_refitter) throw Error("ERR_UNSUPPORTED", api.path + " has no refitter: it does not export createInferRefitter_INTERNAL");
  void* const made = api.create_refitter(state.engine.get(), api.logger, api.release);
  bool const is_made = reinterpret_cast<uintptr_t>(made) >= 4096;
  Owned<Refitter> refitter(is_made ? made : nullptr);
  // TensorRT 10.6 says so of engines of kREFIT_INDIVIDUAL, too, which have weights nevertheless.
  if (!call<m::Engine::isRefittable>(api, state.engine.get()) && (!is_made || call<m::Refitter::getAllWeights>(api, refitter.get(), 0, static_cast<char const**>(nullptr)) == 0)) {
    throw Error("ERR_REFIT", "the engine was not built to be refitted: build it with refit, refitIndividual or refitIdentical");
  }
  if (!is_made) throw Error("ERR_REFIT", "TensorRT " + release_name(api.release) + " could not create a refitter");
  return refitter;
}

int32_t dtype_value(Api const& api, std::string const& name) {
  for (int32_t value = 0; value < 32; value++) {
    if (dtype_name(api, value) == name) return value;
  }
  throw Error("ERR_UNSUPPORTED", "TensorRT " + release_name(api.release) + " has no dtype " + name);
}

}  // namespace

EngineRefitter::EngineRefitter(EngineState const& engine) : api_(*engine.api), refitter_(create(engine)) { record_errors(api_, refitter_.get()); }

template <class M>
std::vector<std::string> EngineRefitter::names() const {
  int32_t const count = call<M>(api_, refitter_.get(), 0, static_cast<char const**>(nullptr));
  std::vector<char const*> found(static_cast<size_t>(std::max(count, 0)));
  if (!found.empty()) call<M>(api_, refitter_.get(), count, found.data());
  std::vector<std::string> list;
  for (char const* name : found) {
    if (name) list.emplace_back(name);
  }
  return list;
}

std::vector<EngineRefitter::Named> EngineRefitter::all() const {
  std::vector<Named> list;
  for (auto& name : names<m::Refitter::getAllWeights>()) {
    Weights const prototype = call<m::Refitter::getWeightsPrototype>(api_, refitter_.get(), name.c_str());
    std::string const dtype = dtype_name(api_, prototype.type);
    bool const is_known = prototype.count > 0 && dtype.find(' ') == std::string::npos;
    list.push_back({std::move(name), is_known ? dtype : "", prototype.count});
  }
  return list;
}

std::vector<std::string> EngineRefitter::missing() const { return names<m::Refitter::getMissingWeights>(); }

void EngineRefitter::set(Weight const& weight) {
  Weights const weights{dtype_value(api_, weight.dtype), weight.data, weight.count};
  if (call<m::Refitter::setNamedWeights>(api_, refitter_.get(), weight.name.c_str(), weights)) return;
  throw Error("ERR_REFIT", "TensorRT refused weight '" + weight.name + "' of " + std::to_string(weight.count) + " elements of " + weight.dtype);
}

bool EngineRefitter::refit() { return call<m::Refitter::refitCudaEngine>(api_, refitter_.get()); }

void EngineRefitter::configure(int32_t threads, bool validates) {
  call<m::Refitter::setMaxThreads>(api_, refitter_.get(), threads);
  call<m::Refitter::setWeightsValidation>(api_, refitter_.get(), validates);
}

}  // namespace ntrt
