#include "layers.h"

namespace ntrt {

std::vector<LayerKind> const& layer_kinds() {
  static std::vector<LayerKind> const rows = {
#define LAYER(KIND, METHOD) {#KIND, lower_##KIND, &m::Network::METHOD::info},
#include "table.def"
#undef LAYER
  };
  return rows;
}

}  // namespace ntrt
