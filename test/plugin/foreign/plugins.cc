// Plugins of every kind. Built thrice: with getCreators, with creators that register themselves (STATIC), and as NVIDIA's library (NVIDIA).
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "nvinfer.h"

namespace {

enum { FLOAT16, FLOAT32, FLOAT64, INT8, INT16, INT32, CHAR, DIMS, UNKNOWN, BF16, INT64 };
enum { SUM, PROD, MAX, MIN, SUB, EQUAL, LESS, FLOOR_DIV, CEIL_DIV };

int alive = 0;  // plugins that were not destroyed: with one, no other is made, except for ../../stand-in (FOREIGN_MANY)

// What a creator was given, one field to a line: name, type, length, bytes.
void write_fields(nv::PluginFieldCollection const& fields) {
  char const* path = getenv("FOREIGN_LOG");
  FILE* file = path ? fopen(path, "w") : nullptr;
  if (!file) return;
  static int const sizes[] = {2, 4, 8, 1, 2, 4, 1, 72, 1, 2, 8};
  for (int i = 0; i < fields.nbFields; i++) {
    auto const& field = fields.fields[i];
    fprintf(file, "%s %d %d ", field.name, field.type, field.length);
    // CHAR fields end with a zero beyond their length.
    int const bytes = field.length * sizes[field.type] + (field.type == CHAR);
    for (int k = 0; k < bytes; k++) fprintf(file, "%02x", static_cast<unsigned char const*>(field.data)[k]);
    fprintf(file, "\n");
  }
  fclose(file);
}

// y: [2 * rows, ceil((columns + 1) / 2)] of the input's dtype; count: int32 of rank 0, the size of axis 0 of found: [count, 4].
struct Build : nv::IPluginV3OneBuild {
  char const* name;
  explicit Build(char const* name) : name(name) {}
  int32_t getNbOutputs() const noexcept override { return !strcmp(name, "Sized") ? 2 : !strcmp(name, "Many") ? 1000000 : 1; }
  int32_t getOutputDataTypes(int32_t* outputs, int32_t count, int32_t const* inputs, int32_t inputCount) const noexcept override {
    if (!strcmp(name, "WrongTypes")) return 7;
    if (!strcmp(name, "Untyped")) return 0;
    for (int i = 0; i < count; i++) outputs[i] = inputCount > 0 ? inputs[0] : 0;
    if (!strcmp(name, "Sized")) outputs[1] = 3;  // kINT32
    return 0;
  }
  int32_t getOutputShapes(nv::DimsExprs const* inputs, int32_t count, nv::DimsExprs const* values, int32_t valueCount, nv::DimsExprs* outputs, int32_t, nv::IExprBuilder& builder) noexcept override {
    auto& make = *builder.mImpl;
    if (!strcmp(name, "Crashes")) raise(SIGSEGV);
    if (!strcmp(name, "Exits")) exit(3);
    if (!strcmp(name, "Throws")) throw 1;
    if (!strcmp(name, "Silent")) return outputs[0].nbDims = 1, 0;
    if (!strcmp(name, "Divides")) return outputs[0] = {1, {make.operation(FLOOR_DIV, *make.constant(1), *make.constant(0))}}, 0;
    if (!strcmp(name, "Second")) return outputs[0] = inputs[1], 0;  // without a look at `count`
    if (!strcmp(name, "Sized")) {
      auto const* rows = inputs[0].d[0];
      auto const* found = make.declareSizeTensor(1, *make.operation(CEIL_DIV, *rows, *make.constant(2)), *rows);
      if (!found->mImpl->isSizeTensor() || found->mImpl->isConstant()) return 9;
      outputs[0] = {2, {found, make.constant(4)}};
      outputs[1].nbDims = 0;
      return 0;
    }
    if (!strcmp(name, "Shaped")) {
      if (valueCount != 1) return 5;
      outputs[0] = {2, {inputs[0].d[0], values[0].d[1]}};
      return 0;
    }
    if (count != 1 || inputs[0].nbDims != 2) return 4;
    auto const* columns = inputs[0].d[1];
    // Known dims are constants, so they can be checked.
    if (columns->mImpl->isConstant() != (columns->mImpl->getConstantValue() != INT64_MIN)) return 8;
    outputs[0].nbDims = 2;
    outputs[0].d[0] = make.operation(PROD, *inputs[0].d[0], *make.constant(2));
    outputs[0].d[1] = make.operation(CEIL_DIV, *make.operation(SUM, *columns, *make.constant(1)), *make.constant(2));
    return 0;
  }
};

struct Core : nv::IPluginV3OneCore {
  char const *name, *version, *space;
  Core(char const* name, char const* version, char const* space) : name(name), version(version), space(space) {}
  char const* getPluginName() const noexcept override { return name; }
  char const* getPluginVersion() const noexcept override { return version; }
  char const* getPluginNamespace() const noexcept override { return space; }
};
struct Plugin : nv::IPluginV3 {
  struct Runtime : nv::IPluginV3OneRuntime {
    Plugin* plugin;
    nv::PluginFieldCollection none{0, nullptr};
    // The stand-in's device memory is host memory at another address. Counts from 0.
    int32_t enqueue(nv::PluginTensorDesc const*, nv::PluginTensorDesc const* outputs, void const* const*, void* const* to, void*, void*) noexcept override {
      auto* y = reinterpret_cast<float*>(reinterpret_cast<uint64_t>(to[0]) & ~(uint64_t{1} << 60));
      int64_t const count = outputs[0].dims.d[0] * outputs[0].dims.d[1];
      for (int64_t i = 0; i < count; i++) y[i] = static_cast<float>(i);
      return 0;
    }
    nv::IPluginV3* attachToContext(void*) noexcept override { return plugin->clone(); }
    nv::PluginFieldCollection const* getFieldsToSerialize() noexcept override { return &none; }
  };
  Core core;
  Build build;
  Runtime runtime;
  explicit Plugin(Core const& named) : core(named), build(named.name) {
    runtime.plugin = this;
    alive++;
  }
  ~Plugin() override { alive--; }
  nv::IVersionedInterface* getCapabilityInterface(int32_t type) noexcept override {
    if (type == 1) return strcmp(core.name, "NoBuild") != 0 ? &build : nullptr;
    return type == 0 ? static_cast<nv::IVersionedInterface*>(&core) : &runtime;
  }
  nv::IPluginV3* clone() noexcept override { return new Plugin(core); }
};

nv::PluginField const fields[] = {
    {"factor", nullptr, FLOAT32, 1}, {"flag", nullptr, INT32, 1},   {"variance", nullptr, FLOAT32, 4}, {"label", nullptr, CHAR, 0},  {"raw", nullptr, UNKNOWN, 0}, {"half", nullptr, FLOAT16, 1},
    {"brain", nullptr, BF16, 1},     {"wide", nullptr, FLOAT64, 1}, {"byte", nullptr, INT8, 1},        {"short", nullptr, INT16, 1}, {"big", nullptr, INT64, 1},   {"size", nullptr, DIMS, 1},
};

struct Creator : nv::IPluginCreatorV3One {
  char const *name, *version, *space;
  nv::PluginFieldCollection list{12, fields};
  Creator(char const* name, char const* version, char const* space) : name(name), version(version), space(space) {}
  nv::IPluginV3* createPlugin(char const*, nv::PluginFieldCollection const* given, int32_t phase) noexcept override {
    write_fields(*given);
    return (phase == 0 && alive > 0 && !getenv("FOREIGN_MANY")) || !strcmp(name, "Refuses") ? nullptr : new Plugin(Core(name, version, space));
  }
  nv::PluginFieldCollection const* getFieldNames() noexcept override { return &list; }
  char const* getPluginName() const noexcept override { return name; }
  char const* getPluginVersion() const noexcept override { return version; }
  char const* getPluginNamespace() const noexcept override { return space; }
};

template <class Base>
struct Old : Base {
  Old() { alive++; }
  ~Old() override { alive--; }
  char const* getPluginType() const noexcept override { return "Old"; }
  char const* getPluginVersion() const noexcept override { return "1"; }
  int32_t getNbOutputs() const noexcept override { return 2; }
  void destroy() noexcept override { delete this; }
  int32_t getOutputDataType(int32_t index, int32_t const* inputs, int32_t) const noexcept override { return index == 0 ? inputs[0] : 3; }
};
struct OldDynamic : Old<nv::IPluginV2DynamicExt> {
  nv::DimsExprs getOutputDimensions(int32_t index, nv::DimsExprs const* inputs, int32_t, nv::IExprBuilder& builder) noexcept override {
    auto& make = *builder.mImpl;
    return index == 0 ? inputs[0] : nv::DimsExprs{1, {make.operation(MAX, *inputs[0].d[0], *make.constant(8))}};
  }
};
struct OldCreator : nv::IPluginCreator {
  char const* name;
  nv::PluginFieldCollection list{0, nullptr};
  explicit OldCreator(char const* name) : name(name) {}
  char const* getPluginName() const noexcept override { return name; }
  char const* getPluginVersion() const noexcept override { return "1"; }
  nv::PluginFieldCollection const* getFieldNames() noexcept override { return &list; }
  nv::IPluginV2* createPlugin(char const*, nv::PluginFieldCollection const*) noexcept override {
    if (alive > 0) return nullptr;
    if (!strcmp(name, "OldStatic")) return new Old<nv::IPluginV2Ext>;
    return new OldDynamic;
  }
};
// Another interface: its methods are unknown.
struct NewCreator : nv::IVersionedInterface {
  nv::InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN CREATOR_V9", 1, 0}; }
};

template <class... Creators>
void collect(nv::IVersionedInterface** list, int32_t& count, Creators*... creators) {
  ((list[count++] = creators), ...);
}

}  // namespace

#if defined(STATIC)
static bool const registered = getPluginRegistry()->registerCreator(*new Creator("SelfMade", "1", ""), "");
#elif defined(NVIDIA)
extern "C" bool initLibNvInferPlugins(void*, char const* space) {
  getPluginRegistry()->registerCreator(*new Creator("ROIAlign_TRT", "2", ""), space);
  getPluginRegistry()->registerCreator(*new Creator("ROIAlign_TRT", "1", ""), space);
  return true;
}
#elif !defined(EMPTY)
extern "C" nv::IVersionedInterface* const* getCreators(int32_t& count) {
  static nv::IVersionedInterface* list[32];
  static int32_t made = 0;
  if (made == 0) {
    for (char const* name : {"Halves", "Sized", "Shaped", "Second", "Refuses", "WrongTypes", "Many", "NoBuild", "Silent", "Divides", "Untyped", "Crashes", "Exits", "Throws"}) collect(list, made, new Creator(name, "1", ""));
    collect(list, made, new Creator("Twice", "1", ""), new Creator("Twice", "2", ""), new Creator("Spaced", "1", "acme"), new OldCreator("Old"), new OldCreator("OldStatic"));
    // The stand-in dies of an interface that it does not know.
    if (!getenv("FOREIGN_MANY")) collect(list, made, new NewCreator);
  }
  count = made;
  return list;
}
#endif
