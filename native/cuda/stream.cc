#include "stream.h"

#include <atomic>

#include "device.h"
#include "event.h"

namespace ntrt {

Stream Stream::create(int priority) {
  constexpr unsigned non_blocking = 1;  // CU_STREAM_NON_BLOCKING
  static std::atomic<uint64_t> made{0};
  Stream stream;
  check_cuda(driver().cuStreamCreateWithPriority(&stream.stream_, non_blocking, priority), "creating a stream");
  stream.device_ = current_device();
  stream.id_ = ++made;
  return stream;
}

void Stream::wait(Event const& event) const {
  if (event.stream_id() == id_ || event.was_done()) return;
  check_cuda(driver().cuStreamWaitEvent(stream_, event.get(), 0), "waiting for another stream");
}

void Stream::begin_capture() const {
  constexpr int thread_local_mode = 1;  // CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
  need(reinterpret_cast<void const*>(driver().cuStreamBeginCapture_v2), "cuStreamBeginCapture_v2", "CUDA graphs");
  need(reinterpret_cast<void const*>(driver().cuGraphInstantiateWithFlags), "cuGraphInstantiateWithFlags", "CUDA graphs");
  check_cuda(driver().cuStreamBeginCapture_v2(stream_, thread_local_mode), "cuStreamBeginCapture");
}

bool Stream::is_capturing() const {
  int status = 0;
  return driver().cuStreamIsCapturing && driver().cuStreamIsCapturing(stream_, &status) == 0 && status != 0;
}

}  // namespace ntrt
