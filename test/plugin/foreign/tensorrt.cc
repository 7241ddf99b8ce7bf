// A TensorRT that has a registry of plugin creators and nothing else.
#include <dlfcn.h>

#include <cstring>
#include <vector>

#include "nvinfer.h"

namespace {

struct Registry : nv::IPluginRegistry {
  std::vector<nv::IVersionedInterface*> creators;

  // As TensorRT: calls getCreators, and takes none if one is there already.
  void* loadLibrary(char const* path) noexcept override {
    void* handle = dlopen(path, RTLD_LAZY);
    auto get = reinterpret_cast<nv::IVersionedInterface* const* (*)(int32_t&)>(handle ? dlsym(handle, "getCreators") : nullptr);
    if (!get) return nullptr;
    int32_t count = 0;
    auto* list = get(count);
    for (int32_t i = 0; i < count; i++) {
      for (auto* known : creators) {
        if (known == list[i]) return nullptr;
      }
    }
    creators.insert(creators.end(), list, list + count);
    return handle;
  }
  bool registerCreator(nv::IVersionedInterface& creator, char const*) noexcept override {
    creators.push_back(&creator);
    return true;
  }
  nv::IVersionedInterface* const* getAllCreators(int32_t* count) const noexcept override {
    *count = static_cast<int32_t>(creators.size());
    return creators.data();
  }
};

}  // namespace

extern "C" {
int32_t getInferLibVersion() { return RELEASE; }
void* createInferBuilder_INTERNAL(void*, int32_t) { return nullptr; }
void* createInferRuntime_INTERNAL(void*, int32_t) { return nullptr; }
nv::IPluginRegistry* getPluginRegistry() noexcept {
  static auto* registry = new Registry;
  return registry;
}
}
