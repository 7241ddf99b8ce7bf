// The threads that work: one for each lane, and several for runs.
#pragma once

#include <memory>

#include "guard.h"

namespace ntrt {

class Job;

// Gives the job to its lane. Throws ERR_THREAD if the system refuses a thread.
void post_to_lane(Lane lane, std::shared_ptr<Job> job);

// A run has ended, and often another follows at once: a thread of the run lane wakes meanwhile.
void expect_run();

}  // namespace ntrt
