// IErrorRecorder of the caller's.
#pragma once

#include "abi.h"

namespace standin {

// Counted while it is set. What has none reports to the one above: context, engine, runtime.
class Recorder {
 public:
  explicit Recorder(Recorder const* above = nullptr) : above_(above) {}
  Recorder(Recorder const&) = delete;
  ~Recorder() { set(nullptr); }
  void set(void* object) {
    if (object) invoke<int32_t>(object, slot::IErrorRecorder::incRefCount);
    if (object_) invoke<int32_t>(object_, slot::IErrorRecorder::decRefCount);
    object_ = object;
  }
  void* get() const { return object_; }
  // Writes to the log too. The code is the one in "…: Error Code 3: …".
  void report(std::string const& text) const {
    log(error, text);
    void* const to = object_ ? object_ : above_ ? above_->nearest() : nullptr;
    size_t const at = text.find("Error Code ");
    if (to) invoke<bool>(to, slot::IErrorRecorder::reportError, at == std::string::npos ? 1 : std::stoi(text.substr(at + 11)), text.c_str());
  }

 private:
  void* nearest() const { return object_ ? object_ : above_ ? above_->nearest() : nullptr; }
  Recorder const* above_;
  void* object_ = nullptr;
};

}  // namespace standin
