#include "binding.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "../core/crashes.h"
#include "../core/handle.h"
#include "../weights/weights.h"
#include "channel.h"

namespace ntrt {

namespace {

// A mapping that another process can map; it stays while the handle lives.
struct Share {
  static constexpr char handle_kind[] = "a share";
  std::shared_ptr<Mapping> mapping;
};

Napi::Value open_channel(Napi::CallbackInfo const& info) {
  int ends[2];
  Channel::open(ends);
  auto object = Napi::Object::New(info.Env());
  object.Set("channel", make_handle(info.Env(), std::make_shared<Channel>(ends[0])));
  object.Set("end", Napi::Number::New(info.Env(), ends[1]));
  return object;
}

// In the child: the end that it was started with.
Napi::Value join_channel(Napi::CallbackInfo const& info) {
  int const fd = argument(info, 0).integer();
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return make_handle(info.Env(), std::make_shared<Channel>(fd));
}

Napi::Value hold_child(Napi::CallbackInfo const& info) {
  state_of<Channel>(argument(info, 0))->hold(argument(info, 1).integer());
  return info.Env().Undefined();
}

Napi::Value close_channel(Napi::CallbackInfo const& info) {
  state_of<Channel>(argument(info, 0))->close();
  return info.Env().Undefined();
}

Napi::Value close_end(Napi::CallbackInfo const& info) {
  close(argument(info, 0).integer());
  return info.Env().Undefined();
}

Napi::Value share(Napi::CallbackInfo const& info) {
  auto mapping = mapping_of(argument(info, 0));
  if (mapping->fd() < 0) return info.Env().Undefined();
  return make_handle(info.Env(), std::make_shared<Share>(Share{std::move(mapping)}));
}

Napi::Value place_in_share(Napi::CallbackInfo const& info) {
  auto const mapping = state_of<Share>(argument(info, 0))->mapping;
  auto const elements = argument(info, 1).elements();
  void* data = nullptr;
  napi_get_typedarray_info(elements.Env(), elements, nullptr, nullptr, &data, nullptr, nullptr);
  auto const at = reinterpret_cast<uintptr_t>(data), begin = reinterpret_cast<uintptr_t>(mapping->data());
  size_t const length = elements.ByteLength();
  bool const inside = at >= begin && at - begin <= mapping->size() && length <= mapping->size() - (at - begin);
  if (!inside || !mapping->is_as_shared(at - begin, length)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(at - begin));
}

Napi::Value send_share(Napi::CallbackInfo const& info) {
  auto const channel = state_of<Channel>(argument(info, 0));
  return Napi::Boolean::New(info.Env(), channel->send(*state_of<Share>(argument(info, 1))->mapping));
}

Napi::Value receive_mapping(Napi::CallbackInfo const& info) {
  return mapping_value(info.Env(), state_of<Channel>(argument(info, 0))->receive_mapping());
}

Napi::Value send_plan(Napi::CallbackInfo const& info) {
  state_of<Channel>(argument(info, 0))->send(*state_of<Plan>(argument(info, 1)));
  return info.Env().Undefined();
}

Napi::Value receive_plan(Napi::CallbackInfo const& info) {
  auto plan = std::make_shared<Plan>(state_of<Channel>(argument(info, 0))->receive_plan());
  size_t const size = plan->size;
  return make_handle(info.Env(), std::move(plan), size);
}

// Where memory runs out, the system ends this process and not its parent.
void be_first_to_go() {
  int const fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  char text[16] = {};
  long const now = read(fd, text, sizeof(text) - 1) > 0 ? std::strtol(text, nullptr, 10) : 0;
  auto const wanted = std::to_string(std::min(1000l, now + 500));
  if (pwrite(fd, wanted.data(), wanted.size(), 0) < 0) {
    // as likely as the parent, then
  }
  close(fd);
}

Napi::Value serve_parent(Napi::CallbackInfo const& info) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  be_first_to_go();
  set_disposable();
  return info.Env().Undefined();
}

template <Napi::Value (*function)(Napi::CallbackInfo const&)>
Napi::Value exported(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] { return function(info); });
}

}  // namespace

void register_isolate(Napi::Env env, Napi::Object exports) {
  exports.Set("openChannel", Napi::Function::New<exported<open_channel>>(env));
  exports.Set("joinChannel", Napi::Function::New<exported<join_channel>>(env));
  exports.Set("closeEnd", Napi::Function::New<exported<close_end>>(env));
  exports.Set("holdChild", Napi::Function::New<exported<hold_child>>(env));
  exports.Set("closeChannel", Napi::Function::New<exported<close_channel>>(env));
  exports.Set("share", Napi::Function::New<exported<share>>(env));
  exports.Set("placeInShare", Napi::Function::New<exported<place_in_share>>(env));
  exports.Set("sendShare", Napi::Function::New<exported<send_share>>(env));
  exports.Set("receiveMapping", Napi::Function::New<exported<receive_mapping>>(env));
  exports.Set("sendPlan", Napi::Function::New<exported<send_plan>>(env));
  exports.Set("receivePlan", Napi::Function::New<exported<receive_plan>>(env));
  exports.Set("serveParent", Napi::Function::New<exported<serve_parent>>(env));
}

}  // namespace ntrt
