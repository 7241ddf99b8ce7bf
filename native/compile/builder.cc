#include "builder.h"

#include <map>

namespace ntrt {

Builder* builder_of(Api const& api, LogSink const& log) {
  static auto* const builders = new std::map<std::string, Builder*>;
  Builder*& builder = (*builders)[api.path];
  if (!builder) {
    void* created = api.create_builder(api.logger, api.release);
    if (is_null(created)) {
      // The error carries TensorRT's own log; guess only if it is empty.
      std::string const guess = log.failures() > 0 ? "" : " (it needs a GPU it supports)";
      throw Error("ERR_BUILDER", "TensorRT " + release_name(api.release) + " could not create a builder" + guess);
    }
    builder = static_cast<Builder*>(created);
  }
  return builder;
}

KeepThreads::KeepThreads(Api const& api, Builder* builder) : api_(api), builder_(builder), before_(call<m::Builder::getMaxThreads>(api, builder)) {}

KeepThreads::~KeepThreads() {
  if (call<m::Builder::getMaxThreads>(api_, builder_) != before_) call<m::Builder::setMaxThreads>(api_, builder_, before_);
}

}  // namespace ntrt
