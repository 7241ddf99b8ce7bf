// IExecutionContext.
#pragma once

#include <atomic>
#include <set>

#include "activation.h"
#include "engine.h"

namespace standin {

enum Strategy { kSTATIC, kON_PROFILE_CHANGE, kUSER_MANAGED };

struct Context : Handle {
  Engine& engine;
  Plan const& plan;
  Recorder recorder;
  std::vector<std::unique_ptr<Plugin>> plugins;  // attached; null for other layers, and where attachToContext refused
  bool unusable = false;
  int32_t profile = 0;
  std::map<int32_t, Dims> shapes;        // of inputs
  std::map<int32_t, void*> addresses;    // of inputs and outputs
  std::map<int32_t, void*> allocators;   // IOutputAllocator
  std::map<int32_t, void*> allocated;    // what they gave
  std::map<int32_t, int64_t> sizes;      // what size tensors held
  std::map<int32_t, int32_t> shares;     // an output inside the network: the input whose memory it has
  bool changed = true;
  std::atomic<bool> is_enqueuing{false};

  int32_t strategy;
  Layout layout;          // of the profile; with memory for all profiles, of the largest
  Memory own;             // unless it is the user's
  void* given = nullptr;  // the user's
  int64_t given_bytes = -1;

  void* profiler = nullptr;
  bool emits_profile = true;
  bool has_profile = false;  // of an enqueue that is not yet reported
  void* listener = nullptr;
  std::set<int32_t> debugged;
  void* consumed = nullptr;  // an event
  std::vector<void*> aux_streams;
  void* aux_events[2] = {};

  Context(Engine& engine, int32_t strategy);
  ~Context();

  // context.cc
  Leaf leaf(bool upper);
  Dims dims(int32_t tensor, bool upper, bool* failed = nullptr) { return plan.evaluate(plan.tensors[tensor], leaf(upper), failed); }
  bool check_shapes(std::vector<int32_t>* missing);
  void* address(int32_t tensor);
  void* activation() { return strategy == kUSER_MANAGED ? given : own.get(); }
  void choose_profile(int32_t which);

  // enqueue.cc
  bool enqueue(void* stream);
  bool report_layers();

 private:
  bool fail(std::string const& text) const { return recorder.report("IExecutionContext::enqueueV3: " + text), false; }
  bool check();
  bool check_memory();
  bool tell_shapes();
  bool run_layers(void* stream);
  bool run_plugin(size_t layer, void* stream);
  bool compute(PlanLayer const& layer, void* stream);
  bool use_aux_streams(void* stream);
  bool allocate(int32_t output, void* stream);
  void notify(int32_t output);
  void show(PlanLayer const& layer, void* stream);
};

}  // namespace standin
