// Log lines of the libraries we call, collected per job.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace ntrt {

enum class Severity { internal_error, error, warning, info, verbose };

// Collects the log lines of one job. Lines from a thread without a sink go to the job that is building.
class LogSink {
 public:
  struct Line {
    Severity severity;
    std::string text;
  };
  explicit LogSink(Severity level = Severity::warning) : level_(level) {}
  void add(Severity severity, char const* text);
  // An error with TensorRT's code. TensorRT gives it to a recorder in place of the logger; a release that gives it to both is heard once.
  void add_error(char const* code, char const* text);
  // Error and warning lines so far, oldest first.
  std::vector<std::string> errors() const;
  // Number of error lines so far.
  size_t failures() const;
  // The code of the first error that has one, e.g. kINVALID_ARGUMENT; empty if none has.
  std::string code() const;
  // Called for every kept line, on whichever thread logs.
  std::function<void(Line const&)> listener;

 private:
  mutable std::mutex mutex_;
  Severity level_;
  std::vector<Line> lines_;
  std::string code_;
};

// While it exists, this thread's log lines go to `sink`; with `everywhere`, so do those of threads without a scope.
class LogScope {
 public:
  LogScope(LogSink& sink, bool everywhere);
  ~LogScope();
  LogScope(LogScope const&) = delete;

 private:
  LogSink* outer_;
  LogSink* outer_everywhere_;
  bool everywhere_;
};

// Passes a line to the calling thread's sink.
void log_line(int32_t severity, char const* text) noexcept;
// The same for an error with TensorRT's code.
void log_error(char const* code, char const* text) noexcept;

}  // namespace ntrt
