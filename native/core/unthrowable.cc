#include "unthrowable.h"

#include <dlfcn.h>
#include <link.h>
#include <node_api.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>

#include "machine.h"

namespace ntrt {

namespace {

// A status of an exception without one: nothing can run on this thread any more.
napi_status swallowed(napi_env env, napi_status status) {
  bool pending = false;
  bool const ended = status == napi_cannot_run_js || (status == napi_pending_exception && napi_is_exception_pending(env, &pending) == napi_ok && !pending);
  return ended ? napi_ok : status;
}

// What node-addon-api calls to make an exception of a failure, and to throw it.
napi_status throw_if_possible(napi_env env, napi_value error) { return swallowed(env, napi_throw(env, error)); }

napi_status define_if_possible(napi_env env, napi_value object, size_t count, napi_property_descriptor const* properties) {
  return swallowed(env, napi_define_properties(env, object, count, properties));
}

napi_status has_if_possible(napi_env env, napi_value object, napi_value key, bool* result) {
  napi_status const status = napi_has_property(env, object, key, result);
  if (status != napi_ok) *result = false;
  return swallowed(env, status);
}

// A cell of a global offset table, which may lie in a page that is read-only since the library was loaded.
bool write_cell(ElfW(Addr) address, void* value) {
  auto const page = address & ~(static_cast<ElfW(Addr)>(page_size()) - 1);
  if (mprotect(reinterpret_cast<void*>(page), page_size(), PROT_READ | PROT_WRITE) != 0) return false;
  reinterpret_cast<std::atomic<void*>*>(address)->store(value);
  return true;
}

// Makes a loaded library call `value` wherever it calls the function `name` of others.
bool replace_import(link_map const& library, char const* name, void* value) {
  // glibc makes these addresses absolute, musl leaves them relative.
  auto const absolute = [&](ElfW(Addr) address) { return address < library.l_addr ? library.l_addr + address : address; };
  ElfW(Addr) tags[DT_NUM] = {};
  for (auto entry = library.l_ld; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag < DT_NUM) tags[entry->d_tag] = entry->d_un.d_ptr;
  }
  if (!tags[DT_SYMTAB] || !tags[DT_STRTAB]) return false;
  auto const symbols = reinterpret_cast<ElfW(Sym) const*>(absolute(tags[DT_SYMTAB]));
  auto const names = reinterpret_cast<char const*>(absolute(tags[DT_STRTAB]));
  bool replaced = false;
  auto const search = [&](ElfW(Addr) table, size_t size) {
    if (!table) return;
    auto const rows = reinterpret_cast<ElfW(Rela) const*>(absolute(table));
    for (size_t i = 0; i < size / sizeof(ElfW(Rela)); i++) {
      auto const symbol = ELF64_R_SYM(rows[i].r_info);
      if (symbol == 0 || rows[i].r_addend != 0 || std::strcmp(names + symbols[symbol].st_name, name) != 0) continue;
      replaced = write_cell(library.l_addr + rows[i].r_offset, value) || replaced;
    }
  };
  search(tags[DT_JMPREL], tags[DT_PLTRELSZ]);
  search(tags[DT_RELA], tags[DT_RELASZ]);
  return replaced;
}

}  // namespace

bool swallow_unthrowable(std::string const& addon) {
  // As Node does. Never closed: the cells have to stay.
  void* const handle = dlopen(addon.c_str(), RTLD_LAZY);
  link_map* library = nullptr;
  if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &library) != 0) return false;
  replace_import(*library, "napi_define_properties", reinterpret_cast<void*>(define_if_possible));
  replace_import(*library, "napi_has_property", reinterpret_cast<void*>(has_if_possible));
  return replace_import(*library, "napi_throw", reinterpret_cast<void*>(throw_if_possible));
}

}  // namespace ntrt
