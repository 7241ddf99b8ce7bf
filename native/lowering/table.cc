#include "layers.h"

namespace ntrt {

std::vector<LayerKind> const& layer_kinds() {
  static std::vector<LayerKind> const rows = {
#define LAYER(KIND, METHOD) {#KIND, lower_##KIND, &m::Network::METHOD::info, nullptr},
#define DECOMPOSED(KIND, METHOD, NEWEST) {#KIND, lower_##KIND, &m::Network::METHOD::info, &m::Network::NEWEST::info},
#define BEYOND_TRT10(KIND, METHOD) {#KIND, lower_##KIND, &m::Network::METHOD::info, &without_trt10<m::Network::METHOD>},
#include "table.def"
#undef LAYER
#undef DECOMPOSED
#undef BEYOND_TRT10
  };
  return rows;
}

}  // namespace ntrt
