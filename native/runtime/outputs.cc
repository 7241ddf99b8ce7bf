#include "outputs.h"

#include <cstring>

#include "../core/handle.h"

namespace ntrt {

Napi::ArrayBuffer buffer_of(Napi::Env env, std::shared_ptr<PinnedBlock> block, size_t bytes) {
  constexpr size_t few = 64 << 10;
  if (bytes >= few) {
    auto* owner = new std::shared_ptr<PinnedBlock>(block);
    napi_value buffer = nullptr;
    auto const give_back = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<PinnedBlock>*>(hint); };
    // Some runtimes, such as Electron, allow no buffers outside their own memory.
    if (napi_create_external_arraybuffer(env, block->get(), bytes, give_back, owner, &buffer) == napi_ok) return Napi::ArrayBuffer(env, buffer);
    delete owner;
  }
  auto copy = Napi::ArrayBuffer::New(env, bytes);
  if (bytes) std::memcpy(copy.Data(), block->get(), bytes);
  return copy;
}

Napi::Value outputs_of(Napi::Env env, EngineState const& engine, Placements const& placements, Outcome& outcome) {
  auto list = Napi::Array::New(env);
  for (size_t i = 0; i < engine.io.size(); i++) {
    auto const& tensor = engine.io[i];
    if (tensor.input) continue;
    auto item = Napi::Object::New(env);
    item.Set("shape", numbers(env, to_vector(outcome.shapes[i])));
    if (placements[i].at == Placement::At::fresh_device) {
      size_t const bytes = outcome.device[i]->bytes();
      item.Set("memory", make_handle(env, std::move(outcome.device[i]), bytes));
    } else if (outcome.blocks[i]) {
      item.Set("data", buffer_of(env, std::move(outcome.blocks[i]), tensor.byte_size(outcome.shapes[i])));
    }
    list.Set(list.Length(), item);
  }
  if (!outcome.debug.empty()) list.Set("debug", to_js(env, outcome.debug));
  return list;
}

}  // namespace ntrt
