// Graphs: operations that a capture recorded, which a launch does again in their order.
#include "counters.h"
#include "state.h"

extern "C" {

int cuGraphDestroy(void* handle) {
  auto const lock = locked();
  if (!state().graphs.find(handle, "cuGraphDestroy")) return invalid_handle;
  state().graphs.remove(handle);
  counters().graphs--;
  return success;
}
int cuGraphGetNodes(void* handle, void** nodes, size_t* count) {
  auto const lock = locked();
  auto const graph = state().graphs.find(handle, "cuGraphGetNodes");
  if (!graph) return invalid_handle;
  if (nodes) return not_supported;
  return *count = graph->operations.size(), success;
}

int cuGraphInstantiateWithFlags(void** exec, void* handle, unsigned long long) {
  auto const lock = locked();
  if (int const result = usable()) return result;
  auto const graph = state().graphs.find(handle, "cuGraphInstantiate");
  if (!graph) return invalid_handle;
  auto made = std::make_shared<GraphExec>();
  made->context = current();
  made->operations = graph->operations;
  counters().execs++;
  return *exec = state().execs.add(std::move(made)), success;
}
int cuGraphInstantiate_v2(void** exec, void* graph, void*, char*, size_t) { return cuGraphInstantiateWithFlags(exec, graph, 0); }
int cuGraphExecDestroy(void* handle) {
  auto const lock = locked();
  if (!state().execs.find(handle, "cuGraphExecDestroy")) return invalid_handle;
  state().execs.remove(handle);
  counters().execs--;
  return success;
}
// Takes a graph of the same operations in the same order, with other addresses.
int cuGraphExecUpdate_v2(void* handle, void* graph_handle, void*) {
  auto const lock = locked();
  if (int const result = usable()) return result;
  auto const exec = state().execs.find(handle, "cuGraphExecUpdate");
  auto const graph = state().graphs.find(graph_handle, "cuGraphExecUpdate");
  if (!exec || !graph) return invalid_handle;
  bool same = exec->operations.size() == graph->operations.size();
  for (size_t i = 0; same && i < exec->operations.size(); i++) same = !std::strcmp(exec->operations[i]->name, graph->operations[i]->name);
  if (!same) return graph_update_failure;
  return exec->operations = graph->operations, success;
}
int cuGraphUpload(void* handle, void*) {
  auto const lock = locked();
  return state().execs.find(handle, "cuGraphUpload") ? usable() : invalid_handle;
}

int cuGraphLaunch(void* handle, void* stream_handle) {
  auto lock = locked();
  std::shared_ptr<Stream> stream;
  if (int const result = find_stream(stream_handle, "cuGraphLaunch", stream)) return result;
  auto const exec = state().execs.find(handle, "cuGraphLaunch");
  if (!exec || exec->context != stream->context) return invalid_handle;
  std::vector<Point> after;
  if (exec->last.stream) after.push_back(exec->last);
  if (int const result = submit(lock, stream, {"cuGraphLaunch", nullptr, {}}, after)) return result;
  for (auto const& operation : exec->operations) {
    if (int const result = submit(lock, stream, *operation)) return result;
  }
  if (!stream->capture) exec->last = end_of(stream);
  return success;
}
}
