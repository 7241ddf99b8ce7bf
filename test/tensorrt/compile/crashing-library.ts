import { readFileSync } from 'node:fs';
import { compileLibrary } from '../../setup/fake-library.js';

const methods = readFileSync(new URL('../../../native/tensorrt/methods.def', import.meta.url), 'utf8');

/** Slot of a method in TensorRT-RTX's tables. */
function slot(method: string): number {
  const [type, name] = method.split('.');
  const row = methods.split('\n').find((line) => line.startsWith(`METHOD(${type}, ${name},`));
  return Number(/"(\d+)[^"]*"\)$/.exec(row!)![1]);
}

const table = (rows: Record<string, string>) =>
  Object.entries(rows)
    .map(([method, function_]) => `  tables[${method.split('.')[0]}][${slot(method)}] = ${function_};`)
    .join('\n');

/** Values of the environment's CRASH and the signals they end in; also "locked", which aborts while holding stdout's lock. */
export const crashes = {
  null: 'SIGSEGV',
  jump: 'SIGSEGV',
  overflow: 'SIGSEGV',
  raise: 'SIGSEGV',
  abort: 'SIGABRT',
  divide: 'SIGFPE',
  trap: 'SIGILL',
  bus: 'SIGBUS',
  thread: 'SIGSEGV',
} as const;

/**
 * More values of CRASH, for builds in a process of their own: "hang" makes the file HANGS and never returns, "exit" ends the process with code 3, "killed" by
 * SIGKILL, "outside" crashes in a thread that is not TensorRT's, "babble" writes to every descriptor, "grow" takes a MiB of memory
 * per ms.
 */
export const ends = ['hang', 'exit', 'killed', 'outside', 'babble', 'grow'] as const;

/**
 * A library that reports TensorRT-RTX 1.7.1 and supports just enough for activations and sums over [batch, 8]. While the
 * environment's CRASH is set, `buildSerializedNetwork` (or `addActivation` if WHERE is "layer") does what it says. After
 * that, the library's destructor waits forever, like one that waits for its threads.
 */
export function crashingTensorRT(path: string): string {
  return compileLibrary(
    path,
    `
#define _GNU_SOURCE
#include <alloca.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { Other, Builder, Network, Layer, Tensor, HostMemory, OptimizationProfile, kinds };
static void* tables[kinds][128];
static void** implementations[kinds];
static struct { void** own; void* implementations[3]; } objects[kinds];
typedef struct { int32_t rank; int64_t d[8]; } Dims;
static Dims dims = { 2, { -1, 8 } };
static Dims bounds[3];
static int crashed;

static long one(void) { return 1; }
static long zero(void) { return 0; }
static void* other(void) { return &objects[Other]; }
static void* network(void) { return &objects[Network]; }
static void* layer(void) { return &objects[Layer]; }
static void* tensor(void) { return &objects[Tensor]; }
static void* profile(void) { return &objects[OptimizationProfile]; }
static Dims get_dimensions(void* self) { return dims; }
static long set_bound(void* self, char const* input, int which, Dims const* given) {
  bounds[which] = *given;
  return 1;
}
static Dims get_bound(void* self, char const* input, int which) { return bounds[which]; }

static int recurse(volatile char* above) {
  volatile char page[4096];
  page[0] = above[0];
  return recurse(page) + page[0];
}
// The end of the stack is near, so that the test needs no 512 MiB of memory.
static int overflow(void) {
  pthread_attr_t attributes;
  void* low;
  size_t size;
  char here;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &low, &size);
  volatile char* gap = alloca(&here - (char*)low - 65536);
  gap[0] = 1;
  return recurse(gap);
}
static void* write_null(void* p) { return (void*)(long)(*(volatile int*)p = 1); }

static void crash(char const* how) {
  if (!how || !*how) return;
  crashed = 1;
  volatile int none = 0;
  if (!strcmp(how, "null")) write_null((void*)8);
  if (!strcmp(how, "jump")) ((void (*)(void))(long)none)();
  if (!strcmp(how, "overflow")) overflow();
  if (!strcmp(how, "raise")) raise(SIGSEGV);
  if (!strcmp(how, "divide")) none = 7 / none;
  if (!strcmp(how, "trap")) __builtin_trap();
  if (!strcmp(how, "bus")) write_null(mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(tmpfile()), 0));
  if (!strcmp(how, "locked")) flockfile(stdout);
  if (!strcmp(how, "hang")) {
    if (getenv("HANGS")) close(creat(getenv("HANGS"), 0600));
    for (;;) pause();
  }
  if (!strcmp(how, "exit")) _exit(3);
  if (!strcmp(how, "killed")) kill(getpid(), SIGKILL);
  if (!strcmp(how, "outside")) {
    fputs("damaged\\n", stderr);
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
  }
  if (!strcmp(how, "babble")) {
    static unsigned char noise[65536];
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = i * 31 + 255;
    for (int fd = 3; fd < 5; fd++) send(fd, noise, sizeof noise, MSG_DONTWAIT);
    for (;;) pause();
  }
  if (!strcmp(how, "grow")) {
    for (;;) {
      memset(malloc(1 << 20), 1, 1 << 20);
      usleep(1000);
    }
  }
  if (!strcmp(how, "thread")) {
    pthread_t thread;
    pthread_create(&thread, 0, write_null, (void*)8);
    pthread_join(thread, 0);
  }
  abort();
}
static void* add_activation(void) {
  if (getenv("WHERE")) crash(getenv("CRASH"));
  return &objects[Layer];
}
static void* build(void) {
  crash(getenv("CRASH"));
  return &objects[HostMemory];
}
__attribute__((destructor)) static void end(void) {
  while (crashed) pause();
}

int getInferLibVersion(void) { return 10701; }
void* createInferRuntime_INTERNAL(void) { return 0; }
void* createInferBuilder_INTERNAL(void) {
  for (int i = 0; i < kinds; i++) {
    for (int k = 0; k < 128; k++) tables[i][k] = one;
    implementations[i] = tables[i];
    objects[i].own = tables[Other];
    for (int k = 0; k < 3; k++) objects[i].implementations[k] = &implementations[i];
  }
${table({
  'Builder.createNetworkV2': 'network',
  'Builder.createBuilderConfig': 'other',
  'Builder.createOptimizationProfile': 'profile',
  'OptimizationProfile.setDimensions': 'set_bound',
  'OptimizationProfile.getDimensions': 'get_bound',
  'Builder.buildSerializedNetwork': 'build',
  'Network.addInput': 'tensor',
  'Network.addActivation': 'add_activation',
  'Network.addConstant': 'layer',
  'Network.addElementWise': 'layer',
  'Network.addIdentity': 'layer',
  'Layer.getOutput': 'tensor',
  'Tensor.getDimensions': 'get_dimensions',
  'Tensor.getType': 'zero',
  'Tensor.isShapeTensor': 'zero',
  'HostMemory.data': 'other',
})}
  return &objects[Builder];
}
`,
    '-pthread',
    '-fno-stack-clash-protection',
  );
}
