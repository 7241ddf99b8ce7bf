// The threads that work: one for each lane, and several for runs.
#pragma once

#include <chrono>
#include <memory>

#include "guard.h"

namespace ntrt {

class Job;

// Gives the job to its lane. Throws ERR_THREAD if the system refuses a thread.
void post_to_lane(Lane lane, std::shared_ptr<Job> job);

// A run ends within so long, and often another follows at once: a thread of the run lane wakes meanwhile.
void expect_run(std::chrono::nanoseconds within);

// Whether threads look for work for a moment before they sleep, which costs time of a core: where there are more than two,
// unless NODE_TENSORRT_SPIN is 0 or 1.
bool may_spin();

}  // namespace ntrt
