#include "graph.h"

namespace ntrt {

Value const* Params::find(char const* name) const {
  std::string_view const wanted(name);
  if (values_) {
    for (auto const& [key, value] : *values_) {
      if (key == wanted) return &value;
    }
  }
  return nullptr;
}

Value const& Params::at(char const* name) const {
  if (Value const* found = find(name)) return *found;
  throw Error("ERR_INTERNAL", std::string("parameter '") + name + "' is missing");
}

namespace {

template <class T>
T const& as(Value const& value, char const* name) {
  if (auto const* found = std::get_if<T>(&value.data)) return *found;
  throw Error("ERR_INTERNAL", std::string("parameter '") + name + "' has another type");
}

int64_t whole(Value const& value, char const* name) {
  if (auto const* big = std::get_if<int64_t>(&value.data)) return *big;
  return static_cast<int64_t>(as<double>(value, name));
}

}  // namespace

bool Params::has(char const* name) const {
  Value const* found = find(name);
  return found && !found->is_null();
}
bool Params::flag(char const* name) const { return as<bool>(at(name), name); }
int64_t Params::integer(char const* name) const { return whole(at(name), name); }
double Params::real(char const* name) const { return as<double>(at(name), name); }
std::string const& Params::text(char const* name) const { return as<std::string>(at(name), name); }

std::vector<int64_t> Params::integers(char const* name) const {
  std::vector<int64_t> numbers;
  for (auto const& item : as<Value::List>(at(name), name)) numbers.push_back(whole(item, name));
  return numbers;
}

std::vector<double> Params::reals(char const* name) const {
  std::vector<double> numbers;
  for (auto const& item : as<Value::List>(at(name), name)) numbers.push_back(as<double>(item, name));
  return numbers;
}

std::vector<std::string> Params::texts(char const* name) const {
  std::vector<std::string> list;
  for (auto const& item : as<Value::List>(at(name), name)) list.push_back(as<std::string>(item, name));
  return list;
}

std::vector<Params> Params::list(char const* name) const {
  std::vector<Params> items;
  for (auto const& item : as<Value::List>(at(name), name)) items.emplace_back(as<Value::Object>(item, name));
  return items;
}

Params Params::object(char const* name) const { return Params(as<Value::Object>(at(name), name)); }

std::vector<std::pair<std::string, Params>> Params::entries() const {
  std::vector<std::pair<std::string, Params>> items;
  if (!values_) return items;
  for (auto const& [name, value] : *values_) items.emplace_back(name, Params(as<Value::Object>(value, name.c_str())));
  return items;
}

Dims Params::dims(char const* name) const {
  auto const& list = as<Value::List>(at(name), name);
  if (list.size() > 8) throw Error("ERR_INTERNAL", std::string("parameter '") + name + "' has more than 8 numbers");
  Dims dims;
  dims.rank = static_cast<int32_t>(list.size());
  for (size_t i = 0; i < list.size(); i++) dims.d[i] = whole(list[i], name);
  return dims;
}

}  // namespace ntrt
