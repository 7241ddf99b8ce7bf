#include "measure.h"

#include <chrono>
#include <cstring>
#include <thread>

#include "../core/handle.h"
#include "measured_runs.h"

namespace ntrt {

namespace {

class MeasureJob : public Job {
 public:
  MeasureJob(std::vector<std::shared_ptr<ContextState>> contexts, std::vector<Placements> placements, MeasureOptions options)
      : contexts_(std::move(contexts)), placements_(std::move(placements)), options_(options) {}

  void work() override {
    auto const& engine = *contexts_[0]->engine;
    enter_library(engine.api.get(), "measuring an engine");
    use_device(engine.device);
    try {
      measure();
    } catch (...) {
      rethrow_run_error(engine);
    }
  }

  Napi::Value result(Napi::Env env) override {
    auto object = Napi::Object::New(env);
    auto times = Napi::ArrayBuffer::New(env, runs_.size() * sizeof(MeasuredRun));
    if (!runs_.empty()) std::memcpy(times.Data(), runs_.data(), runs_.size() * sizeof(MeasuredRun));
    object.Set("times", times);
    if (!refused_.empty()) object.Set("graphRefused", refused_);
    return object;
  }

  void leave() override {
    for (auto const& one : placements_) finish_copies(one);
  }

 private:
  void measure() {
    std::vector<std::unique_ptr<ContextTurn>> turns;
    std::vector<std::unique_ptr<MeasuredContext>> measured;
    for (size_t i = 0; i < contexts_.size(); i++) {
      turns.push_back(std::make_unique<ContextTurn>(*contexts_[i], true));
      measured.push_back(std::make_unique<MeasuredContext>(*contexts_[i], turns.back()->buffers, placements_[i], options_, static_cast<int>(i)));
      auto const refused = measured.back()->prepare(contexts_.size());
      if (refused_.empty()) refused_ = refused;
    }
    Stream const stream = Stream::create();
    MeasureStart start(!options_.spin);
    start.host = std::chrono::steady_clock::now();
    start.gpu.record(stream);
    start.gpu.wait();
    std::vector<MeasuredContext*> all;
    for (auto const& one : measured) {
      one->hold_until(start);
      all.push_back(one.get());
    }
    if (!options_.threads || all.size() == 1) {
      runs_ = loop(start, all);
    } else {
      in_threads(start, all);
    }
  }

  // Those that TensorRT starts and those that we start are alike: a crash on them ends the job.
  void in_threads(MeasureStart const& start, std::vector<MeasuredContext*> const& all) {
    std::vector<std::vector<MeasuredRun>> runs(all.size());
    std::vector<std::exception_ptr> errors(all.size());
    std::vector<std::thread> threads;
    auto const work = [&](size_t i) {
      try {
        LogScope const scope(log, false);
        use_device(device());
        runs[i] = loop(start, {all[i]});
      } catch (...) {
        errors[i] = std::current_exception();
        cancelled = true;
      }
    };
    try {
      for (size_t i = 0; i < all.size(); i++) threads.emplace_back(work, i);
    } catch (std::system_error const&) {
      cancelled = true;
      errors[0] = std::make_exception_ptr(Error("ERR_THREAD", "the system refused another thread"));
    }
    for (auto& one : threads) one.join();
    std::exception_ptr error;
    for (auto const& one : errors) {
      if (one && (!error || !is_abort(one))) error = one;
    }
    if (error) std::rethrow_exception(error);
    for (auto const& one : runs) runs_.insert(runs_.end(), one.begin(), one.end());
  }

  static bool is_abort(std::exception_ptr const& error) {
    try {
      std::rethrow_exception(error);
    } catch (Error const& one) {
      return one.code == "ERR_ABORTED";
    } catch (...) {
      return false;
    }
  }

  // Until so many runs were made after those to warm up, and the time is over.
  std::vector<MeasuredRun> loop(MeasureStart const& start, std::vector<MeasuredContext*> const& contexts) {
    double const until = options_.warm_up + options_.duration;
    TimesReader reader(device(), start, contexts);
    double latest = 0;
    for (int64_t done = 0; (done < options_.iterations || latest < until) && !reader.has_failed();) {
      if (cancelled) throw Error("ERR_ABORTED", "the measurement was cancelled");
      for (auto* const one : contexts) one->begin(start);
      double const before = latest;
      for (auto* const one : contexts) latest = std::max(latest, one->end());
      if (latest < options_.warm_up || before == 0) continue;
      done++;
      if (options_.idle > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(options_.idle));
    }
    for (auto* const one : contexts) one->end(true);
    return reader.finish();
  }

  int device() const { return contexts_[0]->engine->device; }

  std::vector<std::shared_ptr<ContextState>> const contexts_;
  std::vector<Placements> const placements_;
  MeasureOptions const options_;
  std::vector<MeasuredRun> runs_;
  std::string refused_;
};

MeasureOptions read_options(Given const& given) {
  MeasureOptions options{};
  options.warm_up = given.member("warmUp").amount();
  options.duration = given.member("duration").amount();
  options.idle = given.member("idle").amount();
  options.iterations = given.member("iterations").integer();
  options.threads = given.member("threads").flag();
  options.graph = given.member("graph").flag();
  options.spin = given.member("spin").flag();
  options.transfers = given.member("transfers").flag();
  return options;
}

}  // namespace

Napi::Value measure(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto const handles = argument(info, 0).list();
    auto const lists = argument(info, 1).list();
    std::vector<std::shared_ptr<ContextState>> contexts;
    std::vector<Placements> placements;
    for (uint32_t i = 0; i < handles.Length(); i++) {
      contexts.push_back(state_of<ContextState>(argument(info, 0).item(i)));
      use_device(contexts[i]->engine->device);
      placements.push_back(read_placements(*contexts[i]->engine, argument(info, 1).item(i)));
    }
    if (contexts.empty() || lists.Length() != handles.Length()) throw Error("ERR_ARGUMENT", "expected placements for each context");
    for (auto const& one : placements) finish_copies(one);
    auto const job = std::make_shared<MeasureJob>(std::move(contexts), std::move(placements), read_options(argument(info, 2)));
    std::weak_ptr<Job> const weak = job;
    argument(info, 3).object().Set("cancel", Napi::Function::New(info.Env(), [weak](Napi::CallbackInfo const&) {
      if (auto const live = weak.lock()) live->cancel();
    }));
    return Job::start(info.Env(), job, Lane::run);
  });
}

}  // namespace ntrt
