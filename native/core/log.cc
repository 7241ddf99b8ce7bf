#include "log.h"

#include <algorithm>

namespace ntrt {

namespace {

thread_local LogSink* thread_sink = nullptr;
std::mutex everywhere_mutex;
LogSink* everywhere_sink = nullptr;

}  // namespace

void log_line(int32_t severity, char const* text) noexcept {
  try {
    auto level = static_cast<Severity>(std::clamp(severity, 0, 4));
    if (thread_sink) {
      thread_sink->add(level, text);
      return;
    }
    std::lock_guard lock(everywhere_mutex);
    if (everywhere_sink) everywhere_sink->add(level, text);
  } catch (...) {
    // Running out of memory for a log line must not end the process.
  }
}

void LogSink::add(Severity severity, char const* text) {
  if (severity > level_) return;
  Line line{severity, text ? text : ""};
  {
    std::lock_guard lock(mutex_);
    if (lines_.size() < 10000) lines_.push_back(line);
  }
  if (listener) listener(line);
}

size_t LogSink::failures() const {
  std::lock_guard lock(mutex_);
  return std::count_if(lines_.begin(), lines_.end(), [](Line const& line) { return line.severity <= Severity::error; });
}

std::vector<std::string> LogSink::errors() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (auto const& line : lines_) {
    if (line.severity <= Severity::warning) texts.push_back(line.text);
  }
  return texts;
}

LogScope::LogScope(LogSink& sink, bool everywhere) : outer_(thread_sink), outer_everywhere_(nullptr), everywhere_(everywhere) {
  thread_sink = &sink;
  if (everywhere_) {
    std::lock_guard lock(everywhere_mutex);
    outer_everywhere_ = everywhere_sink;
    everywhere_sink = &sink;
  }
}

LogScope::~LogScope() {
  thread_sink = outer_;
  if (everywhere_) {
    std::lock_guard lock(everywhere_mutex);
    everywhere_sink = outer_everywhere_;
  }
}

}  // namespace ntrt
