#include "exit_hook.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "guard.h"
#include "machine.h"

namespace ntrt {

namespace {

[[noreturn]] void exit_or_stop(int status) {
  stop_exiting(status);
  std::exit(status);
}

// The tables of a loaded library that name what it calls.
struct Imports {
  char const* names = nullptr;
  ElfW(Sym) const* symbols = nullptr;
  ElfW(Rela) const* lists[2] = {};  // of functions, and of all else
  size_t bytes[2] = {};
};

Imports imports_of(link_map const& library) {
  Imports found;
  for (auto const* entry = library.l_ld; entry->d_tag != DT_NULL; entry++) {
    switch (entry->d_tag) {
      case DT_STRTAB: found.names = reinterpret_cast<char const*>(entry->d_un.d_ptr); break;
      case DT_SYMTAB: found.symbols = reinterpret_cast<ElfW(Sym) const*>(entry->d_un.d_ptr); break;
      case DT_JMPREL: found.lists[0] = reinterpret_cast<ElfW(Rela) const*>(entry->d_un.d_ptr); break;
      case DT_PLTRELSZ: found.bytes[0] = entry->d_un.d_val; break;
      case DT_RELA: found.lists[1] = reinterpret_cast<ElfW(Rela) const*>(entry->d_un.d_ptr); break;
      case DT_RELASZ: found.bytes[1] = entry->d_un.d_val; break;
      default: break;
    }
  }
  return found;
}

// The page may be read-only since the library was loaded.
void replace(void** place, void* function) {
  auto const page = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(place) & ~(page_size() - 1));
  if (mprotect(page, page_size(), PROT_READ | PROT_WRITE) == 0) __atomic_store_n(place, function, __ATOMIC_RELEASE);
}

}  // namespace

void catch_exit(void* library) {
  link_map* map = nullptr;
  if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || !map) return;
  Imports const imports = imports_of(*map);
  if (!imports.names || !imports.symbols) return;
  for (size_t list = 0; list < 2; list++) {
    for (size_t i = 0; imports.lists[list] && i < imports.bytes[list] / sizeof(ElfW(Rela)); i++) {
      auto const& entry = imports.lists[list][i];
      auto const index = ELF64_R_SYM(entry.r_info);
      auto const& symbol = imports.symbols[index];
      if (index == 0 || symbol.st_shndx != SHN_UNDEF || entry.r_addend != 0 || std::strcmp(imports.names + symbol.st_name, "exit") != 0) continue;
      replace(reinterpret_cast<void**>(map->l_addr + entry.r_offset), reinterpret_cast<void*>(&exit_or_stop));
    }
  }
}

}  // namespace ntrt
