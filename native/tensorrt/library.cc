#include "library.h"

#include <dlfcn.h>

#include <algorithm>
#include <cctype>
#include <climits>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "callbacks.h"

namespace ntrt {

char const* flavor_name(Flavor flavor) {
  switch (flavor) {
    case Flavor::trt10: return "trt10";
    case Flavor::trt11: return "trt11";
    default: return "rtx1";
  }
}

std::string release_name(Release release) {
  return std::to_string(release / 10000) + "." + std::to_string(release / 100 % 100) + "." + std::to_string(release % 100);
}

Flavor flavor_of(Release release) {
  int const major = release / 10000;
  int const minor = release / 100 % 100;
  if (major == 10 && minor == 8) {
    throw Error("ERR_LIBRARY_REFUSED", "TensorRT 10.8 orders INetworkDefinition differently from all other releases; install 10.0 to 10.7, 10.9 or later");
  }
  if (major == 10) return Flavor::trt10;
  if (major == 11) return Flavor::trt11;
  if (major == 1 && minor >= 5) return Flavor::rtx1;
  if (major == 1) {
    throw Error("ERR_LIBRARY_REFUSED", "TensorRT-RTX " + release_name(release) + " has another binary interface; install 1.5 or later");
  }
  throw Error("ERR_LIBRARY_REFUSED", "TensorRT release " + release_name(release) + " is unknown (getInferLibVersion() says " + std::to_string(release) +
                                         "); supported are TensorRT 10, TensorRT 11 and TensorRT-RTX 1.5 or later");
}

std::shared_ptr<Api const> load_library(std::string const& path) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<Api const>> loaded;

  char resolved[PATH_MAX];
  std::string const real = realpath(path.c_str(), resolved) ? resolved : path;
  std::lock_guard lock(mutex);
  if (auto found = loaded.find(real); found != loaded.end()) return found->second;

  void* handle = dlopen(real.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw Error("ERR_LIBRARY_NOT_FOUND", std::string("could not load TensorRT: ") + dlerror());
  auto symbol = [&](char const* name) {
    void* address = dlsym(handle, name);
    if (!address) {
      dlclose(handle);
      throw Error("ERR_LIBRARY_INVALID", real + " is not a TensorRT library: it does not export " + name);
    }
    return address;
  };
  auto get_version = reinterpret_cast<int32_t (*)()>(symbol("getInferLibVersion"));
  auto api = std::make_shared<Api>();
  api->path = real;
  api->release = get_version();
  try {
    api->flavor = flavor_of(api->release);
  } catch (Error const& error) {
    dlclose(handle);
    throw Error(error.code, real + ": " + error.what());
  }
  api->product = (api->flavor == Flavor::rtx1 ? "TensorRT-RTX " : "TensorRT ") + release_name(api->release);
  api->create_builder = reinterpret_cast<void* (*)(void*, int32_t)>(symbol("createInferBuilder_INTERNAL"));
  api->create_runtime = reinterpret_cast<void* (*)(void*, int32_t)>(symbol("createInferRuntime_INTERNAL"));
  api->create_refitter = reinterpret_cast<void* (*)(void*, void*, int32_t)>(dlsym(handle, "createInferRefitter_INTERNAL"));
  api->logger = new Logger(api->flavor);  // never freed, like the library
  loaded.emplace(real, api);
  return api;
}

namespace {

struct EnumRow {
  std::string_view value;
  Slot flavors[3];
};

std::unordered_map<std::string_view, std::vector<EnumRow>> const& enum_rows() {
  static auto const* rows = [] {
    auto* map = new std::unordered_map<std::string_view, std::vector<EnumRow>>;
#define ENUM(NAME, VALUE, TRT10, TRT11, RTX1) (*map)[#NAME].push_back({#VALUE, {parse_slot(TRT10), parse_slot(TRT11), parse_slot(RTX1)}});
#include "enums.def"
#undef ENUM
    return map;
  }();
  return *rows;
}

// Whether `name` is an enumerator in TensorRT's spelling or the IR's: "gelu_erf" for kGELU_ERF.
bool is_spelled(std::string_view spelling, std::string_view name) {
  if (name.size() == spelling.size()) return name == spelling;
  if (name.size() + 1 != spelling.size()) return false;
  auto const upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return std::equal(name.begin(), name.end(), spelling.begin() + 1, [&](char ours, char theirs) { return upper(ours) == theirs; });
}

}  // namespace

namespace {

EnumRow const& find_row(std::string_view name, std::string_view value) {
  auto const missing = [&] { return Error("ERR_INTERNAL", "no enumerator " + std::string(name) + "::" + std::string(value)); };
  auto const rows = enum_rows().find(name);
  if (rows == enum_rows().end()) throw missing();
  auto const row = std::find_if(rows->second.begin(), rows->second.end(), [&](EnumRow const& one) { return is_spelled(one.value, value); });
  if (row == rows->second.end()) throw missing();
  return *row;
}

[[noreturn]] void throw_absent(Api const& api, std::string const& what, Slot const* slots) {
  static char const* const products[] = {"TensorRT 10", "TensorRT 11", "TensorRT-RTX 1"};
  std::string where;
  for (int i = 0; i < 3; i++) {
    if (slots[i].index < 0) continue;
    where += where.empty() ? "" : ", ";
    where += slots[i].since ? std::string(i == 2 ? "TensorRT-RTX " : "TensorRT ") + release_name(slots[i].since) : products[i];
  }
  throw Error("ERR_UNSUPPORTED", what + " needs " + where + (slots[static_cast<int>(api.flavor)].index < 0 ? "" : " or later") + "; loaded is " + flavor_name(api.flavor) + " " + release_name(api.release));
}

EnumRow const& find_row(Api const& api, std::string_view name, std::string_view value) {
  EnumRow const& row = find_row(name, value);
  Slot const& slot = row.flavors[static_cast<int>(api.flavor)];
  if (slot.index < 0 || api.release < slot.since) throw_absent(api, std::string(name) + "::" + std::string(row.value), row.flavors);
  return row;
}

}  // namespace

Slot const* enumerator_slots(std::string_view name, std::string_view value) { return find_row(name, value).flavors; }

int32_t Api::enumerator(std::string_view name, std::string_view value) const {
  EnumRow const& row = find_row(*this, name, value);
  trace::add_enumerator(name, row.value);
  return row.flavors[static_cast<int>(flavor)].index;
}

int32_t Api::untraced_enumerator(std::string_view name, std::string_view value) const {
  return find_row(*this, name, value).flavors[static_cast<int>(flavor)].index;
}

std::string Api::spelling(std::string_view name, int32_t value) const {
  auto const rows = enum_rows().find(name);
  if (rows == enum_rows().end()) throw Error("ERR_INTERNAL", "no enumeration " + std::string(name));
  for (auto const& row : rows->second) {
    Slot const& slot = row.flavors[static_cast<int>(flavor)];
    if (slot.index != value || release < slot.since) continue;
    std::string text(row.value.substr(1));
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  }
  return std::to_string(value);
}

void throw_unsupported(Api const& api, MethodInfo const& method) { throw_absent(api, title(method), method.slots); }

}  // namespace ntrt
