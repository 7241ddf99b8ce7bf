#include "weights.h"

#include <sys/mman.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <vector>

#include "../core/handle.h"
#include "../core/machine.h"
#include "convert.h"
#include "crc32.h"
#include "mapping.h"

namespace ntrt {

namespace {

// Keeps the pages of one buffer mapped until it is collected, or the file is closed.
struct Hold {
  std::shared_ptr<Mapping> mapping;
  // Bytes subtracted from V8's count of external memory. Collecting garbage would not free pages of a file, yet V8 does a
  // full collection if the count jumps by a gigabyte.
  int64_t uncounted;

  // V8 subtracts them itself once the buffer is gone.
  void count(Napi::Env env) {
    if (uncounted != 0) Napi::MemoryManagement::AdjustExternalMemory(env, uncounted);
    uncounted = 0;
  }
};

// V8 subtracts a buffer's bytes before it says that the buffer is gone. From Node 24 on it ends the process where that leaves less than nothing, so there
// its count has to stay as it is.
bool may_uncount(Napi::Env env) { return Napi::VersionManagement::GetNodeVersion(env)->major < 24; }

struct View {
  Napi::Reference<Napi::ArrayBuffer> buffer;  // weak
  std::shared_ptr<Hold> hold;
};

// The object behind the handle that mapFile and allocate return.
struct MappedFile {
  static constexpr char handle_kind[] = "a mapped file";
  std::shared_ptr<Mapping> mapping;  // null once closed
};

// A file opened by JavaScript and the buffers that show parts of it. Used only on JavaScript's thread.
struct OpenFile {
  std::shared_ptr<MappedFile> mapped;
  std::vector<View> views;
};

Napi::Value view(Napi::CallbackInfo const& info, std::shared_ptr<OpenFile> const& file) {
  size_t const offset = argument(info, 0).size(), length = argument(info, 1).size();
  if (!file->mapped->mapping) throw Error("ERR_DISPOSED", "the file was closed");
  if (offset > file->mapped->mapping->size() || length > file->mapped->mapping->size() - offset) {
    throw Error("ERR_ARGUMENT", "the range lies outside the file");
  }
  if (length == 0) return Napi::ArrayBuffer::New(info.Env(), 0);
  auto hold = std::make_shared<Hold>(Hold{file->mapped->mapping, may_uncount(info.Env()) ? static_cast<int64_t>(length) : 0});
  auto buffer = Napi::ArrayBuffer::New(
      info.Env(), file->mapped->mapping->data() + offset, length,
      [](Napi::Env env, void*, std::shared_ptr<Hold>* gone) {
        (*gone)->count(env);
        delete gone;
      },
      new std::shared_ptr<Hold>(hold));
  if (hold->uncounted != 0) Napi::MemoryManagement::AdjustExternalMemory(info.Env(), -hold->uncounted);
  file->views.push_back({Napi::Weak(buffer), std::move(hold)});
  return buffer;
}

// Once detached, no buffer shows the pages, so unmapping them need not wait for the collector.
void close(Napi::CallbackInfo const& info, std::shared_ptr<OpenFile> const& file) {
  for (auto& view : file->views) {
    Napi::HandleScope scope(info.Env());
    Napi::ArrayBuffer buffer = view.buffer.Value();
    view.hold->count(info.Env());
    if (!buffer.IsEmpty() && !buffer.IsDetached()) buffer.Detach();
    view.hold->mapping.reset();
  }
  file->views.clear();
  file->mapped->mapping.reset();
}

// Maps the pages of a range on another thread, before they are touched one by one. Fails if the file became shorter.
void ahead(Napi::CallbackInfo const& info, std::shared_ptr<OpenFile> const& file) {
  size_t const offset = argument(info, 0).size(), wanted = argument(info, 1).size();
  std::shared_ptr<Mapping> const mapping = file->mapped->mapping;
  if (!mapping || offset >= mapping->size()) return;
  size_t const length = std::min(wanted, mapping->size() - offset);
  try {
    std::thread([mapping, offset, length] {
      constexpr int populate_read = 22;  // MADV_POPULATE_READ, Linux 5.14; older kernels refuse it, which is harmless
      size_t const begin = offset & ~(page_size() - 1);
      madvise(mapping->data() + begin, offset + length - begin, populate_read);
    }).detach();
  } catch (std::system_error const&) {
    // no thread: pages are mapped when they are touched
  }
}

// Where elements lie in the file: { identity, offset }, for as long as the file is not changed. Undefined for elements elsewhere, and
// for those that somebody wrote to.
Napi::Value place(Napi::CallbackInfo const& info, std::shared_ptr<OpenFile> const& file) {
  Napi::Uint8Array const elements = argument(info, 0).bytes();
  auto const& mapping = file->mapped->mapping;
  auto const at = reinterpret_cast<uintptr_t>(elements.Data()), begin = mapping ? reinterpret_cast<uintptr_t>(mapping->data()) : at + 1;
  if (at < begin || at - begin > mapping->size() || elements.ByteLength() > mapping->size() - (at - begin) || !mapping->is_as_shared(at - begin, elements.ByteLength())) return info.Env().Undefined();
  std::string const identity = mapping->identity();
  if (identity.empty()) return info.Env().Undefined();
  auto result = Napi::Object::New(info.Env());
  result.Set("identity", identity);
  result.Set("offset", static_cast<double>(at - begin));
  return result;
}

Napi::Value open_file(Napi::Env env, std::shared_ptr<Mapping> mapping) {
  auto file = std::make_shared<OpenFile>();
  file->mapped = std::make_shared<MappedFile>(MappedFile{std::move(mapping)});
  auto result = make_handle(env, file->mapped).As<Napi::Object>();
  result.Set("size", Napi::Number::New(env, static_cast<double>(file->mapped->mapping->size())));
  result.Set("view", Napi::Function::New(env, [file](Napi::CallbackInfo const& call) { return guarded(call.Env(), [&] { return view(call, file); }); }));
  result.Set("close", Napi::Function::New(env, [file](Napi::CallbackInfo const& call) { guarded(call.Env(), [&] { close(call, file); }); }));
  result.Set("ahead", Napi::Function::New(env, [file](Napi::CallbackInfo const& call) { guarded(call.Env(), [&] { ahead(call, file); }); }));
  result.Set("place", Napi::Function::New(env, [file](Napi::CallbackInfo const& call) { return guarded(call.Env(), [&] { return place(call, file); }); }));
  result.Set("intact", Napi::Function::New(env, [file](Napi::CallbackInfo const& call) -> Napi::Value {
    return Napi::Boolean::New(call.Env(), file->mapped->mapping && file->mapped->mapping->intact());
  }));
  return result;
}

Napi::Value map_file(Napi::CallbackInfo const& info) {
  std::string const path = argument(info, 0).text();
  auto file = open_file(info.Env(), Mapping::open(path)).As<Napi::Object>();
  file.Set("path", Napi::String::New(info.Env(), path));
  return file;
}

Napi::Value allocate(Napi::CallbackInfo const& info) {
  size_t const size = argument(info, 0).size();
  bool const shared = info.Length() > 1 && argument(info, 1).flag();
  return open_file(info.Env(), shared ? Mapping::allocate_shared(size) : Mapping::allocate(size));
}

Type type_argument(Napi::CallbackInfo const& info, size_t index) {
  std::string const name = argument(info, index).text();
  auto const type = type_from_name(name);
  if (!type) throw Error("ERR_ARGUMENT", "unknown dtype '" + name + "'");
  return *type;
}

bool aligned(Napi::Uint8Array& bytes, Type type) {
  return reinterpret_cast<uintptr_t>(bytes.Data()) % bytes_of(type, 1) == 0;
}

Napi::Value convert(Napi::CallbackInfo const& info) {
  Napi::Uint8Array source = argument(info, 0).bytes(), target = argument(info, 2).bytes();
  Type const from = type_argument(info, 1), to = type_argument(info, 3);
  size_t const count = argument(info, 4).size();
  if (source.ByteLength() != bytes_of(from, count) || target.ByteLength() != bytes_of(to, count)) {
    throw Error("ERR_ARGUMENT", "the arrays do not hold that many elements");
  }
  if (!aligned(source, from) || !aligned(target, to)) throw Error("ERR_ARGUMENT", "the elements are misaligned");
  int64_t const misfit = count == 0 ? -1 : ntrt::convert(source.Data(), from, target.Data(), to, count);
  return Napi::Number::New(info.Env(), static_cast<double>(misfit));
}

Napi::Value crc32(Napi::CallbackInfo const& info) {
  Napi::Uint8Array data = argument(info, 0).bytes();
  auto const before = static_cast<uint32_t>(info.Length() > 1 ? argument(info, 1).size() : 0);
  return Napi::Number::New(info.Env(), ntrt::crc32(data.Data(), data.ByteLength(), before));
}

// The function, but with our errors turned into JavaScript's.
template <Napi::Value (*function)(Napi::CallbackInfo const&)>
Napi::Value exported(Napi::CallbackInfo const& info) {
  return guarded(info.Env(), [&] { return function(info); });
}

}  // namespace

void register_weights(Napi::Env env, Napi::Object exports) {
  exports.Set("mapFile", Napi::Function::New<exported<map_file>>(env, "mapFile"));
  exports.Set("allocate", Napi::Function::New<exported<allocate>>(env, "allocate"));
  exports.Set("convert", Napi::Function::New<exported<convert>>(env, "convert"));
  exports.Set("crc32", Napi::Function::New<exported<crc32>>(env, "crc32"));
}

std::shared_ptr<Mapping> mapping_of(Given const& given) {
  std::shared_ptr<Mapping> mapping = state_of<MappedFile>(given)->mapping;
  if (!mapping) throw Error("ERR_DISPOSED", "the file was closed");
  return mapping;
}

Napi::Value mapping_value(Napi::Env env, std::shared_ptr<Mapping> mapping) { return open_file(env, std::move(mapping)); }

std::shared_ptr<void> hold_mapping(Given const& given, void const* p, size_t bytes) {
  std::shared_ptr<Mapping> const mapping = mapping_of(given);
  auto const at = reinterpret_cast<uintptr_t>(p), begin = reinterpret_cast<uintptr_t>(mapping->data());
  if (at < begin || at - begin > mapping->size() || bytes > mapping->size() - (at - begin)) {
    throw Error("ERR_ARGUMENT", "a weight's elements lie outside their file");
  }
  return mapping;
}

bool mapping_intact(std::shared_ptr<void> const& owner) { return static_cast<Mapping*>(owner.get())->intact(); }

}  // namespace ntrt
