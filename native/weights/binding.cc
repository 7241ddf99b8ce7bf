#include "weights.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>
#include <system_error>
#include <thread>
#include <vector>

#include "convert.h"
#include "crc32.h"
#include "mapping.h"

using ntrt::Mapping;

namespace {

[[noreturn]] void fail(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  throw error;
}

size_t whole_number(const Napi::CallbackInfo& info, size_t index) {
  const double value = info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : -1;
  if (!(value >= 0 && value <= 9007199254740991.0) || value != static_cast<double>(static_cast<uint64_t>(value))) {
    fail(info.Env(), "ERR_ARGUMENT", "expected a whole number as argument " + std::to_string(index + 1));
  }
  return static_cast<size_t>(value);
}

Napi::Uint8Array bytes(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsTypedArray() || info[index].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    fail(info.Env(), "ERR_ARGUMENT", "expected a Uint8Array as argument " + std::to_string(index + 1));
  }
  return info[index].As<Napi::Uint8Array>();
}

// What keeps the pages of one buffer mapped: until it is collected, or the file closed.
struct Hold {
  std::shared_ptr<Mapping> mapping;
  // Bytes taken off V8's count of memory outside its heap. Pages of a file are none that collecting garbage would free, and
  // V8 collects all of it where the count jumps by a gigabyte.
  int64_t uncounted;

  // V8 takes them off itself once the buffer is gone.
  void count(Napi::Env env) {
    if (uncounted != 0) Napi::MemoryManagement::AdjustExternalMemory(env, uncounted);
    uncounted = 0;
  }
};

struct View {
  Napi::Reference<Napi::ArrayBuffer> buffer;  // weak
  std::shared_ptr<Hold> hold;
};

// Of what mapFile returns, so that no other object passes for one.
constexpr napi_type_tag kFileTag{0x6e74727466696c65, 0x9d1c4be8a3f2075c};

// What JavaScript has open: the mapping and the buffers that show parts of it.
struct OpenFile {
  std::shared_ptr<Mapping> mapping;
  std::vector<View> views;
};

Napi::Value view(const Napi::CallbackInfo& info, const std::shared_ptr<OpenFile>& file) {
  const size_t offset = whole_number(info, 0), length = whole_number(info, 1);
  if (!file->mapping) fail(info.Env(), "ERR_DISPOSED", "the file was closed");
  if (offset > file->mapping->size() || length > file->mapping->size() - offset) {
    fail(info.Env(), "ERR_ARGUMENT", "the range lies outside the file");
  }
  if (length == 0) return Napi::ArrayBuffer::New(info.Env(), 0);
  auto hold = std::make_shared<Hold>(Hold{file->mapping, static_cast<int64_t>(length)});
  auto buffer = Napi::ArrayBuffer::New(
      info.Env(), file->mapping->data() + offset, length,
      [](Napi::Env env, void*, std::shared_ptr<Hold>* held) {
        (*held)->count(env);
        delete held;
      },
      new std::shared_ptr<Hold>(hold));
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), -hold->uncounted);
  file->views.push_back({Napi::Weak(buffer), std::move(hold)});
  return buffer;
}

// Once detached, no buffer shows the pages any more: they need not wait for the collector.
void close(const Napi::CallbackInfo& info, const std::shared_ptr<OpenFile>& file) {
  for (auto& view : file->views) {
    Napi::HandleScope scope(info.Env());
    Napi::ArrayBuffer buffer = view.buffer.Value();
    view.hold->count(info.Env());
    if (!buffer.IsEmpty() && !buffer.IsDetached()) buffer.Detach();
    view.hold->mapping.reset();
  }
  file->views.clear();
  file->mapping.reset();
}

// Maps the pages of a range on another thread, before they are touched one by one. A file that shrank ends it with an error.
void ahead(const Napi::CallbackInfo& info, const std::shared_ptr<OpenFile>& file) {
  const size_t offset = whole_number(info, 0), wanted = whole_number(info, 1);
  const std::shared_ptr<Mapping> mapping = file->mapping;
  if (!mapping || offset >= mapping->size()) return;
  const size_t length = std::min(wanted, mapping->size() - offset);
  try {
    std::thread([mapping, offset, length] {
      constexpr int kPopulateRead = 22;  // MADV_POPULATE_READ, Linux 5.14; older kernels refuse it, which does no harm
      const size_t begin = offset & ~size_t{4095};
      madvise(mapping->data() + begin, offset + length - begin, kPopulateRead);
    }).detach();
  } catch (const std::system_error&) {
    // no thread: the pages come when they are touched
  }
}

Napi::Value map_file(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) fail(env, "ERR_ARGUMENT", "expected a path");
  auto file = std::make_shared<OpenFile>();
  try {
    file->mapping = Mapping::open(info[0].As<Napi::String>().Utf8Value());
  } catch (const std::system_error& error) {
    fail(env, "ERR_WEIGHTS_FILE", error.code().message());
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("size", Napi::Number::New(env, static_cast<double>(file->mapping->size())));
  result.Set("view", Napi::Function::New(env, [file](const Napi::CallbackInfo& i) { return view(i, file); }));
  result.Set("close", Napi::Function::New(env, [file](const Napi::CallbackInfo& i) { close(i, file); }));
  result.Set("ahead", Napi::Function::New(env, [file](const Napi::CallbackInfo& i) { ahead(i, file); }));
  result.Set("intact", Napi::Function::New(env, [file](const Napi::CallbackInfo& i) -> Napi::Value {
    return Napi::Boolean::New(i.Env(), file->mapping && file->mapping->intact());
  }));
  auto* open = new std::shared_ptr<OpenFile>(file);
  const auto drop = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<OpenFile>*>(data); };
  if (napi_wrap(env, result, open, drop, nullptr, nullptr) != napi_ok) {
    delete open;
    fail(env, "ERR_INTERNAL", "the mapping could not be wrapped");
  }
  result.TypeTag(&kFileTag);
  return result;
}

ntrt::Type type_argument(const Napi::CallbackInfo& info, size_t index) {
  const std::string name = info[index].IsString() ? info[index].As<Napi::String>().Utf8Value() : "";
  const auto type = ntrt::type_from_name(name);
  if (!type) fail(info.Env(), "ERR_ARGUMENT", "unknown dtype '" + name + "'");
  return *type;
}

bool aligned(Napi::Uint8Array& bytes, ntrt::Type type) {
  return reinterpret_cast<uintptr_t>(bytes.Data()) % ntrt::bytes_of(type, 1) == 0;
}

Napi::Value convert(const Napi::CallbackInfo& info) {
  Napi::Uint8Array source = bytes(info, 0), target = bytes(info, 2);
  const ntrt::Type from = type_argument(info, 1), to = type_argument(info, 3);
  const size_t count = whole_number(info, 4);
  if (!ntrt::convertible(to) && from != to) fail(info.Env(), "ERR_ARGUMENT", "no conversion to this dtype");
  if (source.ByteLength() != ntrt::bytes_of(from, count) || target.ByteLength() != ntrt::bytes_of(to, count)) {
    fail(info.Env(), "ERR_ARGUMENT", "the arrays do not hold that many elements");
  }
  if (!aligned(source, from) || !aligned(target, to)) fail(info.Env(), "ERR_ARGUMENT", "the elements are misaligned");
  const int64_t misfit = count == 0 ? -1 : ntrt::convert(source.Data(), from, target.Data(), to, count);
  return Napi::Number::New(info.Env(), static_cast<double>(misfit));
}

Napi::Value crc32(const Napi::CallbackInfo& info) {
  Napi::Uint8Array data = bytes(info, 0);
  return Napi::Number::New(info.Env(), ntrt::crc32(data.Data(), data.ByteLength(), 0));
}

}  // namespace

void register_weights(Napi::Env env, Napi::Object exports) {
  exports.Set("mapFile", Napi::Function::New(env, map_file, "mapFile"));
  exports.Set("convert", Napi::Function::New(env, convert, "convert"));
  exports.Set("crc32", Napi::Function::New(env, crc32, "crc32"));
}

std::shared_ptr<void> hold_mapping(Napi::Value file, const void* p, size_t bytes) {
  const Napi::Env env = file.Env();
  void* open = nullptr;
  if (!file.IsObject() || !file.As<Napi::Object>().CheckTypeTag(&kFileTag) || napi_unwrap(env, file, &open) != napi_ok) {
    fail(env, "ERR_INTERNAL", "a weight's mapping is not a mapped file");
  }
  const std::shared_ptr<Mapping>& mapping = (*static_cast<std::shared_ptr<OpenFile>*>(open))->mapping;
  if (!mapping) fail(env, "ERR_DISPOSED", "the file was closed");
  const auto at = reinterpret_cast<uintptr_t>(p), begin = reinterpret_cast<uintptr_t>(mapping->data());
  if (at < begin || at - begin > mapping->size() || bytes > mapping->size() - (at - begin)) {
    fail(env, "ERR_INTERNAL", "a weight's elements lie outside the file that they are said to lie in");
  }
  return mapping;
}

bool mapping_intact(const std::shared_ptr<void>& owner) { return static_cast<Mapping*>(owner.get())->intact(); }
