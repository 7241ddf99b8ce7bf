#include "measured_runs.h"

#include <algorithm>
#include <system_error>

namespace ntrt {

namespace {

// 640 MB: at 10 µs a run, 100 seconds. More runs are made, and not kept.
constexpr size_t most_runs = 10'000'000;
// Runs whose times may wait to be read: this many at least, and as many as take these moments at most.
constexpr size_t fewest_runs = 512;
constexpr size_t most_moments = 1 << 18;

}  // namespace

MeasuredContext::MeasuredContext(ContextState& context, RunBuffers* buffers, Placements const& placements, MeasureOptions const& options, int index)
    : c_(context), options_(options), index_(index), submission_(context, buffers, placements, outcome_) {}

MeasuredContext::~MeasuredContext() {
  for (Stream const* stream : {&c_.in, &c_.compute, &c_.out}) {
    if (stream->get()) driver().cuStreamSynchronize(stream->get());
  }
}

std::string MeasuredContext::prepare(size_t streams) {
  submission_.submit(true);
  auto const refused = options_.graph ? capture() : "";
  double fastest = time_alone();
  for (int i = 0; i < 3; i++) fastest = std::min(fastest, time_alone());
  // Two at a time take less than one after the other.
  double const expected = 2 * (options_.warm_up + options_.duration) / fastest + options_.iterations;
  size_t const most = std::max(fewest_runs, most_moments / moments() / streams);
  slots_.resize(static_cast<size_t>(std::clamp(expected, static_cast<double>(fewest_runs), static_cast<double>(most))));
  for (Slot& slot : slots_) {
    slot.at.reserve(moments());
    for (size_t i = 0; i < moments(); i++) slot.at.emplace_back(!options_.spin);
  }
  return refused;
}

std::string MeasuredContext::capture() {
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

double MeasuredContext::time_alone() {
  auto const began = std::chrono::steady_clock::now();
  submit();
  c_.compute.synchronize("running the engine");
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
}

void MeasuredContext::submit() {
  if (graph_) {
    graph_.launch(c_.compute);
  } else {
    submission_.enqueue_plainly();
  }
}

void MeasuredContext::hold_until(MeasureStart const& start) {
  start.gpu.hold(c_.compute);
  if (options_.transfers) start.gpu.hold(c_.in);
}

void MeasuredContext::begin(MeasureStart const& start) {
  while (begun_ - read_.load(std::memory_order_acquire) >= slots_.size() && !abandoned_) std::this_thread::yield();
  Slot& slot = this->slot(begun_);
  auto const& at = slot.at;
  if (options_.transfers) {
    at[in_start].record(c_.in);
    submission_.copy_in();
    at[in_end].record(c_.in);
    at[in_end].hold(c_.compute);
  }
  at[compute_start].record(c_.compute);
  slot.enqueue_start = start.milliseconds();
  submit();
  slot.enqueue = start.milliseconds() - slot.enqueue_start;
  at[compute_end].record(c_.compute);
  if (options_.transfers) {
    at[compute_end].hold(c_.out);
    at[out_start].record(c_.out);
    submission_.copy_out();
    at[out_end].record(c_.out);
  }
  begun_++;
}

double MeasuredContext::end(bool last) {
  uint64_t const ended = ended_.load(std::memory_order_relaxed);
  if (begun_ - ended < (last ? 1 : 2)) return 0;
  Slot const& slot = this->slot(ended);
  slot.at[options_.transfers ? out_end : compute_end].wait();
  double const submitted = slot.enqueue_start;
  ended_.store(ended + 1, std::memory_order_release);
  return submitted;
}

void MeasuredContext::read(MeasureStart const& start, std::vector<MeasuredRun>& runs, bool last) {
  uint64_t const from = read_.load(std::memory_order_relaxed), to = ended_.load(std::memory_order_acquire);
  if (!last && to - from < slots_.size() / 2) return;
  for (uint64_t run = from; run < to; run++) {
    Slot const& slot = this->slot(run);
    auto const& at = slot.at;
    double const began = at[compute_start].since(start.gpu);
    if (began >= options_.warm_up && runs.size() < most_runs) {
      Timer const& end = at[options_.transfers ? out_end : compute_end];
      Timer const& begin = at[options_.transfers ? in_start : compute_start];
      MeasuredRun times{};
      times.enqueue_start = slot.enqueue_start;
      times.enqueue = slot.enqueue;
      times.start = options_.transfers ? begin.since(start.gpu) : began;
      times.to_device = options_.transfers ? at[in_end].since(at[in_start]) : 0;
      times.compute = at[compute_end].since(at[compute_start]);
      times.from_device = options_.transfers ? at[out_end].since(at[out_start]) : 0;
      times.whole = end.since(begin);
      times.stream = index_;
      runs.push_back(times);
    }
    read_.store(run + 1, std::memory_order_release);
  }
}

TimesReader::TimesReader(int device, MeasureStart const& start, std::vector<MeasuredContext*> contexts) : start_(start), contexts_(std::move(contexts)) {
  try {
    thread_ = std::thread([this, device] {
      try {
        use_device(device);
        while (!over_) {
          read(false);
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      } catch (...) {
        error_ = std::current_exception();
        failed_ = true;
        for (auto* const one : contexts_) one->abandon();
      }
    });
  } catch (std::system_error const&) {
    throw Error("ERR_THREAD", "the system refused another thread");
  }
}

void TimesReader::read(bool last) {
  for (auto* const one : contexts_) one->read(start_, runs_, last);
}

void TimesReader::stop() {
  over_ = true;
  if (thread_.joinable()) thread_.join();
}

std::vector<MeasuredRun> TimesReader::finish() {
  stop();
  if (error_) std::rethrow_exception(error_);
  read(true);
  return std::move(runs_);
}

}  // namespace ntrt
