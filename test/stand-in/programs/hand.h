// A plugin written by hand, in classes whose virtual functions stand in the order of TensorRT's headers: y = x + 1.
#pragma once

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "../tensorrt/abi.h"

namespace hand {

inline bool does(char const* what) { return standin::environment("HAND") == what; }
inline std::atomic<int> living = 0;

struct Versioned {
  virtual int32_t getAPILanguage() const noexcept { return 0; }
  virtual InterfaceInfo getInterfaceInfo() const noexcept = 0;
  virtual ~Versioned() noexcept = default;
};

struct PluginV3 : Versioned {
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN", 1, 0}; }
  virtual Versioned* getCapabilityInterface(int32_t type) noexcept = 0;
  virtual PluginV3* clone() noexcept = 0;
};

struct Core : Versioned {
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN_V3ONE_CORE", 1, 0}; }
  virtual char const* getPluginName() const noexcept { return "AddOne"; }
  virtual char const* getPluginVersion() const noexcept { return "1"; }
  virtual char const* getPluginNamespace() const noexcept { return "hand"; }
};

// The facet that IExprBuilder's and IDimensionExpr's handles point to.
inline void* facet(void const* handle) { return static_cast<Handle*>(const_cast<void*>(handle))->facets[0]; }

struct Build : Versioned {
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN_V3ONE_BUILD", 1, 0}; }
  virtual int32_t configurePlugin(DynamicDesc const* in, int32_t, DynamicDesc const*, int32_t) noexcept { return in[0].min.d[0] == 1 && in[0].opt.d[0] == 2 && in[0].max.d[0] == 4 && in[0].desc.dims.d[0] == -1 ? 0 : 7; }
  virtual int32_t getOutputDataTypes(int32_t* out, int32_t, int32_t const* in, int32_t) const noexcept { return out[0] = in[0], does("types") ? 5 : 0; }
  virtual int32_t getOutputShapes(DimsExprs const* in, int32_t, DimsExprs const*, int32_t, DimsExprs* out, int32_t, void* builder) noexcept {
    if (does("shapes")) return 6;
    out[0] = in[0];
    // x.shape[0] + 3 - 3, by the builder's own arithmetic
    void* const b = facet(builder);
    void const* const three = standin::invoke<void const*>(b, slot::VExprBuilder::constant, int64_t{3});
    void const* const sum = standin::invoke<void const*>(b, slot::VExprBuilder::operation, 0, in[0].d[0], three);
    out[0].d[0] = standin::invoke<void const*>(b, slot::VExprBuilder::operation, 4, sum, three);
    kept = builder;
    return 0;
  }
  virtual bool supportsFormatCombination(int32_t position, DynamicDesc const* all, int32_t, int32_t) noexcept { return all[position].desc.type == 0 && all[position].desc.format == 0; }
  virtual int32_t getNbOutputs() const noexcept { return 1; }
  virtual size_t getWorkspaceSize(DynamicDesc const*, int32_t, DynamicDesc const*, int32_t) const noexcept {
    if (does("late builder")) standin::invoke<void const*>(facet(kept), slot::VExprBuilder::constant, int64_t{3});
    return 64;
  }
  virtual int32_t getValidTactics(int32_t* tactics, int32_t count) noexcept {
    for (int i = 0; i < count; i++) tactics[i] = i + 1;
    return 0;
  }
  virtual int32_t getNbTactics() noexcept { return does("tactics") || does("no tactic") ? 3 : 0; }
  virtual char const* getTimingCacheID() noexcept { return "id"; }
  virtual int32_t getFormatCombinationLimit() noexcept { return 100; }
  virtual char const* getMetadataString() noexcept { return nullptr; }
  inline static void* kept = nullptr;
};

struct Work {
  float const* x;
  float* y;
  int64_t count;
  static void run(void* data) {
    std::unique_ptr<Work> const work(static_cast<Work*>(data));
    for (int64_t i = 0; i < work->count; i++) work->y[i] = work->x[i] + 1;
  }
};

struct Runtime : Versioned {
  explicit Runtime(int32_t tactic) : tactic(tactic) {}
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN_V3ONE_RUNTIME", 1, 0}; }
  virtual int32_t setTactic(int32_t value) noexcept { return tactic = value, 0; }
  virtual int32_t onShapeChange(standin::TensorDesc const*, int32_t, standin::TensorDesc const*, int32_t) noexcept { return does("shape change") ? 8 : 0; }
  virtual int32_t enqueue(standin::TensorDesc const* in, standin::TensorDesc const*, void const* const* inputs, void* const* outputs, void* workspace, void* stream) noexcept {
    if (does("enqueue") || does("no tactic") || (does("tactics") && tactic == 1)) return 9;
    if (!workspace || reinterpret_cast<uint64_t>(workspace) % 256) return 10;
    using Enqueue = int (*)(void*, void (*)(void*), void*);
    static auto const enqueue = reinterpret_cast<Enqueue>(dlsym(dlopen("libcuda.so.1", RTLD_NOW), "standin_enqueue"));
    return enqueue(stream, &Work::run, new Work{static_cast<float const*>(standin::on_host(inputs[0])), static_cast<float*>(standin::on_host(outputs[0])), standin::volume(in[0].dims)});
  }
  virtual PluginV3* attachToContext(void* context) noexcept;
  virtual standin::FieldCollection const* getFieldsToSerialize() noexcept {
    static int32_t const number = 42;
    static standin::Field const all[] = {{"number", &number, 5, 1}, {"text", "bytes", 6, 5}, {"none", nullptr, 6, 0}};
    static standin::FieldCollection const collection{3, all};
    return &collection;
  }
  int32_t tactic;
};

struct Plugin : PluginV3 {
  explicit Plugin(int32_t tactic = 0) : runtime(tactic) { living++; }
  ~Plugin() noexcept override { living--; }
  Versioned* getCapabilityInterface(int32_t type) noexcept override { return type == 0 ? static_cast<Versioned*>(&core) : type == 1 ? static_cast<Versioned*>(&build) : &runtime; }
  PluginV3* clone() noexcept override { return does("null clone") ? nullptr : new Plugin(runtime.tactic); }
  Core core;
  Build build;
  Runtime runtime;
};

inline PluginV3* Runtime::attachToContext(void*) noexcept { return does("null attach") ? nullptr : new Plugin(tactic); }

struct Creator : Versioned {
  explicit Creator(char const* space) : space(space) {}
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN CREATOR_V3ONE", 1, 0}; }
  virtual PluginV3* createPlugin(char const*, standin::FieldCollection const* fields, int32_t phase) noexcept {
    bool const right = phase == 1 && fields->count == 3 && *static_cast<int32_t const*>(fields->fields[0].data) == 42 && std::string(static_cast<char const*>(fields->fields[1].data), 5) == "bytes" && !fields->fields[2].data && fields->fields[2].length == 0;
    if (!right || does("null plugin")) return nullptr;
    return new Plugin;
  }
  virtual standin::FieldCollection const* getFieldNames() noexcept {
    static standin::FieldCollection const none{0, nullptr};
    return &none;
  }
  virtual char const* getPluginName() const noexcept { return "AddOne"; }
  virtual char const* getPluginVersion() const noexcept { return "1"; }
  virtual char const* getPluginNamespace() const noexcept { return space; }
  char const* space;
};

}  // namespace hand
