#include "log.h"

#include <algorithm>

namespace ntrt {

namespace {

thread_local LogSink* thread_sink = nullptr;
std::mutex everywhere_mutex;
LogSink* everywhere_sink = nullptr;

}  // namespace

namespace {

// Calls `add` with the calling thread's sink.
template <class F>
void to_sink(F&& add) noexcept {
  try {
    if (thread_sink) return add(*thread_sink);
    std::lock_guard lock(everywhere_mutex);
    if (everywhere_sink) add(*everywhere_sink);
  } catch (...) {
    // Running out of memory for a log line must not end the process.
  }
}

}  // namespace

void log_line(int32_t severity, char const* text) noexcept {
  to_sink([&](LogSink& sink) { sink.add(static_cast<Severity>(std::clamp(severity, 0, 4)), text); });
}

void log_error(char const* code, char const* text) noexcept {
  to_sink([&](LogSink& sink) { sink.add_error(code, text); });
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

void LogSink::add_error(char const* code, char const* text) {
  {
    std::lock_guard lock(mutex_);
    if (code_.empty()) code_ = code;
    if (!lines_.empty() && text && lines_.back().text == text) return;
  }
  add(Severity::error, text);
}

std::string LogSink::code() const {
  std::lock_guard lock(mutex_);
  return code_;
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
