// Copies memory by several threads, in pieces that can be used as they are ready.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace ntrt {

// The constructor starts the copy, and makes all of a small one, or where there are no other threads. `finish` must return before
// the source may change.
class PieceCopy {
 public:
  PieceCopy(void* to, void const* from, size_t bytes);
  ~PieceCopy() { finish(); }
  PieceCopy(PieceCopy const&) = delete;

  // 0 if there is nothing to copy.
  size_t pieces() const;
  // Offset and bytes.
  std::pair<size_t, size_t> range(size_t piece) const;
  bool is_ready(size_t piece) const;
  // Waits for a piece that others copy; from any thread.
  void wait(size_t piece) const;
  // Copies along until all is copied.
  void finish();

  struct State;

 private:
  std::shared_ptr<State> const state_;
};

}  // namespace ntrt
