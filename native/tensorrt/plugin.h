// Structs of TensorRT's binary interface for plugins; the same in all flavors.
#pragma once

#include <cstddef>

#include "api.h"

namespace ntrt {

struct PluginTensorDesc {
  Dims dims;
  int32_t type = 0;    // DataType
  int32_t format = 0;  // TensorFormat; 0 is linear
  float scale = 0;
};
static_assert(sizeof(PluginTensorDesc) == 88 && offsetof(PluginTensorDesc, type) == 72);

struct DynamicPluginTensorDesc {
  PluginTensorDesc desc;
  Dims min;
  Dims max;
  Dims opt;
};
static_assert(sizeof(DynamicPluginTensorDesc) == 304 && offsetof(DynamicPluginTensorDesc, max) == 160);

struct DimsExprs {
  int32_t rank = 0;
  DimensionExpr const* d[8] = {};
};
static_assert(sizeof(DimsExprs) == 72);

struct PluginField {
  char const* name = nullptr;
  void const* data = nullptr;
  int32_t type = 0;    // PluginFieldType
  int32_t length = 0;  // elements
};
static_assert(sizeof(PluginField) == 24 && offsetof(PluginField, type) == 16);

struct PluginFieldCollection {
  int32_t count = 0;
  PluginField const* fields = nullptr;
};
static_assert(sizeof(PluginFieldCollection) == 16);

}  // namespace ntrt
