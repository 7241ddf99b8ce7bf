/* Loads a plugin library as TensorRT does and prints what it finds: creators.c LIBRARY [FIELDS] */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { char const* kind; int32_t major, minor; } Info;
typedef struct { char const* name; void const* data; int32_t type, length; } Field;
typedef struct { int32_t count; Field const* fields; } Fields;
typedef void** Object; /* the table is the first word */

#define CALL(object, slot, result, ...) ((result (*)(void*, ##__VA_ARGS__))(*(void***)(object))[slot])

static char const* text(void* object, int slot) { return CALL(object, slot, char const*)(object); }
static void print_kind(char const* what, void* object) {
  Info info = CALL(object, 1, Info)(object);
  printf("%s: %s %d.%d, language %d\n", what, info.kind, info.major, info.minor, CALL(object, 0, int32_t)(object));
}

static void try_creator(void* creator) {
  print_kind("creator", creator);
  printf("name %s version %s namespace %s\n", text(creator, 6), text(creator, 7), text(creator, 8));
  Fields const* names = CALL(creator, 5, Fields const*)(creator);
  for (int i = 0; i < names->count; i++) printf("field %s %d\n", names->fields[i].name, names->fields[i].type);

  Fields none = {0, NULL};
  printf("build phase: %s\n", CALL(creator, 4, void*, char const*, Fields const*, int32_t)(creator, "layer", &none, 0) ? "object" : "null");
  /* In the runtime phase TensorRT does not survive null: an object that fails. */
  void* plugin = CALL(creator, 4, void*, char const*, Fields const*, int32_t)(creator, "layer", &none, 1);
  if (!plugin) { printf("runtime phase: null\n"); return; }
  print_kind("plugin", plugin);
  void* copy = CALL(plugin, 5, void*)(plugin);
  for (int type = 0; type < 4; type++) {
    void* capability = CALL(copy, 4, void*, int32_t)(copy, type);
    if (capability) print_kind("capability", capability);
    else printf("capability: null\n");
  }
  void* build = CALL(copy, 4, void*, int32_t)(copy, 1);
  void* runtime = CALL(copy, 4, void*, int32_t)(copy, 2);
  int32_t type = 0;
  printf("getOutputDataTypes %d\n", CALL(build, 5, int32_t, int32_t*, int32_t, int32_t const*, int32_t)(build, &type, 1, &type, 1));
  printf("enqueue %d\n", CALL(runtime, 6, int32_t, void*, void*, void*, void*, void*, void*)(runtime, NULL, NULL, NULL, NULL, NULL, NULL));
  printf("fields %s\n", CALL(runtime, 8, void*)(runtime) ? "some" : "null");
  void* attached = CALL(runtime, 7, void*, void*)(runtime, NULL);
  printf("attached %s\n", attached ? "object" : "null");
  CALL(attached, 3, void)(attached);
  CALL(copy, 3, void)(copy);
  CALL(plugin, 3, void)(plugin);
}

int main(int count, char** arguments) {
  void* library = count > 1 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!library) { printf("dlopen: %s\n", dlerror()); return 1; }
  void* const* (*creators)(int32_t*) = (void* const* (*)(int32_t*))dlsym(library, "getCreators");
  void (*finder)(void*) = (void (*)(void*))dlsym(library, "setLoggerFinder");
  if (!creators || !finder) { printf("exports are missing\n"); return 1; }
  finder(NULL);
  int32_t found = -1;
  void* const* list = creators(&found);
  printf("%d creators\n", found);
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int i = 0; i < found; i++) try_creator(list[i]);
  dlclose(library);
  return 0;
}
