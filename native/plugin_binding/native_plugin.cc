#include "native_plugin.h"

#include <algorithm>

namespace ntrt {

namespace {

std::vector<uint8_t> copy_of(Napi::Uint8Array bytes) { return {bytes.Data(), bytes.Data() + bytes.ByteLength()}; }

FieldType field_type(Given const& given) {
  if (auto const type = field_type_of(given.text())) return *type;
  given.refuse("a field type");
}

}  // namespace

PluginParts read_native_plugin(Given const& given) {
  PluginParts parts;
  parts.name = given.member("name").text();
  parts.version = given.member("version").text();
  parts.recipe = copy_of(given.member("recipe").bytes());
  auto const cubins = given.member("cubins"), attributes = given.member("attributes");
  for (uint32_t i = 0; i < cubins.list().Length(); i++) {
    auto const one = cubins.item(i);
    parts.cubins.emplace_back(one.member("capability").integer(), copy_of(one.member("data").bytes()));
  }
  for (uint32_t i = 0; i < attributes.list().Length(); i++) {
    auto const one = attributes.item(i);
    parts.attributes.push_back({one.member("name").text(), field_type(one.member("type")), one.member("length").integer(), copy_of(one.member("data").bytes())});
  }
  return parts;
}

}  // namespace ntrt
