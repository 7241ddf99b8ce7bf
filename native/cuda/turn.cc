#include "turn.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "device_memory.h"

namespace ntrt {

struct Turn::State {
  size_t before = 0;  // what it waits for
  bool passed = false;
  std::vector<std::shared_ptr<State>> next;
  std::function<void()> ready;
};

namespace {

using State = Turn::State;

// Of all turns, for the life of the process: held for a few instructions.
auto& mutex = *new std::mutex;
auto& changed = *new std::condition_variable;

void follow(std::shared_ptr<State> const& one, std::shared_ptr<State> const& before) {
  if (!before || before == one || before->passed) return;
  before->next.push_back(one);
  one->before++;
}

// What is called may pass its turn and make others ready: they are called after it, not inside it.
void call_all(std::deque<std::function<void()>> functions) {
  thread_local std::deque<std::function<void()>>* calling = nullptr;
  if (calling) {
    std::move(functions.begin(), functions.end(), std::back_inserter(*calling));
    return;
  }
  calling = &functions;
  while (!functions.empty()) {
    auto const function = std::move(functions.front());
    functions.pop_front();
    function();
  }
  calling = nullptr;
}

}  // namespace

Turn::Turn() : state_(std::make_shared<State>()) {}

void Turn::reads(DeviceMemory& memory) {
  std::lock_guard lock(mutex);
  auto& [writer, readers] = memory.turns;
  follow(state_, writer);
  readers.erase(std::remove_if(readers.begin(), readers.end(), [](auto const& one) { return one->passed; }), readers.end());
  readers.push_back(state_);
}

void Turn::writes(DeviceMemory& memory) {
  std::lock_guard lock(mutex);
  auto& [writer, readers] = memory.turns;
  follow(state_, writer);
  for (auto const& reader : readers) follow(state_, reader);
  readers.clear();
  writer = state_;
}

void Turn::when_ready(std::function<void()> ready) {
  {
    std::lock_guard lock(mutex);
    if (state_->passed) return;
    if (state_->before > 0) {
      state_->ready = std::move(ready);
      return;
    }
  }
  call_all({std::move(ready)});
}

void Turn::wait() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] { return state_->before == 0; });
}

void Turn::pass() noexcept {
  std::deque<std::function<void()>> functions;
  std::function<void()> dropped;  // not while the mutex is held: it may own turns
  {
    std::lock_guard lock(mutex);
    if (state_->passed) return;
    state_->passed = true;
    dropped = std::move(state_->ready);
    state_->ready = nullptr;
    for (auto const& one : std::exchange(state_->next, {})) {
      if (--one->before == 0 && one->ready) functions.push_back(std::exchange(one->ready, nullptr));
    }
  }
  changed.notify_all();
  if (!functions.empty()) call_all(std::move(functions));
}

}  // namespace ntrt
