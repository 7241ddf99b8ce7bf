#include "graph.h"

namespace ntrt {

Value const& Params::at(char const* name) const {
  auto const found = values_.find(name);
  if (found == values_.end()) throw Error("ERR_INTERNAL", std::string("parameter '") + name + "' is missing");
  return found->second;
}

namespace {

template <class T>
T const& as(Value const& value, char const* name) {
  if (auto const* held = std::get_if<T>(&value.data)) return *held;
  throw Error("ERR_INTERNAL", std::string("parameter '") + name + "' has another type");
}

int64_t whole(Value const& value, char const* name) {
  if (auto const* big = std::get_if<int64_t>(&value.data)) return *big;
  return static_cast<int64_t>(as<double>(value, name));
}

}  // namespace

bool Params::has(char const* name) const {
  auto const found = values_.find(name);
  return found != values_.end() && !found->second.is_null();
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

std::vector<Params> Params::list(char const* name) const {
  std::vector<Params> items;
  for (auto const& item : as<Value::List>(at(name), name)) items.emplace_back(as<Value::Object>(item, name));
  return items;
}

Params Params::object(char const* name) const { return Params(as<Value::Object>(at(name), name)); }

std::vector<std::pair<std::string, Params>> Params::entries() const {
  std::vector<std::pair<std::string, Params>> items;
  for (auto const& [name, value] : values_) items.emplace_back(name, Params(as<Value::Object>(value, name.c_str())));
  return items;
}

Dims Params::dims(char const* name) const {
  auto const numbers = integers(name);
  if (numbers.size() > 8) throw Error("ERR_INTERNAL", std::string("parameter '") + name + "' has more than 8 numbers");
  Dims dims;
  dims.rank = static_cast<int32_t>(numbers.size());
  for (size_t i = 0; i < numbers.size(); i++) dims.d[i] = numbers[i];
  return dims;
}

}  // namespace ntrt
