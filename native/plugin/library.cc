// libnode_tensorrt_plugins.so: runs engines with our plugins in other programs, without Node.
//
// A copy of it, to which src/plugin/library-file.ts has appended definitions. Little endian:
//   definitions: text name, text version, u32 count of attributes, each: text name, u8 PluginFieldType (text: u32 bytes, UTF-8)
//   the last 24 bytes: "NTRPLUGS", u32 version of this layout (1), u32 count of definitions, u64 where they begin in the file
// An engine brings recipe and kernels; the definitions only say which creators there are.
#include <dlfcn.h>
#include <link.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <mutex>

#include "failure.h"
#include "objects.h"
#include "reader.h"

namespace ntrt {

namespace {

constexpr char magic[] = "NTRPLUGS";
constexpr uint32_t layout = 1;
constexpr size_t trailer_size = 24;

std::atomic<LoggerFinder*> finder{nullptr};

// The flavor of the TensorRT in this process; nothing if there is none, or several.
std::optional<Flavor> loaded_flavor() {
  std::vector<std::string> paths;
  dl_iterate_phdr([](dl_phdr_info* info, size_t, void* into) {
    std::string_view const path = info->dlpi_name ? info->dlpi_name : "";
    std::string_view const file = path.substr(path.rfind('/') + 1);
    if (file.compare(0, 13, "libnvinfer.so") == 0) static_cast<std::vector<std::string>*>(into)->emplace_back(path);
    return 0;
  }, &paths);
  std::optional<Flavor> found;
  for (auto const& path : paths) {
    void* const library = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    auto const version = library ? reinterpret_cast<int32_t (*)()>(dlsym(library, "getInferLibVersion")) : nullptr;
    Flavor const flavor = version && version() >= 110000 ? Flavor::trt11 : Flavor::trt10;
    if (library) dlclose(library);
    if (!version) continue;
    if (found && found != flavor) return std::nullopt;
    found = flavor;
  }
  return found;
}

void log(int32_t severity, char const* text) {
  auto* const known = finder.load();
  auto const flavor = known ? loaded_flavor() : std::nullopt;
  if (flavor) {
    auto const slot = [&](MethodInfo const& method) { return method.slots[static_cast<int>(*flavor)].index; };
    auto* const logger = call_slot<m::LoggerFinder::findLogger>(slot(m::LoggerFinder::findLogger::info), known);
    if (logger) return call_slot<m::LoggerObject::log>(slot(m::LoggerObject::log::info), logger, severity, text);
  }
  std::fprintf(stderr, "node_tensorrt_plugins: %s\n", text);
}

struct Creators {
  std::vector<void*> list;
};

Creators read_definitions(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> const bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < trailer_size) throw Error("ERR_PLUGIN", path + " cannot be read");
  char const* const trailer = bytes.data() + bytes.size() - trailer_size;
  if (std::memcmp(trailer, magic, 8) != 0) throw Error("ERR_PLUGIN", path + " has no definitions: make one that has with `node-tensorrt plugins library`");
  ByteReader tail(trailer + 8, trailer_size - 8);
  if (auto const version = tail.number<uint32_t>(); version != layout) throw Error("ERR_PLUGIN", path + " was made by a newer node-tensorrt");
  auto const count = tail.number<uint32_t>();
  auto const offset = tail.number<uint64_t>();
  if (offset > bytes.size() - trailer_size) tail.fail("definitions at " + std::to_string(offset));
  ByteReader in(bytes.data() + offset, bytes.size() - trailer_size - offset);
  Creators creators;
  for (uint32_t i = 0; i < count; i++) {
    std::string name = in.text(), version = in.text();
    std::vector<Recipe::Attribute> attributes(in.count(5, 255, "attributes"));
    for (auto& attribute : attributes) {
      attribute.name = in.text();
      attribute.type = static_cast<FieldType>(in.below<uint8_t>(field_type_count, "field type"));
    }
    creators.list.push_back(new PluginCreator(std::move(name), std::move(version), std::move(attributes)));
  }
  return creators;
}

}  // namespace

}  // namespace ntrt

#define EXPORTED extern "C" __attribute__((visibility("default")))

// TensorRT calls it in loadLibrary; the creators live as long as the process.
EXPORTED void* const* getCreators(int32_t& count) {
  static auto* const creators = [] {
    ntrt::set_plugin_log(ntrt::log);
    auto* const found = new ntrt::Creators;
    try {
      Dl_info info{};
      if (!dladdr(reinterpret_cast<void const*>(&getCreators), &info) || !info.dli_fname) throw ntrt::Error("ERR_PLUGIN", "the library does not know its file");
      *found = ntrt::read_definitions(info.dli_fname);
    } catch (std::exception const& error) {
      ntrt::log(1, error.what());
    }
    return found;
  }();
  count = static_cast<int32_t>(creators->list.size());
  return creators->list.data();
}

// ILoggerFinder*: whose logger gets our messages.
EXPORTED void setLoggerFinder(ntrt::LoggerFinder* finder) { ntrt::finder = finder; }
