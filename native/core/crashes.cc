#include "crashes.h"

#include <atomic>
#include <iterator>
#include <map>
#include <mutex>

#include "error.h"

namespace ntrt {

namespace {

// Written by the watch thread.
struct Crashes {
  std::mutex mutex;
  std::map<std::pair<Library const*, Lane>, std::string> texts;
  std::atomic<bool> any[std::size(all_lanes)] = {};
  std::atomic<Library const*> last[std::size(all_lanes)] = {};  // the library last called in a lane
};

Crashes& crashes() {
  static auto* instance = new Crashes;
  return *instance;
}

std::atomic<bool> disposable{false};

bool serves_engines(Lane lane) { return lane == Lane::engine || lane == Lane::run || lane == Lane::free; }

}  // namespace

void set_disposable() { disposable = true; }

bool is_disposable() { return disposable; }

bool has_crashed(Lane lane) { return crashes().any[static_cast<int>(lane)]; }

bool has_crashed_running() {
  for (Lane const lane : all_lanes) {
    if (serves_engines(lane) && has_crashed(lane)) return true;
  }
  return false;
}

bool has_crashed() {
  for (Lane const lane : all_lanes) {
    if (has_crashed(lane)) return true;
  }
  return false;
}

void set_last_called(Lane lane, Library const* library) { crashes().last[static_cast<int>(lane)] = library; }

void add_crash(Library const* library, Lane lane, std::string text) {
  auto& all = crashes();
  auto const index = static_cast<int>(lane);
  std::lock_guard lock(all.mutex);
  all.texts.emplace(std::pair(library ? library : all.last[index].load(), lane), std::move(text));
  all.any[index] = true;
}

void check_not_crashed(Library const& library, Lane lane) {
  auto& all = crashes();
  if (!has_crashed()) return;
  std::lock_guard lock(all.mutex);
  for (Lane const one : all_lanes) {
    auto const found = all.texts.find({&library, one});
    // Engines run on after a crash of the builder, or of a plugin that was only asked about its outputs.
    if (found == all.texts.end() || (!serves_engines(one) && serves_engines(lane))) continue;
    throw Error("ERR_TENSORRT_CRASHED", library.product + " cannot be used again in this process: it crashed while " + found->second + "; start another process");
  }
}

}  // namespace ntrt
