#include "turn.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "device_memory.h"

namespace ntrt {

struct Turn::State {
  size_t before = 0;      // what it waits for
  bool given_up = false;  // passes once it waits for nothing
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

// Passes the turn, and those behind it that were given up and wait for nothing more. Returns what is ready now; the mutex is held.
std::deque<std::function<void()>> pass_all(std::shared_ptr<State> const& first) {
  std::deque<std::function<void()>> functions;
  std::vector<std::shared_ptr<State>> passing{first};
  while (!passing.empty()) {
    auto const state = std::move(passing.back());
    passing.pop_back();
    state->passed = true;
    for (auto const& one : std::exchange(state->next, {})) {
      if (--one->before > 0) continue;
      if (one->given_up) {
        passing.push_back(one);
      } else if (one->ready) {
        functions.push_back(std::exchange(one->ready, nullptr));
      }
    }
  }
  return functions;
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
    if (state_->passed || state_->given_up) return;
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
    dropped = std::exchange(state_->ready, nullptr);
    // Those behind it wait for those before it only by way of this one.
    state_->given_up = state_->before > 0;
    if (state_->given_up) return;
    functions = pass_all(state_);
  }
  changed.notify_all();
  if (!functions.empty()) call_all(std::move(functions));
}

}  // namespace ntrt
