// Runs that are measured: submitted without a break by one thread, their times read by another.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "../cuda/timer.h"
#include "submission.h"

namespace ntrt {

struct MeasureOptions {
  double warm_up, duration, idle;  // milliseconds
  int32_t iterations;
  bool threads, graph, spin, transfers;
};

// All times are milliseconds, those of `start` since the measurement began.
struct MeasuredRun {
  double enqueue_start;  // of the host's clock
  double enqueue;
  double start;  // of the GPU's clock: of the copies in, or of the work where there are none
  double to_device, compute, from_device;
  double whole;  // from `start` until all is done
  double stream;
};

// When the measurement began.
struct MeasureStart {
  explicit MeasureStart(bool blocking) : gpu(blocking) {}
  double milliseconds() const { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - host).count(); }
  Timer gpu;
  std::chrono::steady_clock::time_point host;
};

// The runs of one context: two at a time, so that copies of one are made while the other computes.
class MeasuredContext {
 public:
  MeasuredContext(ContextState& context, RunBuffers* buffers, Placements const& placements, MeasureOptions const& options, int index);
  MeasuredContext(MeasuredContext const&) = delete;
  // Waits until nothing is on its way.
  ~MeasuredContext();

  // Runs a few times, and makes room for the times of as many as may follow. Returns why runs are not captured.
  // `streams`: how many contexts share what there is.
  std::string prepare(size_t streams);
  void hold_until(MeasureStart const& start);

  // Submits a run.
  void begin(MeasureStart const& start);
  // Waits for the run before the one that was submitted last, or for that if it is the `last`. Returns when it was submitted, 0 if there is none.
  double end(bool last = false);

  // From one other thread at a time: adds the times of what has ended, once that is much, or if it is the `last` time.
  void read(MeasureStart const& start, std::vector<MeasuredRun>& runs, bool last);
  // From there: nobody reads any more.
  void abandon() { abandoned_ = true; }

 private:
  // The moments of a run; without copies, the first two.
  enum Moment { compute_start, compute_end, in_start, in_end, out_start, out_end };
  struct Slot {
    std::vector<Timer> at;
    double enqueue_start = 0, enqueue = 0;
  };
  size_t moments() const { return options_.transfers ? 6 : 2; }
  std::string capture();
  // Milliseconds of a run, with nothing beside it.
  double time_alone();
  void submit();
  Slot& slot(uint64_t run) { return slots_[run % slots_.size()]; }

  ContextState& c_;
  MeasureOptions const& options_;
  int const index_;
  Outcome outcome_;
  Submission submission_;
  CudaGraph graph_;
  std::vector<Slot> slots_;
  uint64_t begun_ = 0;
  // Runs of which that is done.
  std::atomic<uint64_t> ended_{0}, read_{0};
  std::atomic<bool> abandoned_{false};
};

// A thread that reads the times of contexts while it exists: what CUDA takes for that would be a good part of a short run, and
// holds up who submits.
class TimesReader {
 public:
  TimesReader(int device, MeasureStart const& start, std::vector<MeasuredContext*> contexts);
  ~TimesReader() { stop(); }
  // All times, once the last run has ended; throws what the thread met.
  std::vector<MeasuredRun> finish();
  bool has_failed() const { return failed_; }

 private:
  void stop();
  void read(bool last);

  MeasureStart const& start_;
  std::vector<MeasuredContext*> const contexts_;
  std::vector<MeasuredRun> runs_;
  std::exception_ptr error_;
  std::atomic<bool> failed_{false}, over_{false};
  std::thread thread_;
};

}  // namespace ntrt
