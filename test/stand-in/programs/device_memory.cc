// Memory of GPUs, events, turns and graphs.
#include <chrono>

#include "../../../native/cuda/device_memory.h"
#include "../../../native/cuda/graph.h"
#include "../../../native/cuda/memory.h"
#include "check.h"

using namespace ntrt;

namespace {

void write(DeviceMemory& memory, Stream const& stream, std::shared_ptr<PinnedBlock> const& from) {
  memory.before_write(stream);
  stream.to_device(memory.get(), from->get(), memory.bytes(), "writing");
  memory.after_write(Event::record(stream));
}
std::shared_ptr<PinnedBlock> read(DeviceMemory& memory, Stream const& stream) {
  auto to = take_pinned(memory.bytes(), memory.device());
  memory.before_read(stream);
  stream.to_host(to->get(), memory.get(), memory.bytes(), "reading");
  memory.after_read(Event::record(stream));
  return to;
}

// Events are used again.
void events() {
  use_device(0);
  Stream const stream = Stream::create();
  for (int i = 0; i < 20'000; i++) {
    auto const event = Event::record(stream);
    if (i % 4 == 0) event->synchronize();
  }
  auto const last = Event::record(stream);
  last->synchronize();
  CHECK(last->is_done() && last->was_done());
  auto const polled = Event::record(stream);
  while (!polled->is_done()) std::this_thread::yield();
  CHECK(polled->was_done());
  // Four threads, two devices.
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([t] {
      use_device(t % 2);
      Stream const own = Stream::create();
      for (int i = 0; i < 500; i++) Event::record(own)->synchronize();
    });
  }
  for (auto& one : threads) one.join();
}

// Readers see what the last writer wrote, and no writer overtakes a reader, however far behind one is.
void order() {
  use_device(0);
  Stream const a = Stream::create(), b = Stream::create(-1), c = Stream::create();
  auto const memory = DeviceMemory::allocate(0, 64 * KiB, &a), other = DeviceMemory::allocate(0, 64, &b);
  auto const block = filled(64, 1);
  std::vector<std::pair<std::shared_ptr<PinnedBlock>, int>> results;
  std::vector<std::shared_ptr<PinnedBlock>> sources;
  for (int i = 1; i < 60; i++) {
    sources.push_back(filled(64 * KiB, i));
    write(*memory, i % 5 ? a : b, sources.back());
    for (int k = 0; k < 4; k++) write(*other, b, block);
    results.emplace_back(read(*memory, b), i);
    results.emplace_back(read(*memory, c), i);
  }
  for (auto const* stream : {&a, &b, &c}) stream->synchronize("waiting");
  for (auto const& [result, byte] : results) CHECK(is_filled(*result, 64 * KiB, byte));
}

// Memory that is let go while it is used stays until its users are done; the stand-in ends the process otherwise.
void letting_go() {
  use_device(0);
  auto source = filled(256 * KiB, 7);
  for (int i = 0; i < 50; i++) {
    Stream const a = Stream::create(), b = Stream::create();
    auto memory = DeviceMemory::allocate(0, 256 * KiB, i % 2 ? &a : nullptr);
    write(*memory, a, source);
    auto const result = read(*memory, b);
    memory = nullptr;
    if (i % 5 == 0) a.synchronize("waiting");
    b.synchronize("waiting");
    CHECK(is_filled(*result, 256 * KiB, 7));
    // From a thread with no device.
    auto other = DeviceMemory::allocate(0, 0, &a);
    std::thread([&] { other = nullptr; }).join();
  }
  for (int i = 0; Heap::of(0).use().used != 0; i++) {
    CHECK(i < 1000);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void out_of_memory() {
  use_device(0);
  auto const asked = error_of([] { DeviceMemory::allocate(0, 9 * MiB, nullptr); });
  CHECK(asked == "ERR_OUT_OF_MEMORY: asked for 9437184 bytes of memory of GPU 0, 8388608 of 8388608 are free");
  auto large = DeviceMemory::allocate(0, 5 * MiB, nullptr);
  CHECK(Heap::of(0).use().used == 5 * MiB);
  CHECK(error_of([] { DeviceBuffer().reserve(4 * MiB); }) == "ERR_OUT_OF_MEMORY: asked for 4194304 bytes of memory of GPU 0, 3145728 of 8388608 are free");
  large = nullptr;
  {
    // What the pool kept is given back for it.
    DeviceBuffer buffer;
    buffer.reserve(6 * MiB);
    CHECK(Heap::of(0).use().used == 6 * MiB);
    CHECK(error_of([&] { buffer.reserve(9 * MiB); }) != "" && buffer.get() == nullptr);
    buffer.reserve(1 * MiB);
  }
  // Memory that still waits for its users is waited for.
  Stream const stream = Stream::create();
  auto const source = filled(5 * MiB, 1);
  large = DeviceMemory::allocate(0, 5 * MiB, &stream);
  write(*large, stream, source);
  large = nullptr;
  auto all = DeviceMemory::allocate(0, 8 * MiB, nullptr);
  Event::record(Heap::of(0).streams().allocating)->synchronize();
  // It is freed from a thread that has no device.
  std::thread([&] { all = nullptr; }).join();
  CHECK(DeviceMemory::allocate(0, 8 * MiB, nullptr)->get() != nullptr);
}

void turns() {
  auto const memory = DeviceMemory::wrap(0, 256, 16);
  std::vector<int> order;
  Turn writer, reader, other_reader, last;
  writer.writes(*memory);
  reader.reads(*memory);
  other_reader.reads(*memory);
  last.reads(*memory);
  last.writes(*memory);
  last.when_ready([&] { order.push_back(4); });
  reader.when_ready([&] { order.push_back(2); });
  other_reader.when_ready([&] { order.push_back(3); });
  CHECK(order.empty());
  writer.when_ready([&] { order.push_back(1); });
  CHECK((order == std::vector<int>{1}));
  writer.pass();
  CHECK((order == std::vector<int>{1, 2, 3}));
  reader.pass();
  CHECK(order.size() == 3);
  other_reader.pass();
  other_reader.pass();
  CHECK((order == std::vector<int>{1, 2, 3, 4}));
  last.pass();

  // Each makes the next ready, in a chain that is longer than a stack; one that waits does so on another thread.
  constexpr int length = 100'000;
  std::vector<std::unique_ptr<Turn>> chain;
  int called = 0;
  for (int i = 0; i < length; i++) {
    chain.push_back(std::make_unique<Turn>());
    chain.back()->writes(*memory);
    if (i > 0) chain.back()->when_ready([&, i] {
      CHECK(++called == i);
      chain[static_cast<size_t>(i)]->pass();
    });
  }
  Turn waiting;
  waiting.reads(*memory);
  bool waited = false;
  std::thread thread([&] {
    waiting.wait();
    waited = true;
  });
  chain[0] = nullptr;  // a turn that is let go passes
  thread.join();
  CHECK(called == length - 1 && waited);
  // What waits for a turn that passes without being ready is not called.
  Turn dropped;
  dropped.writes(*memory);
  dropped.when_ready([] { fail("a turn that passed was called"); });
  dropped.pass();
  waiting.pass();
}

void graphs() {
  use_device(0);
  Stream const stream = Stream::create();
  auto const memory = DeviceMemory::allocate(0, KiB, &stream);
  auto const from = filled(KiB, 5), to = filled(KiB, 0);
  stream.begin_capture();
  CHECK(stream.is_capturing());
  stream.to_device(memory->get(), from->get(), KiB, "writing");
  stream.to_host(to->get(), memory->get(), KiB, "reading");
  CudaGraph graph = CudaGraph::end_capture(stream);
  CHECK(!stream.is_capturing() && graph && is_filled(*to, KiB, 0));
  graph.upload(stream);
  for (int byte = 6; byte < 12; byte++) {
    std::memset(from->get(), byte, KiB);
    graph.launch(stream);
    stream.synchronize("waiting");
    CHECK(is_filled(*to, KiB, byte));
  }
  // A capture that fails says why, and the stream works on.
  stream.begin_capture();
  CHECK(error_of([&] { stream.synchronize("waiting"); }).rfind("ERR_CUDA: ", 0) == 0);
  CHECK(error_of([&] { CudaGraph::end_capture(stream); }).rfind("ERR_CAPTURE: capturing failed: CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", 0) == 0);
  CHECK(!stream.is_capturing());
  stream.begin_capture();
  CudaGraph::abandon_capture(stream);
  CudaGraph::abandon_capture(stream);
  CHECK(!stream.is_capturing());
  // Launches that are under way go on without it.
  std::memset(from->get(), 99, KiB);
  graph.launch(stream);
  std::thread([&] { graph = CudaGraph(); }).join();
  stream.synchronize("waiting");
  CHECK(is_filled(*to, KiB, 99));
}

void devices() {
  use_device(1);
  auto const memory = DeviceMemory::allocate(0, KiB, nullptr);
  CHECK(current_device() == 1 && memory->device() == 0);
  {
    OnDevice const on(0);
    Stream const stream = Stream::create();
    CHECK(stream.device() == 0);
    auto const source = filled(KiB, 3);
    write(*memory, stream, source);
    stream.synchronize("waiting");
  }
  Stream const stream = Stream::create();
  CHECK(current_device() == 1 && stream.device() == 1);
  // One block for both.
  auto const block = take_pinned(KiB, 0);
  auto const other = DeviceMemory::allocate(1, KiB, &stream);
  write(*other, stream, block);
  stream.synchronize("waiting");
  CHECK(error_of([] { DeviceMemory::allocate(2, KiB, nullptr); }) == "ERR_NO_GPU: there is no GPU 2; the driver reports 2");
  CHECK(current_device() == 1);
}

// Nothing that is let go after the context is lost ends the process.
void lost() {
  use_device(0);
  Stream const stream = Stream::create();
  auto memory = DeviceMemory::allocate(0, KiB, &stream);
  auto block = take_pinned(KiB, 0);
  error_of([] { lose_device(0, "it failed", {}); });
  memory = nullptr;
  block = nullptr;
  CHECK(error_of([] { DeviceMemory::allocate(0, KiB, nullptr); }).rfind("ERR_CUDA_CONTEXT_LOST: it failed", 0) == 0);
  CHECK(!take_pinned(MiB, 0)->pinned());
}

}  // namespace

int main(int, char** arguments) {
  return run_check({{"events", events}, {"order", order}, {"letting_go", letting_go}, {"out_of_memory", out_of_memory}, {"turns", turns}, {"graphs", graphs}, {"devices", devices}, {"lost", lost}}, arguments[1]);
}
