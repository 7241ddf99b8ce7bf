// Keeps runs of an engine and refits of it apart: TensorRT must have no work of the engine pending while its weights are replaced.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

namespace ntrt {

class RefitGate {
 public:
  using Call = std::function<void()>;

  // For a run. False while a refit waits or works: `again` is then called once it is over, on any thread.
  bool enter(Call again);
  // The same, but waits for the end of the refit.
  void enter();
  void leave();

  // For a refit: keeps new runs out, and calls `alone` on any thread when it is its turn and the last run has left.
  void close(Call alone);
  // Ends the refit that was called last.
  void open();

 private:
  Call next();
  std::mutex mutex_;
  std::condition_variable opened_;
  int running_ = 0;
  bool is_working_ = false;
  std::deque<Call> refits_;
  std::vector<Call> waiting_;
};

}  // namespace ntrt
