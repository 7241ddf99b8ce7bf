#include "measured_runs.h"

#include <system_error>

namespace ntrt {

namespace {

// 640 MB: at 10 µs a run, 100 seconds. More runs are made, and not kept.
constexpr size_t most_runs = 10'000'000;
// Runs whose times may wait to be read.
constexpr size_t slots = 512;

}  // namespace

MeasuredContext::MeasuredContext(ContextState& context, RunBuffers* buffers, Placements const& placements, MeasureOptions const& options, int index)
    : c_(context), options_(options), index_(index), submission_(context, buffers, placements, outcome_) {
  slots_.reserve(slots);
  for (size_t i = 0; i < slots; i++) slots_.emplace_back(!options.spin);
}

MeasuredContext::~MeasuredContext() {
  for (Stream const* stream : {&c_.in, &c_.compute, &c_.out}) {
    if (stream->get()) driver().cuStreamSynchronize(stream->get());
  }
}

std::string MeasuredContext::prepare() {
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

void MeasuredContext::hold_until(MeasureStart const& start) {
  start.gpu.hold(c_.compute);
  if (options_.transfers) start.gpu.hold(c_.in);
}

void MeasuredContext::begin(MeasureStart const& start) {
  while (begun_ - read_.load(std::memory_order_acquire) >= slots && !abandoned_) std::this_thread::yield();
  Slot& slot = this->slot(begun_);
  if (options_.transfers) {
    slot.in_start.record(c_.in);
    submission_.copy_in();
    slot.in_end.record(c_.in);
    slot.in_end.hold(c_.compute);
  }
  slot.compute_start.record(c_.compute);
  slot.enqueue_start = start.milliseconds();
  if (graph_) {
    graph_.launch(c_.compute);
  } else {
    submission_.enqueue_plainly();
  }
  slot.enqueue = start.milliseconds() - slot.enqueue_start;
  slot.compute_end.record(c_.compute);
  if (options_.transfers) {
    slot.compute_end.hold(c_.out);
    slot.out_start.record(c_.out);
    submission_.copy_out();
    slot.out_end.record(c_.out);
  }
  begun_++;
}

double MeasuredContext::end(bool last) {
  uint64_t const ended = ended_.load(std::memory_order_relaxed);
  if (begun_ - ended < (last ? 1 : 2)) return 0;
  Slot const& slot = this->slot(ended);
  (options_.transfers ? slot.out_end : slot.compute_end).wait();
  double const submitted = slot.enqueue_start;
  ended_.store(ended + 1, std::memory_order_release);
  return submitted;
}

void MeasuredContext::read(MeasureStart const& start, std::vector<MeasuredRun>& runs) {
  for (uint64_t at = read_.load(std::memory_order_relaxed); at < ended_.load(std::memory_order_acquire); at++) {
    Slot const& slot = this->slot(at);
    double const began = slot.compute_start.since(start.gpu);
    if (began >= options_.warm_up && runs.size() < most_runs) {
      Timer const& last = options_.transfers ? slot.out_end : slot.compute_end;
      Timer const& first = options_.transfers ? slot.in_start : slot.compute_start;
      MeasuredRun run{};
      run.enqueue_start = slot.enqueue_start;
      run.enqueue = slot.enqueue;
      run.start = options_.transfers ? first.since(start.gpu) : began;
      run.to_device = options_.transfers ? slot.in_end.since(slot.in_start) : 0;
      run.compute = slot.compute_end.since(slot.compute_start);
      run.from_device = options_.transfers ? slot.out_end.since(slot.out_start) : 0;
      run.whole = last.since(first);
      run.stream = index_;
      runs.push_back(run);
    }
    read_.store(at + 1, std::memory_order_release);
  }
}

TimesReader::TimesReader(int device, MeasureStart const& start, std::vector<MeasuredContext*> contexts) : start_(start), contexts_(std::move(contexts)) {
  try {
    thread_ = std::thread([this, device] {
      try {
        use_device(device);
        while (!over_) {
          read();
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        read();
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

void TimesReader::read() {
  for (auto* const one : contexts_) one->read(start_, runs_);
}

void TimesReader::stop() {
  over_ = true;
  if (thread_.joinable()) thread_.join();
}

std::vector<MeasuredRun> TimesReader::finish() {
  stop();
  if (error_) std::rethrow_exception(error_);
  return std::move(runs_);
}

}  // namespace ntrt
