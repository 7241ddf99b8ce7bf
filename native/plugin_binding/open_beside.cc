#include "open_beside.h"

#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <vector>

namespace ntrt {

namespace {

#if defined(__x86_64__)
constexpr auto machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr auto machine = EM_AARCH64;
#endif

// A shared library that has nothing but its dependencies, which the loader searches together.
struct Bundle {
  Elf64_Ehdr header = {};
  Elf64_Phdr segments[3] = {};
  Elf64_Dyn dynamic[7] = {};
  Elf64_Sym no_symbol = {};
};

std::vector<char> bundle_of(std::string const& first, std::string const& second) {
  std::string const names = '\0' + first + '\0' + second + '\0';
  size_t const size = sizeof(Bundle) + names.size();
  Bundle b;
  std::memcpy(b.header.e_ident, ELFMAG, SELFMAG);
  b.header.e_ident[EI_CLASS] = ELFCLASS64;
  b.header.e_ident[EI_DATA] = ELFDATA2LSB;
  b.header.e_ident[EI_VERSION] = EV_CURRENT;
  b.header.e_type = ET_DYN;
  b.header.e_machine = machine;
  b.header.e_version = EV_CURRENT;
  b.header.e_phoff = offsetof(Bundle, segments);
  b.header.e_ehsize = sizeof b.header;
  b.header.e_phentsize = sizeof b.segments[0];
  b.header.e_phnum = std::size(b.segments);
  b.segments[0] = {PT_LOAD, PF_R | PF_W, 0, 0, 0, size, size, 0x10000};
  b.segments[1] = {PT_DYNAMIC, PF_R | PF_W, offsetof(Bundle, dynamic), offsetof(Bundle, dynamic), offsetof(Bundle, dynamic), sizeof b.dynamic, sizeof b.dynamic, 8};
  b.segments[2] = {PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
  Elf64_Xword const entries[][2] = {
      {DT_NEEDED, 1},
      {DT_NEEDED, first.size() + 2},
      {DT_STRTAB, sizeof(Bundle)},
      {DT_STRSZ, names.size()},
      {DT_SYMTAB, offsetof(Bundle, no_symbol)},
      {DT_SYMENT, sizeof b.no_symbol},
  };
  for (size_t i = 0; i < std::size(entries); i++) {
    b.dynamic[i].d_tag = static_cast<Elf64_Sxword>(entries[i][0]);
    b.dynamic[i].d_un.d_val = entries[i][1];
  }
  std::vector<char> bytes(size);
  std::memcpy(bytes.data(), &b, sizeof b);
  std::memcpy(bytes.data() + sizeof b, names.data(), names.size());
  return bytes;
}

}  // namespace

void* open_beside(std::string const& path, std::string const& other) {
  auto const bytes = bundle_of(other, path);
  int const file = memfd_create("node-tensorrt", MFD_CLOEXEC);
  bool const written = file >= 0 && write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  // The loader knows libraries by their names: each bundle has another.
  static std::atomic<size_t> count{0};
  std::string name = "/proc/self/fd/";
  for (size_t i = ++count; i > 0; i--) name += "./";
  void* const both = written ? dlopen((name + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (file >= 0) close(file);
  // The bundle stays, and with it what it holds.
  return both ? dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
}

}  // namespace ntrt
