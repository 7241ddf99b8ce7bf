#include "context.h"

#include <thread>

#include "../core/handle.h"
#include "../core/lanes.h"
#include "../plugin/failure.h"
#include "completer.h"

namespace ntrt {

namespace {

// Runs without buffers of ours that may be on their way at the same time.
constexpr int most_in_flight = 32;

using Clock = std::chrono::steady_clock;
// What a thread waits for without a break.
constexpr Pace::Duration soon = std::chrono::microseconds(100);

}  // namespace

ContextState::~ContextState() {
  try {
    use_device(engine->device);
    compute.synchronize("waiting for the last run");
  } catch (...) {
  }
  try {
    graphs.entries.clear();
    {
      std::lock_guard const apart(engine->refit_mutex);
      created = CreatedContext();
    }
    debug = nullptr;
    auxiliary.clear();
    run_buffers.clear();
    compute = Stream();
    in = Stream();
    out = Stream();
  } catch (...) {
  }
}

RunBuffers* ContextState::free_buffers() {
  for (auto& one : run_buffers) {
    if (!one.busy) return &one;
  }
  return nullptr;
}

// The next job to submit, which gets the turn; the mutex is held.
std::shared_ptr<ContextJob> ContextState::next() {
  if (taken_ || waits_at_gate_ || waiting_.empty() || in_flight_ >= most_in_flight || !waiting_.front()->is_ready_) return nullptr;
  RunBuffers* const buffers = free_buffers();
  if (waiting_.front()->with_buffers_ && !buffers) return nullptr;
  // The context is the job's, so it is there when the refit ends.
  waits_at_gate_ = !engine->gate.enter([context = waiting_.front()->context_] { context->enter_gate_again(); });
  if (waits_at_gate_) return nullptr;
  auto job = std::move(waiting_.front());
  waiting_.pop_front();
  if (job->with_buffers_) {
    job->buffers_ = buffers;
    buffers->busy = true;
  }
  in_flight_++;
  taken_ = true;
  job->has_turn_ = job->is_running_ = true;
  return job;
}

void ContextState::post(std::shared_ptr<ContextJob> const& job) {
  if (!job) return;
  try {
    job->post();
  } catch (...) {
    job->end(std::current_exception());
  }
}

void ContextState::add(std::shared_ptr<ContextJob> job) {
  std::shared_ptr<ContextJob> ready;
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(job));
    ready = next();
  }
  post(ready);
}

bool ContextState::has_one_run() {
  std::lock_guard lock(mutex_);
  return in_flight_ == 1 && waiting_.empty();
}

std::string ContextState::graph_refusal() {
  std::lock_guard lock(mutex_);
  return graph_refusal_;
}

void ContextState::refuse_graphs(std::string why) {
  graphs.limit = 0;
  graphs.entries.clear();
  std::lock_guard lock(mutex_);
  graph_refusal_ = std::move(why);
}

void ContextState::look_again() {
  std::shared_ptr<ContextJob> ready;
  {
    std::lock_guard lock(mutex_);
    ready = next();
  }
  post(ready);
}

void ContextState::enter_gate_again() {
  {
    std::lock_guard lock(mutex_);
    waits_at_gate_ = false;
  }
  look_again();
}

std::shared_ptr<ContextJob> ContextState::find(int64_t ticket) {
  std::lock_guard lock(mutex_);
  for (auto const& job : waiting_) {
    if (job->ticket_ == ticket) return job;
  }
  return nullptr;
}

void ContextState::remove(ContextJob const* job) {
  std::shared_ptr<ContextJob> ready;
  {
    std::lock_guard lock(mutex_);
    for (auto one = waiting_.begin(); one != waiting_.end(); ++one) {
      if (one->get() != job) continue;
      waiting_.erase(one);
      break;
    }
    ready = next();
    changed_.notify_all();
  }
  post(ready);
}

RunBuffers* ContextState::wait_for_turn(bool with_buffers) {
  std::unique_lock lock(mutex_);
  RunBuffers* buffers = nullptr;
  changed_.wait(lock, [&] {
    buffers = with_buffers ? free_buffers() : nullptr;
    return !taken_ && waiting_.empty() && (buffers || !with_buffers);
  });
  taken_ = true;
  in_flight_++;
  if (buffers) buffers->busy = true;
  lock.unlock();
  // With the turn, which a refit does not need: with the gate, it would keep out a refit that runs in the queue wait for.
  engine->gate.enter();
  return buffers;
}

void ContextState::end_turn() {
  std::shared_ptr<ContextJob> ready;
  {
    std::lock_guard lock(mutex_);
    taken_ = false;
    ready = next();
    changed_.notify_all();
  }
  post(ready);
}

void ContextState::end_run(RunBuffers* buffers) {
  std::shared_ptr<ContextJob> ready;
  {
    std::lock_guard lock(mutex_);
    if (buffers) buffers->busy = false;
    in_flight_--;
  }
  engine->gate.leave();
  {
    std::lock_guard lock(mutex_);
    ready = next();
    changed_.notify_all();
  }
  post(ready);
}

void use_tensors(Turn& turn, ContextState const& context, Placements const& placements) {
  auto const& io = context.engine->io;
  if (context.activations) turn.writes(*context.activations);
  for (size_t i = 0; i < io.size(); i++) {
    if (!placements[i].device) continue;
    bool const is_in_place = io[i].alias >= 0 && placements[static_cast<size_t>(io[i].alias)].device == placements[i].device;
    if (io[i].input && !is_in_place) {
      turn.reads(*placements[i].device);
    } else if (!io[i].input) {
      turn.writes(*placements[i].device);
    }
  }
}

void ContextJob::begin(Placements const& placements) {
  auto const self = std::static_pointer_cast<ContextJob>(shared_from_this());
  use_tensors(tensors_, *context_, placements);
  context_->add(self);
  tensors_.when_ready([self] {
    self->is_ready_ = true;
    self->context_->look_again();
  });
}

void ContextJob::work() {
  auto const& engine = *context_->engine;
  enter_library(engine.api.get(), "running an engine");
  std::shared_ptr<Event> done;
  auto const begun = Clock::now();
  try {
    use_device(engine.device);
    engine.require_weights();
    done = submit(buffers_);
  } catch (...) {
    end_turn();
    rethrow_run_error(engine);
  }
  auto const submitted = Clock::now();
  defer_end();
  if (waits_for(done, begun, submitted)) return;
  auto const self = std::static_pointer_cast<ContextJob>(shared_from_this());
  try {
    // Before the next one gets its turn, so that they end in order.
    complete_when_done({done, [self](std::exception_ptr error) { self->complete(std::move(error)); }, context_->pace, [self](Pace::Duration within) { self->expect_end(within); }, submitted});
  } catch (...) {
    driver().cuEventSynchronize(done->get());  // the job's memory goes with it
    throw;
  }
  end_turn();
}

// Threads that sleep take long to wake.
void ContextJob::expect_end(Pace::Duration within) {
  if (!may_spin()) return;
  wake_environment(within);
  expect_run(within);
}

// A run that ends at once is waited for here: to hand it over takes as long. Returns whether it is over.
bool ContextJob::waits_for(std::shared_ptr<Event> const& done, Clock::time_point begun, Clock::time_point submitted) {
  auto const usual = context_->pace->usual();
  if (!may_spin() || usual.count() == 0 || usual > soon) return false;
  tensors_.pass();
  // The event loop may have fallen asleep while this was submitted.
  if (submitted - begun + usual > soon) wake_environment(usual);
  while (context_->has_one_run()) {
    bool over = false;
    std::exception_ptr error;
    try {
      over = done->is_done();
    } catch (...) {
      error = std::current_exception();
    }
    auto const age = Clock::now() - submitted;
    if (over) context_->pace->learn(age);
    if (over || error) {
      complete(std::move(error));
      return true;
    }
    if (age > 2 * soon) return false;
    std::this_thread::yield();  // others use the driver meanwhile
  }
  return false;
}

// On the completer's thread, or on the job's.
void ContextJob::complete(std::exception_ptr error) {
  if (!error) {
    end(nullptr);
    return expect_run(Pace::Duration::zero());
  }
  try {
    try {
      std::rethrow_exception(error);
    } catch (...) {
      rethrow_run_error(*context_->engine);
    }
  } catch (...) {
    end(std::current_exception());
  }
}

void ContextJob::end_turn() {
  tensors_.pass();
  if (has_turn_.exchange(false)) context_->end_turn();
}

// After a crash, too: those that wait are told by `enter_library`.
void ContextJob::leave() {
  if (!is_running_) {
    tensors_.pass();
    context_->remove(this);
  }
  // Before it was removed, another thread may have given it the turn.
  if (!is_running_.exchange(false)) return;
  end_turn();
  context_->end_run(buffers_);
}

void rethrow_run_error(EngineState const& engine) {
  try {
    throw;
  } catch (Error const& error) {
    if (error.code != "ERR_CUDA_CONTEXT_LOST") throw;
    lose_device(engine.device, error.what(), engine.plugins);
  }
}

}  // namespace ntrt
