// What the stand-ins share: the log, device addresses, and the environment.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>

namespace standin {

// Device memory is host memory whose addresses have this bit set: to touch it without a kernel is a crash.
constexpr uint64_t device_bit = uint64_t{1} << 60;
inline void* on_host(void const* address) { return reinterpret_cast<void*>(reinterpret_cast<uint64_t>(address) & ~device_bit); }
inline bool is_device(void const* address) { return reinterpret_cast<uint64_t>(address) & device_bit; }

// Not std::getenv's pointer: Node changes the environment while tests run.
inline std::string environment(char const* name) {
  char const* const value = std::getenv(name);
  return value ? value : "";
}

inline int thread_id() { return static_cast<int>(syscall(SYS_gettid)); }

// Breaks a rule that TensorRT or CUDA would answer with a crash or with nothing.
[[noreturn]] inline void die(std::string const& message) {
  std::fprintf(stderr, "stand-in: %s\n", message.c_str());
  std::fflush(stderr);
  std::abort();
}

inline std::string quoted(std::string const& text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    char escape[8];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 32) {
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + '"';
}

// One line of JSON in the file that STANDIN_LOG names. Lines of several threads and libraries are whole and in order.
class Line {
 public:
  Line(char const* at, std::string const& call) {
    text_ << "{\"at\":" << quoted(at) << ",\"thread\":" << thread_id() << ",\"call\":" << quoted(call);
  }
  ~Line() {
    std::string const path = environment("STANDIN_LOG");
    if (path.empty()) return;
    text_ << "}\n";
    std::string const line = text_.str();
    if (FILE* file = std::fopen(path.c_str(), "ae")) {
      std::fwrite(line.data(), 1, line.size(), file);
      std::fclose(file);
    }
  }
  Line& text(char const* key, std::string const& value) { return raw(key, quoted(value)); }
  Line& number(char const* key, int64_t value) { return raw(key, std::to_string(value)); }
  Line& flag(char const* key, bool value) { return raw(key, value ? "true" : "false"); }
  template <class List>
  Line& list(char const* key, List const& values) {
    std::string out;
    for (auto const& value : values) out += (out.empty() ? "" : ",") + std::to_string(value);
    return raw(key, "[" + out + "]");
  }
  Line& raw(char const* key, std::string const& value) {
    text_ << ",\"" << key << "\":" << value;
    return *this;
  }

 private:
  std::ostringstream text_;
};

}  // namespace standin
