import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileLibrary } from '../../setup/fake-library.js';

const methods = readFileSync(new URL('../../../native/tensorrt/methods.def', import.meta.url), 'utf8');

/** Slot of a method in TensorRT 10's tables. */
function slot(type: string, name: string): number {
  const row = methods.split('\n').find((line) => line.startsWith(`METHOD(${type}, ${name},`));
  return Number(/"(\d+)[^"]*", "[^"]*", "[^"]*"\)$/.exec(row!)![1]);
}

const tables = {
  Runtime: ['deserializeCudaEngine', 'setEngineHostCodeAllowed'],
  Engine: [
    ...['getNbOptimizationProfiles', 'getNbIOTensors', 'getIOTensorName', 'getTensorDataType', 'getTensorIOMode'],
    ...['getTensorLocation', 'getTensorShape', 'getProfileShape', 'createExecutionContext', 'createEngineInspector'],
  ],
  EngineInspector: ['getEngineInformation'],
  ExecutionContext: [
    ...['setOptimizationProfileAsync', 'setInputShape', 'setTensorAddress', 'inferShapes', 'enqueueV3'],
    ...['getTensorShape', 'setOutputAllocator'],
  ],
};

/**
 * Creates a driver and a TensorRT 10 in `folder` that follow the rules of TensorRT's headers and end the process if they are
 * broken: every shape before any address, shape tensors in host memory and everything else in device memory (whose addresses
 * have bit 60 set), outputs in place if requested. The one engine adds `update` to the element `at` of `cache` and returns it
 * as `next`. `filled` has the sizes in `sizes` and counts from 0; with UNKNOWN in the environment, its sizes are known only
 * after a run. Our objects are called by the slots of TensorRT 10's headers. Returns the path of the TensorRT.
 */
export function fakeGpu(folder: string, release: '10.6.0' | '10.15.0'): string {
  compileLibrary(join(folder, 'libcuda.so.1'), driver);
  const [major, minor, patch] = release.split('.').map(Number) as [number, number, number];
  const young = minor >= 15;
  const rows = Object.entries(tables).flatMap(([type, names]) =>
    names.map((name) => `  ${type}_table[${slot(type, name)}] = (void*)${type}_${name};`),
  );
  const values = young ? 'getProfileTensorValuesV2' : 'getProfileTensorValues';
  rows.push(`  Engine_table[${slot('Engine', values)}] = (void*)Engine_${values};`);
  if (young)
    rows.push(`  Engine_table[${slot('Engine', 'getAliasedInputTensor')}] = (void*)Engine_getAliasedInputTensor;`);
  const version = major * 10000 + minor * 100 + patch;
  return compileLibrary(
    join(folder, 'libnvinfer.so.10'),
    tensorrt
      .replaceAll('VERSION', String(version))
      .replace('IN_PLACE', String(Number(young)))
      .replace('ROWS', rows.join('\n')),
  );
}

const driver = `
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#define DEVICE (1ull << 60)
typedef unsigned long long ptr;
int cuInit(unsigned f) { return 0; }
int cuDriverGetVersion(int* v) { *v = 13000; return 0; }
int cuGetErrorName(int e, const char** n) { *n = "ERROR"; return 0; }
int cuGetErrorString(int e, const char** n) { *n = "an error"; return 0; }
int cuDeviceGetCount(int* n) { *n = 1; return 0; }
int cuDeviceGet(int* d, int i) { *d = i; return 0; }
int cuDeviceGetName(char* n, int size, int d) { strcpy(n, "fake"); return 0; }
int cuDeviceGetAttribute(int* v, int a, int d) { *v = a == 75 ? 9 : 0; return 0; }
int cuDeviceTotalMem_v2(size_t* n, int d) { *n = 1 << 30; return 0; }
int cuDevicePrimaryCtxRetain(void** c, int d) { *c = (void*)1; return 0; }
int cuCtxSetCurrent(void* c) { return 0; }
int cuMemAlloc_v2(ptr* p, size_t n) { *p = (ptr)(uintptr_t)malloc(n) | DEVICE; return 0; }
int cuMemFree_v2(ptr p) { free((void*)(uintptr_t)(p & ~DEVICE)); return 0; }
int cuMemAllocHost_v2(void** p, size_t n) { *p = malloc(n); return 0; }
int cuMemFreeHost(void* p) { free(p); return 0; }
int cuMemcpyHtoDAsync_v2(ptr to, const void* from, size_t n, void* s) { memcpy((void*)(uintptr_t)(to & ~DEVICE), from, n); return to & DEVICE ? 0 : 1; }
int cuMemcpyDtoHAsync_v2(void* to, ptr from, size_t n, void* s) { memcpy(to, (void*)(uintptr_t)(from & ~DEVICE), n); return from & DEVICE ? 0 : 1; }
int cuStreamCreate(void** s, unsigned f) { *s = (void*)1; return 0; }
int cuStreamDestroy_v2(void* s) { return 0; }
int cuStreamSynchronize(void* s) { return 0; }
`;

const tensorrt = `
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define DEVICE (1ull << 60)
struct Dims { int32_t rank; int64_t d[8]; };
enum { cache, update, at, sizes, next, filled, count };
enum { float32 = 0, int32 = 3, int64 = 8, input = 1, output = 2, host = 1 };
static const char* names[] = { "cache", "update", "at", "sizes", "next", "filled" };
static const int dtypes[] = { float32, float32, int32, int64, float32, int32 };
static const struct Dims dims[] = { {1, {4}}, {1, {-1}}, {0}, {1, {2}}, {1, {4}}, {2, {-1, -1}} };
// [profile][bound] of at, and of sizes
static const int64_t at_values[2][3][1] = { {{0}, {1}, {3}}, {{2}, {2}, {2}} };
static const int64_t sizes_values[2][3][2] = { {{1, 1}, {2, 3}, {4, 8}}, {{5, 1}, {5, 1}, {9, 9}} };
static struct Dims shapes[count];
static uintptr_t addresses[count];
static int profile, shaped, addressed, inferred;

static void rule(int kept, const char* broken) {
  if (kept) return;
  fprintf(stderr, "broken: %s\\n", broken);
  _Exit(9);
}
static long unknown(void) { rule(0, "a slot that this release has not"); return 0; }
static int id(const char* name) {
  for (int i = 0; i < count; i++) if (!strcmp(names[i], name)) return i;
  rule(0, "a name");
  return 0;
}
static void* device(int i) { return (void*)(addresses[i] & ~DEVICE); }

static void *Runtime_table[128], *Engine_table[128], *ExecutionContext_table[128], *EngineInspector_table[128], *own_table[128];
static void destroy(void* self) {}
static struct { void** own; void* impl; } runtime, engine, context, inspector;
static void *runtime_impl = Runtime_table, *engine_impl = Engine_table, *context_impl = ExecutionContext_table, *inspector_impl = EngineInspector_table;

static void* runtime_logger;
static int allowed;
static void Runtime_setEngineHostCodeAllowed(void* self, int given) { allowed = given & 255; }
// With CODE in the environment, the engine brings a lean runtime.
static void* Runtime_deserializeCudaEngine(void* self, const void* data, uint64_t size) {
  if (getenv("CODE") && !allowed) {
    void (*log)(void*, int, const char*) = (*(void***)runtime_logger)[0];
    log(runtime_logger, 1, "Cannot deserialize engine with lean runtime since IRuntime::getEngineHostCodeAllowed() is false.");
    return NULL;
  }
  return getenv("NO_ENGINE") ? NULL : &engine;
}
static int Engine_getNbOptimizationProfiles(void* self) { return 2; }
static int Engine_getNbIOTensors(void* self) { return count; }
static const char* Engine_getIOTensorName(void* self, int i) { return names[i]; }
static int Engine_getTensorDataType(void* self, const char* name) { return dtypes[id(name)]; }
static int Engine_getTensorIOMode(void* self, const char* name) { return id(name) < next ? input : output; }
static int Engine_getTensorLocation(void* self, const char* name) { return id(name) == at || id(name) == sizes ? host : 0; }
static struct Dims Engine_getTensorShape(void* self, const char* name) { return dims[id(name)]; }
static struct Dims Engine_getProfileShape(void* self, const char* name, int which, int bound) {
  struct Dims shape = dims[id(name)];
  if (id(name) == update) shape.d[0] = bound + 1;
  return shape;
}
static const int64_t* Engine_getProfileTensorValuesV2(void* self, const char* name, int which, int bound) {
  return id(name) == at ? at_values[which][bound] : id(name) == sizes ? sizes_values[which][bound] : NULL;
}
static const int32_t* Engine_getProfileTensorValues(void* self, const char* name, int which, int bound) {
  static int32_t narrow[2];
  const int64_t* values = Engine_getProfileTensorValuesV2(self, name, which, bound);
  for (int i = 0; values && i < (id(name) == sizes ? 2 : 1); i++) narrow[i] = values[i];
  return values ? narrow : NULL;
}
static const char* Engine_getAliasedInputTensor(void* self, const char* name) { return id(name) == next ? "cache" : NULL; }
static void* Engine_createExecutionContext(void* self, int strategy) { return &context; }

static void* Engine_createEngineInspector(void* self) { return &inspector; }
static const char* EngineInspector_getEngineInformation(void* self, int format) {
  rule(format == 1, "another format than JSON");
  return getenv("NO_JSON") ? "{ nan }" : "{\\"Layers\\": [\\"add\\"], \\"Bindings\\": [\\"cache\\"]}";
}

static int ExecutionContext_setOptimizationProfileAsync(void* self, int which, void* stream) { profile = which; return 1; }
static int ExecutionContext_setInputShape(void* self, const char* name, const struct Dims* shape) {
  if (shaped == next) shaped = addressed = inferred = 0;
  rule(addressed == 0, "an address before all shapes");
  shapes[id(name)] = *shape;
  shaped++;
  return 1;
}
static int ExecutionContext_setTensorAddress(void* self, const char* name, void* address) {
  int i = id(name);
  rule(shaped == next, "an address before all shapes");
  rule(!((uintptr_t)address & DEVICE) == (i == at || i == sizes), "shape tensors in host memory, others in the device's");
  addresses[i] = (uintptr_t)address;
  addressed += i < next;
  return 1;
}
static int ExecutionContext_inferShapes(void* self, int most, const char** missing) {
  rule(addressed == next, "shapes inferred without all inputs");
  inferred = 1;
  int64_t* wanted = (int64_t*)addresses[sizes];
  shapes[next] = shapes[cache];
  shapes[filled] = (struct Dims){2, {wanted[0], wanted[1]}};
  if (getenv("UNKNOWN")) shapes[filled].d[0] = -1;
  if (wanted[0] == 4) { missing[0] = "sizes"; return 1; }
  return wanted[0] == 3 ? -1 : 0;
}
static struct Dims ExecutionContext_getTensorShape(void* self, const char* name) {
  rule(inferred, "an output's shape before all inputs");
  return shapes[id(name)];
}
static void* allocator;
static int ExecutionContext_setOutputAllocator(void* self, const char* name, void* given) {
  rule(id(name) == filled, "an allocator for an output whose size is known");
  allocator = given;
  return 1;
}
// IOutputAllocator: getAPILanguage, getInterfaceInfo, two destructors, reallocateOutput, reallocateOutputAsync, notifyShape
static void allocate_filled(const int64_t* sizes, void* stream) {
  struct Info { const char* kind; int major, minor; };
  rule(allocator != NULL, "an output of unknown size without an allocator");
  void** entries = *(void***)allocator;
  rule(((int (*)(void*))entries[0])(allocator) == 0, "another language than C++");
  struct Info info = ((struct Info (*)(void*))entries[1])(allocator);
  rule(!strcmp(info.kind, "IOutputAllocator") && info.major == 1 && info.minor == 0, "another interface");
  void* small = ((void* (*)(void*, const char*, void*, uint64_t, uint64_t))entries[4])(allocator, "filled", NULL, 4, 256);
  rule(((uintptr_t)small & DEVICE) != 0, "memory of the device");
  uint64_t bytes = 4 * sizes[0] * sizes[1];
  addresses[filled] = (uintptr_t)((void* (*)(void*, const char*, void*, uint64_t, uint64_t, void*))entries[5])(allocator, "filled", small, bytes, 256, stream);
  struct Dims dims = {2, {sizes[0], sizes[1]}};
  ((void (*)(void*, const char*, const struct Dims*))entries[6])(allocator, "filled", &dims);
}
static int ExecutionContext_enqueueV3(void* self, void* stream) {
  if (getenv("CRASH")) abort();
  int64_t *low = (int64_t*)sizes_values[profile][0], *high = (int64_t*)sizes_values[profile][2], *given = (int64_t*)addresses[sizes];
  rule(given[0] >= low[0] && given[0] <= high[0] && given[1] >= low[1] && given[1] <= high[1], "elements outside the profile");
  if (IN_PLACE) rule(addresses[next] == addresses[cache], "an operation in place with memory of its own");
  float *to = device(next), *from = device(cache);
  memmove(to, from, 4 * sizeof(float));
  for (int i = 0; i < shapes[update].d[0]; i++) to[*(int32_t*)addresses[at]] += ((float*)device(update))[i];
  if (getenv("UNKNOWN")) allocate_filled(given, stream);
  for (int i = 0; i < given[0] * given[1]; i++) ((int32_t*)device(filled))[i] = i;
  return 1;
}

int getInferLibVersion(void) { return VERSION; }
void* createInferBuilder_INTERNAL(void* logger, int version) { return NULL; }
void* createInferRuntime_INTERNAL(void* logger, int version) {
  runtime_logger = logger;
  // ILogger: log, two destructors
  void (**entries)(void*, int, const char*) = *(void***)logger;
  entries[0](logger, 3, "only for information");
  entries[0](logger, 2, "the fake begins");
  for (int i = 0; i < 128; i++) Runtime_table[i] = Engine_table[i] = ExecutionContext_table[i] = EngineInspector_table[i] = (void*)unknown;
ROWS
  own_table[1] = (void*)destroy;
  runtime.own = engine.own = context.own = inspector.own = own_table;
  runtime.impl = &runtime_impl, engine.impl = &engine_impl, context.impl = &context_impl, inspector.impl = &inspector_impl;
  return &runtime;
}
`;
