// TensorRT's classes for plugins, with their methods in the order of NVIDIA's headers and without their text. RELEASE is 100600 or 110100.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nv {

struct Dims {
  int32_t nbDims;
  int64_t d[8];
};
struct InterfaceInfo {
  char const* kind;
  int32_t major, minor;
};
struct PluginField {
  char const* name;
  void const* data;
  int32_t type, length;
};
struct PluginFieldCollection {
  int32_t nbFields;
  PluginField const* fields;
};

struct IVersionedInterface {
  virtual int32_t getAPILanguage() const noexcept { return 0; }
  virtual InterfaceInfo getInterfaceInfo() const noexcept = 0;
  virtual ~IVersionedInterface() = default;
};

struct VRoot {
  virtual ~VRoot() = default;
};
struct VDimensionExpr : VRoot {
  virtual bool isConstant() const noexcept = 0;
  virtual int64_t getConstantValue() const noexcept = 0;
  virtual bool isSizeTensor() const noexcept = 0;
};
struct IDimensionExpr {
  virtual ~IDimensionExpr() = default;
  VDimensionExpr* mImpl;
};
struct VExprBuilder : VRoot {
  virtual IDimensionExpr const* constant(int64_t) noexcept = 0;
  virtual IDimensionExpr const* operation(int32_t, IDimensionExpr const&, IDimensionExpr const&) noexcept = 0;
  virtual IDimensionExpr const* declareSizeTensor(int32_t, IDimensionExpr const&, IDimensionExpr const&) = 0;
};
struct IExprBuilder {
  virtual ~IExprBuilder() = default;
  VExprBuilder* mImpl;
};
struct DimsExprs {
  int32_t nbDims;
  IDimensionExpr const* d[8];
};

// Plugins of version 3.
struct IPluginV3 : IVersionedInterface {
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN", 1, 0}; }
  virtual IVersionedInterface* getCapabilityInterface(int32_t type) noexcept = 0;
  virtual IPluginV3* clone() noexcept = 0;
};
struct IPluginV3OneBuild : IVersionedInterface {
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN_V3ONE_BUILD", 1, 0}; }
  virtual int32_t configurePlugin(void const*, int32_t, void const*, int32_t) noexcept { return 0; }
  virtual int32_t getOutputDataTypes(int32_t* outputs, int32_t count, int32_t const* inputs, int32_t inputCount) const noexcept = 0;
  virtual int32_t getOutputShapes(DimsExprs const* inputs, int32_t count, DimsExprs const* values, int32_t valueCount, DimsExprs* outputs, int32_t outputCount, IExprBuilder& builder) noexcept = 0;
  virtual bool supportsFormatCombination(int32_t, void const*, int32_t, int32_t) noexcept { return true; }
  virtual int32_t getNbOutputs() const noexcept = 0;
  virtual size_t getWorkspaceSize(void const*, int32_t, void const*, int32_t) const noexcept { return 0; }
  virtual int32_t getValidTactics(int32_t*, int32_t) noexcept { return 0; }
  virtual int32_t getNbTactics() noexcept { return 0; }
  virtual char const* getTimingCacheID() noexcept { return nullptr; }
  virtual int32_t getFormatCombinationLimit() noexcept { return 100; }
  virtual char const* getMetadataString() noexcept { return nullptr; }
};
struct IPluginV3OneCore : IVersionedInterface {
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN_V3ONE_CORE", 1, 0}; }
  virtual char const* getPluginName() const noexcept = 0;
  virtual char const* getPluginVersion() const noexcept = 0;
  virtual char const* getPluginNamespace() const noexcept = 0;
};
struct PluginTensorDesc {
  Dims dims;
  int32_t type, format;
  float scale;
};
struct IPluginV3OneRuntime : IVersionedInterface {
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN_V3ONE_RUNTIME", 1, 0}; }
  virtual int32_t setTactic(int32_t) noexcept { return 0; }
  virtual int32_t onShapeChange(PluginTensorDesc const*, int32_t, PluginTensorDesc const*, int32_t) noexcept { return 0; }
  virtual int32_t enqueue(PluginTensorDesc const*, PluginTensorDesc const* outputs, void const* const*, void* const* to, void*, void*) noexcept = 0;
  virtual IPluginV3* attachToContext(void*) noexcept = 0;
  virtual PluginFieldCollection const* getFieldsToSerialize() noexcept = 0;
};
struct IPluginCreatorV3One : IVersionedInterface {
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN CREATOR_V3ONE", 1, 0}; }
  virtual IPluginV3* createPlugin(char const* name, PluginFieldCollection const* fields, int32_t phase) noexcept = 0;
  virtual PluginFieldCollection const* getFieldNames() noexcept = 0;
  virtual char const* getPluginName() const noexcept = 0;
  virtual char const* getPluginVersion() const noexcept = 0;
  virtual char const* getPluginNamespace() const noexcept = 0;
};

// Plugins of version 2.
struct IPluginV2 {
  virtual int32_t getTensorRTVersion() const noexcept { return RELEASE; }
  virtual char const* getPluginType() const noexcept = 0;
  virtual char const* getPluginVersion() const noexcept = 0;
  virtual int32_t getNbOutputs() const noexcept = 0;
  virtual Dims getOutputDimensions(int32_t, Dims const*, int32_t) noexcept { return {-1, {}}; }
  virtual bool supportsFormat(int32_t, int32_t) const noexcept { return false; }
  virtual void configureWithFormat(Dims const*, int32_t, Dims const*, int32_t, int32_t, int32_t, int32_t) noexcept {}
  virtual int32_t initialize() noexcept { return 0; }
  virtual void terminate() noexcept {}
  virtual size_t getWorkspaceSize(int32_t) const noexcept { return 0; }
  virtual int32_t enqueue(int32_t, void const* const*, void* const*, void*, void*) noexcept { return 1; }
  virtual size_t getSerializationSize() const noexcept { return 0; }
  virtual void serialize(void*) const noexcept {}
  virtual void destroy() noexcept = 0;
  virtual IPluginV2* clone() const noexcept { return nullptr; }
  virtual void setPluginNamespace(char const*) noexcept {}
  virtual char const* getPluginNamespace() const noexcept { return ""; }
  virtual ~IPluginV2() = default;
};
struct IPluginV2Ext : IPluginV2 {
  int32_t getTensorRTVersion() const noexcept override { return 1 << 24 | RELEASE; }
  virtual int32_t getOutputDataType(int32_t index, int32_t const* inputs, int32_t count) const noexcept = 0;
#if RELEASE < 110000
  virtual bool isOutputBroadcastAcrossBatch(int32_t, bool const*, int32_t) const noexcept { return false; }
  virtual bool canBroadcastInputAcrossBatch(int32_t) const noexcept { return true; }
#endif
  virtual void configurePlugin() noexcept {}
  virtual void attachToContext(void*, void*, void*) noexcept {}
  virtual void detachFromContext() noexcept {}
};
struct IPluginV2DynamicExt : IPluginV2Ext {
  int32_t getTensorRTVersion() const noexcept override { return 3 << 24 | RELEASE; }
  virtual DimsExprs getOutputDimensions(int32_t index, DimsExprs const* inputs, int32_t count, IExprBuilder& builder) noexcept = 0;
  using IPluginV2Ext::getOutputDimensions;
};
struct IPluginCreator : IVersionedInterface {
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN CREATOR_V1", 1, 0}; }
  virtual char const* getPluginName() const noexcept = 0;
  virtual char const* getPluginVersion() const noexcept = 0;
  virtual PluginFieldCollection const* getFieldNames() noexcept = 0;
  virtual IPluginV2* createPlugin(char const* name, PluginFieldCollection const* fields) noexcept = 0;
  virtual IPluginV2* deserializePlugin(char const*, void const*, size_t) noexcept { return nullptr; }
  virtual void setPluginNamespace(char const*) noexcept {}
  virtual char const* getPluginNamespace() const noexcept { return ""; }
};

struct IPluginRegistry {
#if RELEASE < 110000
  virtual bool registerCreator(IPluginCreator&, char const*) noexcept { return false; }
  virtual IPluginCreator* const* getPluginCreatorList(int32_t*) const noexcept { return nullptr; }
  virtual IPluginCreator* getPluginCreator(char const*, char const*, char const*) noexcept { return nullptr; }
#endif
  virtual ~IPluginRegistry() = default;
  virtual void setErrorRecorder(void*) noexcept {}
  virtual void* getErrorRecorder() const noexcept { return nullptr; }
#if RELEASE < 110000
  virtual bool deregisterCreator(IPluginCreator const&) noexcept { return false; }
#endif
  virtual bool isParentSearchEnabled() const { return true; }
  virtual void setParentSearchEnabled(bool) {}
  virtual void* loadLibrary(char const* path) noexcept = 0;
  virtual void deregisterLibrary(void*) noexcept {}
  virtual bool registerCreator(IVersionedInterface& creator, char const* space) noexcept = 0;
  virtual IVersionedInterface* const* getAllCreators(int32_t* count) const noexcept = 0;
};

}  // namespace nv

extern "C" nv::IPluginRegistry* getPluginRegistry() noexcept;
