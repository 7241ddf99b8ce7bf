#include "measure.h"

#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include "../core/handle.h"
#include "../cuda/timer.h"
#include "submission.h"

namespace ntrt {

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

struct Options {
  double warm_up, duration, idle;  // milliseconds
  int32_t iterations;
  bool threads, graph, spin, transfers;
};

// All times are milliseconds, those of `start` since the measurement began.
struct Run {
  double enqueue_start;  // of the host's clock
  double enqueue;
  double start;  // of the GPU's clock: of the copies in, or of the work where there are none
  double to_device, compute, from_device;
  double whole;  // from `start` until all is done
  double stream;
};
constexpr size_t numbers_per_run = sizeof(Run) / sizeof(double);
// 640 MB: at 10 µs a run, 100 seconds. More runs are made, and not kept.
constexpr size_t most_runs = 10'000'000;

// When the measurement began.
struct Start {
  explicit Start(bool blocking) : gpu(blocking) {}
  Timer gpu;
  Clock::time_point host;
};

// The runs of one context: two at a time, so that copies of one are made while the other computes.
class Pair {
 public:
  Pair(ContextState& context, RunBuffers* buffers, Placements const& placements, Options const& options, int index)
      : c_(context), options_(options), index_(index), submission_(context, buffers, placements, outcome_), slots_{{Slot(!options.spin), Slot(!options.spin)}} {}
  Pair(Pair const&) = delete;

  // Until nothing is on its way, whatever happened.
  ~Pair() {
    for (Stream const* stream : {&c_.in, &c_.compute, &c_.out}) {
      if (stream->get()) driver().cuStreamSynchronize(stream->get());
    }
  }

  // Runs once. Returns why runs are not captured.
  std::string prepare() {
    submission_.submit(true);
    if (!options_.graph) return "";
    try {
      graph_ = submission_.capture_enqueue();
      graph_.upload(c_.compute);
    } catch (Error const& error) {
      if (error.code == "ERR_CUDA_CONTEXT_LOST") throw;
      return error.what();
    }
    c_.compute.synchronize("uploading a graph");
    return "";
  }

  void hold_until(Start const& start) {
    start.gpu.hold(c_.compute);
    if (options_.transfers) start.gpu.hold(c_.in);
  }

  void begin(Start const& start) {
    Slot& slot = slots_[next_];
    if (options_.transfers) {
      slot.in_start.record(c_.in);
      submission_.copy_in();
      slot.in_end.record(c_.in);
      slot.in_end.hold(c_.compute);
    }
    slot.compute_start.record(c_.compute);
    slot.enqueue_start = milliseconds_since(start.host);
    if (graph_) {
      graph_.launch(c_.compute);
    } else {
      submission_.enqueue_plainly();
    }
    slot.enqueue = milliseconds_since(start.host) - slot.enqueue_start;
    slot.compute_end.record(c_.compute);
    if (options_.transfers) {
      slot.compute_end.hold(c_.out);
      slot.out_start.record(c_.out);
      submission_.copy_out();
      slot.out_end.record(c_.out);
    }
    slot.active = true;
    next_ = 1 - next_;
  }

  // Waits for the run that began first, if there is one. Returns when its work began.
  double end(Start const& start, std::vector<Run>& runs) {
    Slot& slot = slots_[next_];
    if (!slot.active) return 0;
    Timer const& last = options_.transfers ? slot.out_end : slot.compute_end;
    Timer const& first = options_.transfers ? slot.in_start : slot.compute_start;
    last.wait();
    slot.active = false;
    double const began = slot.compute_start.since(start.gpu);
    if (began < options_.warm_up || runs.size() >= most_runs) return began;
    Run run{};
    run.enqueue_start = slot.enqueue_start;
    run.enqueue = slot.enqueue;
    run.start = options_.transfers ? first.since(start.gpu) : began;
    run.to_device = options_.transfers ? slot.in_end.since(slot.in_start) : 0;
    run.compute = slot.compute_end.since(slot.compute_start);
    run.from_device = options_.transfers ? slot.out_end.since(slot.out_start) : 0;
    run.whole = last.since(first);
    run.stream = index_;
    runs.push_back(run);
    return began;
  }

  void end_all(Start const& start, std::vector<Run>& runs) {
    for (size_t i = 0; i < slots_.size(); i++) {
      end(start, runs);
      next_ = 1 - next_;
    }
  }

 private:
  struct Slot {
    explicit Slot(bool blocking) : in_start(blocking), in_end(blocking), compute_start(blocking), compute_end(blocking), out_start(blocking), out_end(blocking) {}
    Timer in_start, in_end, compute_start, compute_end, out_start, out_end;
    double enqueue_start = 0, enqueue = 0;
    bool active = false;
  };

  ContextState& c_;
  Options const& options_;
  int const index_;
  Outcome outcome_;
  Submission submission_;
  CudaGraph graph_;
  std::array<Slot, 2> slots_;
  size_t next_ = 0;
};

class MeasureJob : public Job {
 public:
  MeasureJob(std::vector<std::shared_ptr<ContextState>> contexts, std::vector<Placements> placements, Options options)
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
    auto times = Napi::ArrayBuffer::New(env, runs_.size() * sizeof(Run));
    if (!runs_.empty()) std::memcpy(times.Data(), runs_.data(), runs_.size() * sizeof(Run));
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
    std::vector<std::unique_ptr<Pair>> pairs;
    for (size_t i = 0; i < contexts_.size(); i++) {
      turns.push_back(std::make_unique<ContextTurn>(*contexts_[i], true));
      pairs.push_back(std::make_unique<Pair>(*contexts_[i], turns.back()->buffers, placements_[i], options_, static_cast<int>(i)));
      auto const refused = pairs.back()->prepare();
      if (refused_.empty()) refused_ = refused;
    }
    Stream const stream = Stream::create();
    Start start(!options_.spin);
    start.host = Clock::now();
    start.gpu.record(stream);
    start.gpu.wait();
    for (auto const& one : pairs) one->hold_until(start);
    if (!options_.threads || pairs.size() == 1) return loop(start, pairs, 0, pairs.size(), runs_);
    in_threads(start, pairs);
  }

  // Those that TensorRT starts and those that we start are alike: a crash on them ends the job.
  void in_threads(Start const& start, std::vector<std::unique_ptr<Pair>>& pairs) {
    int const device = contexts_[0]->engine->device;
    std::vector<std::vector<Run>> runs(pairs.size());
    std::vector<std::exception_ptr> errors(pairs.size());
    std::vector<std::thread> threads;
    auto const work = [&](size_t i) {
      try {
        LogScope const scope(log, false);
        use_device(device);
        loop(start, pairs, i, i + 1, runs[i]);
      } catch (...) {
        errors[i] = std::current_exception();
        cancelled = true;
      }
    };
    try {
      for (size_t i = 0; i < pairs.size(); i++) threads.emplace_back(work, i);
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
  void loop(Start const& start, std::vector<std::unique_ptr<Pair>>& pairs, size_t from, size_t to, std::vector<Run>& runs) {
    double const until = options_.warm_up + options_.duration;
    double latest = 0;
    for (int64_t done = 0; done < options_.iterations || latest < until;) {
      if (cancelled) throw Error("ERR_ABORTED", "the measurement was cancelled");
      for (size_t i = from; i < to; i++) pairs[i]->begin(start);
      double const before = latest;
      for (size_t i = from; i < to; i++) latest = std::max(latest, pairs[i]->end(start, runs));
      if (latest < options_.warm_up || before == 0) continue;
      done++;
      if (options_.idle > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(options_.idle));
    }
    for (size_t i = from; i < to; i++) pairs[i]->end_all(start, runs);
  }

  std::vector<std::shared_ptr<ContextState>> const contexts_;
  std::vector<Placements> const placements_;
  Options const options_;
  std::vector<Run> runs_;
  std::string refused_;
};

Options read_options(Given const& given) {
  Options options{};
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
