#include "fields.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "../plugin/recipe.h"
#include "../weights/float_bits.h"

namespace ntrt {

namespace {

using Bytes = std::vector<uint8_t>;

template <class T>
void append(Bytes& bytes, T value) {
  auto const* from = reinterpret_cast<uint8_t const*>(&value);
  bytes.insert(bytes.end(), from, from + sizeof value);
}

double real(Value const& value) {
  if (auto const* whole = std::get_if<int64_t>(&value.data)) return static_cast<double>(*whole);
  if (auto const* number = std::get_if<double>(&value.data)) return *number;
  throw Error("ERR_PLUGIN_FIELD", "expected numbers");
}

int64_t whole(Value const& value, int64_t least, int64_t most) {
  int64_t result = 0;
  if (auto const* exact = std::get_if<int64_t>(&value.data)) {
    result = *exact;
  } else {
    double const number = real(value);
    if (std::trunc(number) != number || std::fabs(number) >= 0x1p63) throw Error("ERR_PLUGIN_FIELD", "expected whole numbers, given " + std::to_string(number));
    result = static_cast<int64_t>(number);
  }
  if (result < least || result > most) throw Error("ERR_PLUGIN_FIELD", std::to_string(result) + " does not fit its type");
  return result;
}

template <class T>
void append_whole(Bytes& bytes, Value const& value) {
  append(bytes, static_cast<T>(whole(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max())));
}

void append(Bytes& bytes, std::string const& type, Value const& value) {
  if (type == "float16") return append(bytes, to_f16(static_cast<float>(real(value))));
  if (type == "bfloat16") return append(bytes, to_bf16(static_cast<float>(real(value))));
  if (type == "float32") return append(bytes, static_cast<float>(real(value)));
  if (type == "float64") return append(bytes, real(value));
  if (type == "int8") return append_whole<int8_t>(bytes, value);
  if (type == "int16") return append_whole<int16_t>(bytes, value);
  if (type == "int32") return append_whole<int32_t>(bytes, value);
  if (type == "int64") return append_whole<int64_t>(bytes, value);
  return append_whole<uint8_t>(bytes, value);  // char, unknown
}

// The elements of a field, and how many there are.
int32_t encode(Bytes& bytes, std::string const& type, Value const& data) {
  if (auto const* text = std::get_if<std::string>(&data.data)) {
    if (type != "char" && type != "unknown") throw Error("ERR_PLUGIN_FIELD", "expected numbers, given a text");
    bytes.assign(text->begin(), text->end());
    bytes.push_back(0);  // creators read it as a C string; it does not count
    return static_cast<int32_t>(text->size());
  }
  auto const* list = std::get_if<Value::List>(&data.data);
  if (!list || list->size() > INT32_MAX) throw Error("ERR_PLUGIN_FIELD", "expected a list or a text");
  if (type == "dims") {
    if (list->size() > 8) throw Error("ERR_PLUGIN_FIELD", "expected at most 8 dims, given " + std::to_string(list->size()));
    Dims dims;
    for (auto const& size : *list) dims.d[dims.rank++] = whole(size, INT64_MIN, INT64_MAX);
    append(bytes, dims);
    return 1;
  }
  for (auto const& one : *list) append(bytes, type, one);
  return static_cast<int32_t>(list->size());
}

}  // namespace

Fields::Fields(std::vector<Params> const& given) {
  for (auto const& one : given) {
    std::string const& name = names_.emplace_back(one.text("name"));
    std::string const& type = one.text("type");
    auto const known = field_type_of(type);
    // Elements of later types are smaller than a byte, or have no number in JavaScript.
    if (!known || *known > FieldType::int64) throw Error("ERR_PLUGIN_FIELD", "field '" + name + "': fields of " + type + " cannot be given");
    Bytes& bytes = elements_.emplace_back();
    PluginField field;
    try {
      field.length = encode(bytes, type, one.value("data"));
    } catch (Error const& error) {
      throw Error(error.code, "field '" + name + "', of " + type + ": " + error.what());
    }
    field.name = name.c_str();
    field.data = bytes.empty() ? nullptr : bytes.data();
    field.type = static_cast<int32_t>(*known);
    fields_.push_back(field);
  }
  collection_ = {static_cast<int32_t>(fields_.size()), fields_.data()};
}

bool Fields::has(std::string const& name) const { return std::find(names_.begin(), names_.end(), name) != names_.end(); }

}  // namespace ntrt
