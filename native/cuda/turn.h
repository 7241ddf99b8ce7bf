// Calls that use the same tensor on the GPU reach it in the order they were made, whichever thread submits them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

namespace ntrt {

class DeviceMemory;

// A call's turn with its tensors: a run, a graph launch, an upload, a download. Events order what was submitted; turns order
// the submitting. On the event loop: `reads` and `writes` for each tensor, then `when_ready` or `wait`.
class Turn {
 public:
  Turn();
  ~Turn() { pass(); }
  Turn(Turn const&) = delete;

  // Waits for the last writer to be submitted.
  void reads(DeviceMemory& memory);
  // Waits for the last writer and the readers since.
  void writes(DeviceMemory& memory);

  // Calls `ready` once all it waits for is submitted: at once, or on the thread that submits the last of it. It must not block
  // or throw; it is dropped if the turn passes first.
  void when_ready(std::function<void()> ready);
  // Waits for that.
  void wait();
  // What it does with its tensors is submitted (after_read and after_write were called), or never will be: the next may follow,
  // once those before it have passed.
  void pass() noexcept;

  struct State;

 private:
  std::shared_ptr<State> const state_;
};

// The turns that a tensor remembers.
struct Turns {
  std::shared_ptr<Turn::State> writer;
  std::vector<std::shared_ptr<Turn::State>> readers;  // since
};

}  // namespace ntrt
