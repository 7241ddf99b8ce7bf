#include "../layers.h"

namespace ntrt {

Layer* lower_fill(Lowering& l, Node const& node) {
  auto const& p = node.params;
  std::string const& dtype = p.text("dtype");
  Dims const dims = p.has("shape") ? p.dims("shape") : Dims{};
  Layer* layer = l.add<m::Network::addFillV2>(dims, l.enumerator("FillOperation", p.text("operation")), l.dtype(dtype));
  if (!layer) return nullptr;
  if (p.has("alpha")) {
    bool const whole = dtype == "int32" || dtype == "int64";
    if (whole) {
      l.call<m::FillLayer::setAlphaInt64>(layer, p.integer("alpha"));
      l.call<m::FillLayer::setBetaInt64>(layer, p.integer("beta"));
    } else {
      l.call<m::FillLayer::setAlpha>(layer, p.real("alpha"));
      l.call<m::FillLayer::setBeta>(layer, p.real("beta"));
    }
  }
  l.set_optional_inputs(node, layer, 0);
  return layer;
}

}  // namespace ntrt
