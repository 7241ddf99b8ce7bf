// Page-locked memory, and copies by several threads.
#include "../../../native/cuda/copy.h"
#include "check.h"

using namespace ntrt;

namespace {

void capacities() {
  CHECK(pinned_capacity(0) == 4 * KiB && pinned_capacity(1) == 4 * KiB && pinned_capacity(4 * KiB) == 4 * KiB);
  CHECK(pinned_capacity(4 * KiB + 1) == 5 * KiB && pinned_capacity(7 * KiB + 1) == 8 * KiB && pinned_capacity(8 * KiB + 1) == 10 * KiB);
  CHECK(pinned_capacity(602112) == 640 * KiB && pinned_capacity(64 * MiB) == 64 * MiB && pinned_capacity(64 * MiB + 1) == 66 * MiB);
  CHECK(error_of([] { pinned_capacity(~size_t{0}); }).rfind("ERR_OUT_OF_MEMORY: asked for 18446744073709551615 bytes of memory", 0) == 0);
  CHECK(error_of([] { take_pinned(size_t{1} << 60, 0); }).rfind("ERR_OUT_OF_MEMORY: asked for 1152921504606846976 bytes of memory", 0) == 0);
}

// NODE_TENSORRT_PINNED_LIMIT is 1 MiB.
void blocks() {
  auto first = take_pinned(100 * KiB, 0);
  void* const memory = first->get();
  CHECK(first->pinned() && first->capacity() == 112 * KiB && pinned_use().used == 112 * KiB && pinned_use().limit == MiB);
  first = nullptr;
  CHECK(pinned_use().used == 0 && pinned_use().cached == 112 * KiB);
  // Used again, also for a size a little smaller, and from another thread.
  std::thread([&] { first = take_pinned(95 * KiB, 0); }).join();
  CHECK(first->get() == memory && first->capacity() == 112 * KiB && pinned_use().cached == 0);
  first = take_pinned(50 * KiB, 0);
  CHECK(first->get() != memory && pinned_use().cached == 112 * KiB);
  // Beyond the limit: ordinary memory, and no word of a refusal.
  auto large = take_pinned(800 * KiB, 0);
  CHECK(large->pinned() && pinned_use().cached == 0 && pinned_use().used == (56 + 896) * KiB);
  auto const beyond = take_pinned(200 * KiB, 0);
  CHECK(!beyond->pinned() && pinned_use().refused.empty());
  std::memset(beyond->get(), 1, 200 * KiB);
  CHECK(!take_pinned(2 * MiB, 0)->pinned());
  // At most half of the limit is kept.
  std::vector<std::shared_ptr<PinnedBlock>> many;
  first = nullptr;
  for (int i = 0; i < 8; i++) many.push_back(take_pinned(16 * KiB, 0));
  large = nullptr;
  CHECK(pinned_use().cached <= MiB / 2);
  many.clear();
  CHECK(pinned_use().used == 0 && pinned_use().cached > 0 && pinned_use().cached <= MiB / 2);
}

// STANDIN_PINNED_LIMIT is 1 MiB, ours is larger.
void refused() {
  auto a = take_pinned(512 * KiB, 0);
  a = nullptr;
  // What is kept is given up before memory is refused.
  auto b = take_pinned(640 * KiB, 0);
  CHECK(b->pinned() && pinned_use().cached == 0 && pinned_use().refused.empty());
  a = take_pinned(512 * KiB, 0);
  CHECK(!a->pinned());
  CHECK(pinned_use().refused == "allocating page-locked memory failed: CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
  // Less is to be had, and so much again once the rest is given back.
  auto const c = take_pinned(256 * KiB, 0);
  CHECK(c->pinned());
  b = nullptr;
  b = take_pinned(700 * KiB, 0);
  CHECK(b->pinned() && pinned_use().cached == 0);
}

// Ordinary memory does as well.
void no_driver() {
  auto const block = take_pinned(100, 0);
  CHECK(!block->pinned() && !pinned_use().refused.empty() && pinned_use().used == 0);
}

void many_threads() {
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; t++) {
    threads.emplace_back([t] {
      use_device(0);
      for (int i = 0; i < 300; i++) {
        size_t const bytes = 1 + static_cast<size_t>(i * 7919 + t * 104729) % (300 * KiB);
        auto const block = filled(bytes, t);
        std::this_thread::yield();
        CHECK(is_filled(*block, bytes, t));
      }
    });
  }
  for (auto& one : threads) one.join();
  CHECK(pinned_use().used == 0);
}

void copies() {
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; t++) {
    threads.emplace_back([t] {
      for (size_t const bytes : {size_t{0}, size_t{1}, 511 * KiB, 512 * KiB, 513 * KiB + 1, 3 * MiB + 17, 40 * MiB + 3}) {
        std::vector<unsigned char> from(bytes), to(bytes + 1, 0xee);
        for (size_t i = 0; i < bytes; i++) from[i] = static_cast<unsigned char>(i * 31 + i / 4096 + t);
        PieceCopy copy(to.data(), from.data(), bytes);
        CHECK(copy.pieces() == 0 ? bytes == 0 : (bytes < 512 * KiB) == (copy.pieces() == 1));
        CHECK(copy.pieces() <= 32);
        // Another thread sends the pieces as they are ready.
        std::thread sender([&] {
          size_t next = 0;
          for (size_t i = 0; i < copy.pieces(); i++) {
            auto const [offset, size] = copy.range(i);
            CHECK(offset == next && size > 0);
            next += size;
            copy.wait(i);
            CHECK(copy.is_ready(i) && std::memcmp(to.data() + offset, from.data() + offset, size) == 0);
          }
          CHECK(next == bytes);
        });
        copy.finish();
        for (size_t i = 0; i < copy.pieces(); i++) CHECK(copy.is_ready(i));
        CHECK(std::equal(from.begin(), from.end(), to.begin()) && to[bytes] == 0xee);
        sender.join();
      }
    });
  }
  for (auto& one : threads) one.join();
}

}  // namespace

int main(int, char** arguments) {
  return run_check({{"capacities", capacities}, {"blocks", blocks}, {"refused", refused}, {"no_driver", no_driver}, {"many_threads", many_threads}, {"copies", copies}}, arguments[1]);
}
