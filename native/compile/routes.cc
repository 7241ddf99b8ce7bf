#include "routes.h"

#include "../core/job.h"
#include "../core/js.h"
#include "../tensorrt/library.h"
#include "builder.h"

namespace ntrt {

namespace {

struct RoutesJob : Job {
  std::string library;
  std::string json;

  void work() override {
    auto const api = load_library(library);
    enter_library(api.get(), "listing build routes");
    if (!api->has(m::BuilderConfig::getAllBuildRoutes::info)) throw_unsupported(*api, m::BuilderConfig::getAllBuildRoutes::info);
    Owned<BuilderConfig> const config(call<m::Builder::createBuilderConfig>(*api, builder_of(*api, log)));
    if (!config) throw Error("ERR_BUILDER", "TensorRT could not create a builder configuration");
    char const* const routes = call<m::BuilderConfig::getAllBuildRoutes>(*api, config.get());
    json = routes ? routes : "";
  }
  Napi::Value result(Napi::Env env) override { return Napi::String::New(env, json); }
};

}  // namespace

Napi::Value build_routes(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] {
    auto job = std::make_shared<RoutesJob>();
    job->library = argument(info, 0).text();
    return Job::start(info.Env(), job, Lane::build);
  });
}

}  // namespace ntrt
