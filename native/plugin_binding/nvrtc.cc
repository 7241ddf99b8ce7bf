#include "nvrtc.h"

#include <cstring>

#include "../core/job.h"
#include "../core/js.h"
#include "../cuda/nvrtc.h"

namespace ntrt {

namespace {

// Kernels are compiled in the lane of builds, which wait for them anyway.
constexpr Lane lane = Lane::build;

struct VersionJob : Job {
  std::string path;
  std::shared_ptr<Nvrtc const> nvrtc;

  void work() override {
    enter_library(nullptr, "loading NVRTC");
    nvrtc = load_nvrtc(path);
  }
  Napi::Value result(Napi::Env env) override {
    auto object = Napi::Object::New(env);
    object.Set("major", nvrtc->major);
    object.Set("minor", nvrtc->minor);
    object.Set("architectures", numbers(env, {nvrtc->architectures.begin(), nvrtc->architectures.end()}));
    return object;
  }
};

struct CompileJob : Job {
  std::string path;
  KernelSource source;
  CompiledKernel compiled;

  void work() override {
    auto const nvrtc = load_nvrtc(path);
    enter_library(nvrtc.get(), "compiling " + source.file);
    compiled = compile_kernel(*nvrtc, source);
  }
  Napi::Value result(Napi::Env env) override {
    auto object = Napi::Object::New(env);
    object.Set("cubin", cubin(env));
    object.Set("log", compiled.log);
    object.Set("lowered", texts(env, compiled.lowered));
    return object;
  }

 private:
  Napi::Value cubin(Napi::Env env) const {
    if (compiled.cubin.empty()) return env.Null();
    auto buffer = Napi::ArrayBuffer::New(env, compiled.cubin.size());
    std::memcpy(buffer.Data(), compiled.cubin.data(), compiled.cubin.size());
    return buffer;
  }
};

std::vector<std::string> text_list(Given const& given) {
  std::vector<std::string> list;
  uint32_t const count = given.list().Length();
  for (uint32_t i = 0; i < count; i++) list.push_back(given.item(i).text());
  return list;
}

Napi::Value nvrtc_version(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] {
    auto job = std::make_shared<VersionJob>();
    job->path = argument(info, 0).text();
    return Job::start(info.Env(), job, lane);
  });
}

Napi::Value compile(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] {
    auto job = std::make_shared<CompileJob>();
    job->path = argument(info, 0).text();
    auto const request = argument(info, 1);
    job->source.text = request.member("source").text();
    job->source.file = request.member("file").text();
    job->source.options = text_list(request.member("options"));
    job->source.names = text_list(request.member("names"));
    return Job::start(info.Env(), job, lane);
  });
}

}  // namespace

void register_nvrtc(Napi::Env env, Napi::Object exports) {
  exports.Set("nvrtcVersion", Napi::Function::New<nvrtc_version>(env));
  exports.Set("compileKernel", Napi::Function::New<compile>(env));
}

}  // namespace ntrt
