#include "copy.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

namespace ntrt {

namespace {

constexpr size_t KiB = 1024;
constexpr size_t smallest_shared = 512 * KiB;  // below, one thread is as fast
constexpr size_t smallest_piece = 256 * KiB;
constexpr size_t most_pieces = 32;  // each is a copy to the GPU of its own
constexpr size_t most_helpers = 8;
constexpr auto awake = std::chrono::microseconds(50);  // about what waking takes

// Looks at `condition` for a while.
template <class Condition>
bool spin(Condition condition) {
  auto const until = std::chrono::steady_clock::now() + awake;
  do {
    if (condition()) return true;
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < until);
  return false;
}

}  // namespace

struct PieceCopy::State {
  char* const to;
  char const* const from;
  size_t const bytes;
  size_t const piece;  // bytes of each but the last
  size_t const count;
  std::vector<std::atomic<bool>> ready;
  std::atomic<size_t> next{0};  // to be copied
  std::atomic<size_t> done{0};
  std::mutex mutex;
  std::condition_variable changed;

  State(void* to, void const* from, size_t bytes, size_t piece)
      : to(static_cast<char*>(to)), from(static_cast<char const*>(from)), bytes(bytes), piece(piece), count(bytes ? (bytes + piece - 1) / piece : 0), ready(count) {}

  // Copies a piece that nobody copies yet; false if there is none.
  bool copy_one() {
    size_t const index = next.fetch_add(1, std::memory_order_relaxed);
    if (index >= count) return false;
    size_t const offset = index * piece;
    std::memcpy(to + offset, from + offset, std::min(piece, bytes - offset));
    ready[index].store(true, std::memory_order_release);
    done.fetch_add(1, std::memory_order_release);
    { std::lock_guard lock(mutex); }
    changed.notify_all();
    return true;
  }
  bool has_more() const { return next.load(std::memory_order_relaxed) < count; }

  template <class Condition>
  void wait_until(Condition condition) {
    if (spin(condition)) return;
    std::unique_lock lock(mutex);
    changed.wait(lock, condition);
  }
};

namespace {

// The threads that copy, for the life of the process. They are started by the first large copy.
class Helpers {
 public:
  static Helpers& instance() {
    static auto* const helpers = new Helpers;
    return *helpers;
  }

  // False if there are none.
  bool help(std::shared_ptr<PieceCopy::State> copy) {
    if (!any_) return false;
    {
      std::lock_guard lock(mutex_);
      copies_.push_back(std::move(copy));
      version_.fetch_add(1, std::memory_order_release);
    }
    changed_.notify_one();
    return true;
  }

 private:
  Helpers() {
    size_t const cores = std::max(1u, std::thread::hardware_concurrency());
    for (size_t i = 0; i < std::min(most_helpers, cores - 1); i++) {
      try {
        std::thread([this] { loop(); }).detach();
        any_ = true;
      } catch (std::system_error const&) {
        return;  // fewer do as well, or none
      }
    }
  }

  [[noreturn]] void loop() {
    for (;;) {
      auto const copy = take();
      while (copy->copy_one()) {
      }
    }
  }

  // A copy with pieces left. Each that is woken wakes the next, so that the caller wakes only one.
  std::shared_ptr<PieceCopy::State> take() {
    std::unique_lock lock(mutex_);
    for (;;) {
      while (!copies_.empty() && !copies_.front()->has_more()) copies_.erase(copies_.begin());
      if (!copies_.empty()) {
        auto copy = copies_.front();
        lock.unlock();
        changed_.notify_one();
        return copy;
      }
      auto const seen = version_.load(std::memory_order_relaxed);
      lock.unlock();
      spin([&] { return version_.load(std::memory_order_acquire) != seen; });
      lock.lock();
      changed_.wait(lock, [&] { return version_.load(std::memory_order_relaxed) != seen; });
    }
  }

  bool any_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<size_t> version_{0};
  std::vector<std::shared_ptr<PieceCopy::State>> copies_;
};

size_t piece_of(size_t bytes) {
  if (bytes < smallest_shared) return std::max<size_t>(bytes, 1);
  size_t const even = (bytes + most_pieces - 1) / most_pieces;
  return std::max(smallest_piece, (even + 64 * KiB - 1) / (64 * KiB) * (64 * KiB));
}

}  // namespace

PieceCopy::PieceCopy(void* to, void const* from, size_t bytes) : state_(std::make_shared<State>(to, from, bytes, piece_of(bytes))) {
  if (state_->count > 1 && Helpers::instance().help(state_)) return;
  while (state_->copy_one()) {
  }
}

size_t PieceCopy::pieces() const { return state_->count; }

std::pair<size_t, size_t> PieceCopy::range(size_t piece) const {
  size_t const offset = piece * state_->piece;
  return {offset, std::min(state_->piece, state_->bytes - offset)};
}

bool PieceCopy::is_ready(size_t piece) const { return state_->ready[piece].load(std::memory_order_acquire); }

void PieceCopy::wait(size_t piece) const {
  state_->wait_until([&] { return is_ready(piece); });
}

void PieceCopy::finish() {
  while (state_->copy_one()) {
  }
  state_->wait_until([&] { return state_->done.load(std::memory_order_acquire) == state_->count; });
}

}  // namespace ntrt
