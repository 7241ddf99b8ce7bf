import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileLibrary } from '../../setup/fake-library.js';
import { driver } from '../../stand-in/compile.js';

const cuda = await driver();
const slots = readFileSync(new URL('../../stand-in/tensorrt/slots.def', import.meta.url), 'utf8');

/** Slot of a method in the tables of TensorRT 10.minor; nothing where it has none. */
function slot(type: string, name: string, minor: number): number | undefined {
  const row = slots.split('\n').find((line) => line.startsWith(`SLOT(${type}, ${name},`));
  const [, number, since] = /"(\d+)(?:@10\.(\d+)[^"]*)?", "[^"]*"\)$/.exec(row!)!;
  return minor >= Number(since ?? 0) ? Number(number) : undefined;
}

const tables = {
  VRuntime: ['deserializeCudaEngine', 'setEngineHostCodeAllowed'],
  VCudaEngine: [
    ...['getNbOptimizationProfiles', 'getNbIOTensors', 'getIOTensorName', 'getTensorDataType', 'getTensorIOMode'],
    ...[
      'getTensorLocation',
      'getTensorShape',
      'getTensorFormatV2',
      'getProfileShape',
      'createExecutionContext',
      'createEngineInspector',
    ],
    ...['getProfileTensorValues', 'getProfileTensorValuesV2', 'getAliasedInputTensor', 'getDeviceMemorySizeV2'],
    ...['getDeviceMemorySizeForProfileV2', 'createRuntimeConfig', 'createExecutionContextWithRuntimeConfig'],
  ],
  VEngineInspector: ['getEngineInformation'],
  VRuntimeConfig: ['setExecutionContextAllocationStrategy', 'getExecutionContextAllocationStrategy'],
  VExecutionContext: [
    ...['setOptimizationProfileAsync', 'setInputShape', 'setTensorAddress', 'inferShapes', 'enqueueV3'],
    ...['getTensorShape', 'setOutputAllocator', 'setDeviceMemoryV2', 'updateDeviceMemorySizeForShapes'],
    ...['setInputConsumedEvent', 'getMaxOutputSize'],
  ],
};
/** Methods that do nothing and return 1, or 0. */
const nothing = {
  yes: {
    VRuntime: ['setErrorRecorder'],
    VCudaEngine: ['setErrorRecorder'],
    VExecutionContext: [
      ...['setErrorRecorder', 'setProfiler', 'setEnqueueEmitsProfile', 'setAuxStreams', 'setDebugListener'],
      ...['setTensorDebugState', 'setAllTensorsDebugState', 'setPersistentCacheLimit', 'setNvtxVerbosity'],
    ],
  },
  no: {
    VRuntime: ['getErrorRecorder'],
    VCudaEngine: [
      ...['getErrorRecorder', 'getNbAuxStreams', 'isDebugTensor', 'getStreamableWeightsSize'],
      ...['getWeightStreamingBudgetV2', 'setWeightStreamingBudgetV2', 'getWeightStreamingScratchMemorySize'],
    ],
    VExecutionContext: ['getErrorRecorder', 'reportToProfiler'],
  },
};

function rowsOf(methods: Record<string, string[]>, minor: number, how?: string): string[] {
  return Object.entries(methods).flatMap(([type, names]) =>
    names.flatMap((name) => {
      const number = slot(type, name, minor);
      return number === undefined ? [] : `  ${type}_table[${number}] = (void*)${how ?? `${type}_${name}`};`;
    }),
  );
}

/**
 * Puts the stand-in driver and a TensorRT 10 in `folder` that follow the rules of TensorRT's headers and end the process if they
 * are broken: every shape before any address, shape tensors in host memory and everything else in device memory (whose addresses
 * have bit 60 set), outputs in place if requested. The one engine adds `update` to the element `at` of `cache` and returns it
 * as `next`. `filled` has the sizes in `sizes` and counts from 0; with UNKNOWN in the environment, its sizes are known only
 * after a run. It computes on the stream. Our objects are called by the slots of TensorRT 10's headers. Returns the path of the
 * TensorRT.
 */
export function fakeGpu(folder: string, release: '10.6.0' | '10.15.0'): string {
  mkdirSync(folder, { recursive: true });
  copyFileSync(cuda, join(folder, 'libcuda.so.1'));
  const [major, minor, patch] = release.split('.').map(Number) as [number, number, number];
  const rows = [...rowsOf(tables, minor), ...rowsOf(nothing.yes, minor, 'yes'), ...rowsOf(nothing.no, minor, 'no')];
  const version = major * 10000 + minor * 100 + patch;
  return compileLibrary(
    join(folder, 'libnvinfer.so.10'),
    tensorrt
      .replaceAll('VERSION', String(version))
      .replace('IN_PLACE', String(Number(minor >= 15)))
      .replace('ROWS', rows.join('\n')),
    '-pthread',
  );
}

const tensorrt = `
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dlfcn.h>
#include <stddef.h>
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
static void rule(int kept, const char* broken) {
  if (kept) return;
  fprintf(stderr, "broken: %s\\n", broken);
  _Exit(9);
}
static long yes(void) { return 1; }
static long no(void) { return 0; }
static long unknown(void) { rule(0, "a slot that this release has not"); return 0; }
static int id(const char* name) {
  for (int i = 0; i < count; i++) if (!strcmp(names[i], name)) return i;
  rule(0, "a name");
  return 0;
}
static void* driver(const char* name) { return dlsym(dlopen("libcuda.so.1", RTLD_NOW), name); }

static void *VRuntime_table[128], *VCudaEngine_table[128], *VExecutionContext_table[128], *VEngineInspector_table[128], *VRuntimeConfig_table[128];
static void *own_table[128], *context_own_table[128];
static void destroy(void* self) {}
static struct { void** own; void* impl; } runtime, engine, inspector, config;
static void *runtime_impl = VRuntime_table, *engine_impl = VCudaEngine_table, *inspector_impl = VEngineInspector_table, *config_impl = VRuntimeConfig_table;

// A handle, its implementation (which is the table), and what was set.
struct Context {
  void** own;
  void* impl;
  void** table;
  struct Dims shapes[count];
  uintptr_t addresses[count];
  int profile, inferred, is_shaped[count], busy, is_user_managed;
  void *allocator, *memory, *consumed;
};
static struct Context* of(void* self) { return (struct Context*)((char*)self - offsetof(struct Context, table)); }
static void destroy_context(void* handle) {
  rule(!((struct Context*)handle)->busy, "a context destroyed while it is enqueued");
  free(handle);
}

static void* runtime_logger;
static int allowed;
static void VRuntime_setEngineHostCodeAllowed(void* self, int given) { allowed = given & 255; }
// With CODE in the environment, the engine brings a lean runtime.
static void* VRuntime_deserializeCudaEngine(void* self, const void* data, uint64_t size) {
  if (getenv("CODE") && !allowed) {
    void (*log)(void*, int, const char*) = (*(void***)runtime_logger)[0];
    log(runtime_logger, 1, "Cannot deserialize engine with lean runtime since IRuntime::getEngineHostCodeAllowed() is false.");
    return NULL;
  }
  return getenv("NO_ENGINE") ? NULL : &engine;
}
static int VCudaEngine_getNbOptimizationProfiles(void* self) { return 2; }
static int VCudaEngine_getNbIOTensors(void* self) { return count; }
static const char* VCudaEngine_getIOTensorName(void* self, int i) { return names[i]; }
static int VCudaEngine_getTensorDataType(void* self, const char* name) { return dtypes[id(name)]; }
static int VCudaEngine_getTensorIOMode(void* self, const char* name) { return id(name) < next ? input : output; }
static int VCudaEngine_getTensorLocation(void* self, const char* name) { return id(name) == at || id(name) == sizes ? host : 0; }
static struct Dims VCudaEngine_getTensorShape(void* self, const char* name) { return dims[id(name)]; }
static int VCudaEngine_getTensorFormatV2(void* self, const char* name, int profile) { return 0; }
static struct Dims VCudaEngine_getProfileShape(void* self, const char* name, int which, int bound) {
  struct Dims shape = dims[id(name)];
  if (id(name) == update) shape.d[0] = bound + 1;
  return shape;
}
static const int64_t* VCudaEngine_getProfileTensorValuesV2(void* self, const char* name, int which, int bound) {
  return id(name) == at ? at_values[which][bound] : id(name) == sizes ? sizes_values[which][bound] : NULL;
}
static const int32_t* VCudaEngine_getProfileTensorValues(void* self, const char* name, int which, int bound) {
  static int32_t narrow[2];
  const int64_t* values = VCudaEngine_getProfileTensorValuesV2(self, name, which, bound);
  for (int i = 0; values && i < (id(name) == sizes ? 2 : 1); i++) narrow[i] = values[i];
  return values ? narrow : NULL;
}
static const char* VCudaEngine_getAliasedInputTensor(void* self, const char* name) { return id(name) == next ? "cache" : NULL; }
static void* VCudaEngine_createExecutionContext(void* self, int strategy) {
  struct Context* made = calloc(1, sizeof *made);
  made->own = context_own_table;
  made->impl = &made->table;
  made->table = VExecutionContext_table;
  made->is_user_managed = strategy == 2;
  return made;
}
static int chosen;
static void* VCudaEngine_createRuntimeConfig(void* self) { return &config; }
static void VRuntimeConfig_setExecutionContextAllocationStrategy(void* self, int strategy) { chosen = strategy; }
static int VRuntimeConfig_getExecutionContextAllocationStrategy(void* self) { return chosen; }
static void* VCudaEngine_createExecutionContextWithRuntimeConfig(void* self, void* given) { return VCudaEngine_createExecutionContext(self, chosen); }
static int64_t VCudaEngine_getDeviceMemorySizeV2(void* self) { return 1024; }
static int64_t VCudaEngine_getDeviceMemorySizeForProfileV2(void* self, int which) { return 1024; }

static void* VCudaEngine_createEngineInspector(void* self) { return &inspector; }
static const char* VEngineInspector_getEngineInformation(void* self, int format) {
  rule(format == 1, "another format than JSON");
  return getenv("NO_JSON") ? "{ nan }" : "{\\"Layers\\": [\\"add\\"], \\"Bindings\\": [\\"cache\\"]}";
}

static int VExecutionContext_setOptimizationProfileAsync(void* self, int which, void* stream) { of(self)->profile = which; return 1; }
static void VExecutionContext_setDeviceMemoryV2(void* self, void* memory, int64_t bytes) {
  rule(of(self)->is_user_managed && bytes >= 1024, "memory for a context that has its own, or too little");
  of(self)->memory = memory;
}
static uint64_t VExecutionContext_updateDeviceMemorySizeForShapes(void* self) { return 1024; }
static int VExecutionContext_setInputConsumedEvent(void* self, void* event) { of(self)->consumed = event; return 1; }
static int VExecutionContext_setInputShape(void* self, const char* name, const struct Dims* shape) {
  struct Context* c = of(self);
  c->shapes[id(name)] = *shape;
  c->is_shaped[id(name)] = 1;
  c->inferred = 0;
  return 1;
}
static int VExecutionContext_setTensorAddress(void* self, const char* name, void* address) {
  struct Context* c = of(self);
  int i = id(name);
  for (int k = 0; k < next; k++) rule(c->is_shaped[k], "an address before all shapes");
  rule(!address || !((uintptr_t)address & DEVICE) == (i == at || i == sizes), "shape tensors in host memory, others in the device's");
  c->addresses[i] = (uintptr_t)address;
  if (i == at || i == sizes) c->inferred = 0;
  return 1;
}
static int VExecutionContext_inferShapes(void* self, int most, const char** missing) {
  struct Context* c = of(self);
  for (int k = 0; k < next; k++) rule(c->is_shaped[k] && (c->addresses[k] || (k != at && k != sizes)), "shapes inferred without all inputs");
  c->inferred = 1;
  int64_t* wanted = (int64_t*)c->addresses[sizes];
  c->shapes[next] = c->shapes[cache];
  c->shapes[filled] = (struct Dims){2, {wanted[0], wanted[1]}};
  if (getenv("UNKNOWN")) c->shapes[filled].d[0] = -1;
  if (wanted[0] == 4) { missing[0] = "sizes"; return 1; }
  return wanted[0] == 3 ? -1 : 0;
}
static struct Dims VExecutionContext_getTensorShape(void* self, const char* name) {
  rule(of(self)->inferred, "an output's shape before all inputs");
  return of(self)->shapes[id(name)];
}
static int64_t VExecutionContext_getMaxOutputSize(void* self, const char* name) {
  return id(name) == next ? 16 : 4 * sizes_values[of(self)->profile][2][0] * sizes_values[of(self)->profile][2][1];
}
static int VExecutionContext_setOutputAllocator(void* self, const char* name, void* given) {
  rule(id(name) == filled, "an allocator for an output whose size is known");
  of(self)->allocator = given;
  return 1;
}
// IOutputAllocator: getAPILanguage, getInterfaceInfo, two destructors, reallocateOutput, reallocateOutputAsync, notifyShape
static void allocate_filled(struct Context* c, const int64_t* sizes, void* stream) {
  struct Info { const char* kind; int major, minor; };
  void* allocator = c->allocator;
  rule(allocator != NULL, "an output of unknown size without an allocator");
  void** entries = *(void***)allocator;
  rule(((int (*)(void*))entries[0])(allocator) == 0, "another language than C++");
  struct Info info = ((struct Info (*)(void*))entries[1])(allocator);
  rule(!strcmp(info.kind, "IOutputAllocator") && info.major == 1 && info.minor == 0, "another interface");
  void* small = ((void* (*)(void*, const char*, void*, uint64_t, uint64_t))entries[4])(allocator, "filled", NULL, 4, 256);
  rule(((uintptr_t)small & DEVICE) != 0, "memory of the device");
  uint64_t bytes = 4 * sizes[0] * sizes[1];
  c->addresses[filled] = (uintptr_t)((void* (*)(void*, const char*, void*, uint64_t, uint64_t, void*))entries[5])(allocator, "filled", small, bytes, 256, stream);
  struct Dims dims = {2, {sizes[0], sizes[1]}};
  ((void (*)(void*, const char*, const struct Dims*))entries[6])(allocator, "filled", &dims);
}
// One run, as it was enqueued.
struct Work { void* to[count]; int updates, at, filled; };
static void compute(void* data) {
  struct Work* w = data;
  memmove(w->to[next], w->to[cache], 4 * sizeof(float));
  for (int i = 0; i < w->updates; i++) ((float*)w->to[next])[w->at] += ((float*)w->to[update])[i];
  for (int i = 0; i < w->filled; i++) ((int32_t*)w->to[filled])[i] = i;
}
static int VExecutionContext_enqueueV3(void* self, void* stream) {
  struct Context* c = of(self);
  if (getenv("CRASH")) abort();
  rule(!__atomic_exchange_n(&c->busy, 1, __ATOMIC_SEQ_CST), "a context enqueued on two threads at once");
  for (int k = 0; k < count; k++) rule((k >= next || c->is_shaped[k]) && (c->addresses[k] || k == filled), "an enqueue without all shapes and addresses");
  rule(!c->is_user_managed || c->memory, "an enqueue without memory to compute in");
  int64_t *low = (int64_t*)sizes_values[c->profile][0], *high = (int64_t*)sizes_values[c->profile][2], *given = (int64_t*)c->addresses[sizes];
  rule(given[0] >= low[0] && given[0] <= high[0] && given[1] >= low[1] && given[1] <= high[1], "elements outside the profile");
  if (IN_PLACE) rule(c->addresses[next] == c->addresses[cache], "an operation in place with memory of its own");
  if (getenv("UNKNOWN")) allocate_filled(c, given, stream);
  struct Work* work = malloc(sizeof *work);
  for (int k = 0; k < count; k++) work->to[k] = (void*)(c->addresses[k] & ~DEVICE);
  work->updates = c->shapes[update].d[0];
  work->at = *(int32_t*)c->addresses[at];
  work->filled = given[0] * given[1];
  void* uses[] = {(void*)c->addresses[cache], (void*)c->addresses[update], (void*)c->addresses[next], (void*)c->addresses[filled]};
  int (*submit)(void*, void (*)(void*), void (*)(void*), void*, void* const*, size_t) = driver("standin_submit");
  int result = submit(stream, compute, free, work, uses, 4);
  int (*record)(void*, void*) = driver("cuEventRecord");
  if (c->consumed && !result) result = record(c->consumed, stream);
  __atomic_store_n(&c->busy, 0, __ATOMIC_SEQ_CST);
  return result == 0;
}

int getInferLibVersion(void) { return VERSION; }
void* createInferBuilder_INTERNAL(void* logger, int version) { return NULL; }
void* createInferRuntime_INTERNAL(void* logger, int version) {
  runtime_logger = logger;
  // ILogger: log, two destructors
  void (**entries)(void*, int, const char*) = *(void***)logger;
  entries[0](logger, 3, "only for information");
  entries[0](logger, 2, "the fake begins");
  for (int i = 0; i < 128; i++) VRuntime_table[i] = VCudaEngine_table[i] = VExecutionContext_table[i] = VEngineInspector_table[i] = VRuntimeConfig_table[i] = (void*)unknown;
ROWS
  own_table[1] = (void*)destroy, context_own_table[1] = (void*)destroy_context;
  runtime.own = engine.own = inspector.own = config.own = own_table;
  runtime.impl = &runtime_impl, engine.impl = &engine_impl, inspector.impl = &inspector_impl, config.impl = &config_impl;
  return &runtime;
}
`;
