#include "background.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace ntrt {

namespace {

// For the life of the process.
struct Background {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> functions;

  [[noreturn]] void loop() {
    for (;;) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return !functions.empty(); });
      auto const function = std::move(functions.front());
      functions.pop_front();
      lock.unlock();
      try {
        function();
      } catch (...) {
      }
    }
  }
};

}  // namespace

void in_background(std::function<void()> function) {
  static auto& background = *[] {
    auto* const made = new Background;
    std::thread([made] { made->loop(); }).detach();
    return made;
  }();
  {
    std::lock_guard lock(background.mutex);
    background.functions.push_back(std::move(function));
  }
  background.changed.notify_one();
}

}  // namespace ntrt
