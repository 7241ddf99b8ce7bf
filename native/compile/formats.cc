#include "formats.h"

namespace ntrt {

namespace {

Tensor* io_of(Api const& api, Network* network, std::string const& name) {
  int32_t const inputs = call<m::Network::getNbInputs>(api, network), outputs = call<m::Network::getNbOutputs>(api, network);
  for (int32_t i = 0; i < inputs + outputs; i++) {
    Tensor* const tensor = i < inputs ? call<m::Network::getInput>(api, network, i) : call<m::Network::getOutput>(api, network, i - inputs);
    if (call<m::Tensor::getName>(api, tensor) == name) return tensor;
  }
  throw Error("ERR_INTERNAL", "no input or output is named '" + name + "'");
}

}  // namespace

Value::Object allow_formats(Api const& api, Network* network, Value::Object const& formats) {
  Value::Object all;
  for (auto const& [name, given] : formats) {
    Tensor* const tensor = io_of(api, network, name);
    uint32_t asked = 0;
    for (auto const& format : std::get<Value::List>(given.data)) asked |= 1u << api.enumerator("TensorFormat", std::get<std::string>(format.data));
    call<m::Tensor::setAllowedFormats>(api, tensor, asked);
    uint32_t const held = call<m::Tensor::getAllowedFormats>(api, tensor);
    if (held != asked) throw Error("ERR_BUILD_OPTION", "formats of '" + name + "': asked for " + std::to_string(asked) + ", TensorRT holds " + std::to_string(held));
    Value::List list;
    for (int32_t i = 0; i < 32; i++) {
      if (held >> i & 1) list.push_back({api.spelling("TensorFormat", i)});
    }
    all.emplace_back(name, Value{std::move(list)});
  }
  return all;
}

}  // namespace ntrt
