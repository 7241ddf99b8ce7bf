#include <limits>

#include "../layers.h"
#include "../shared/attention.h"

namespace ntrt {

namespace {

Tensor* combine(Lowering& l, Node const& node, Tensor* a, Tensor* b, char const* operation, char const* suffix) {
  return l.helper(node, l.add<m::Network::addElementWise>(a, b, l.enumerator("ElementWiseOperation", operation)), suffix);
}

// A number as a tensor of rank 4 in the layer's dtype.
Tensor* minus_infinity(Lowering& l, Node const& node) {
  std::string const& dtype = node.outputs[0].dtype;
  std::vector<int64_t> const shape(4, 1);
  float const wide = -std::numeric_limits<float>::infinity();
  uint16_t const narrow = dtype == "float16" ? 0xfc00 : 0xff80;
  if (dtype == "float32") return l.constant(node, dtype, shape, &wide, sizeof wide, "blocked");
  return l.constant(node, dtype, shape, &narrow, sizeof narrow, "blocked");
}

// The index of the query (axis 2) or key (axis 3) of every score.
Tensor* positions(Lowering& l, Node const& node, Tensor* sizes, int axis, char const* suffix) {
  Layer* fill = l.add<m::Network::addFillV2>(Dims{}, l.enumerator("FillOperation", "linspace"), l.dtype("int64"));
  if (!fill) throw Error("ERR_LAYER", "TensorRT refused the indices of a causal mask");
  std::vector<int64_t> steps(4, 0);
  steps[axis] = 1;
  std::string const name = suffix;
  l.call<m::Layer::setInput>(fill, 0, sizes);
  l.call<m::Layer::setInput>(fill, 1, l.constant(node, {0}, (name + "/first").c_str(), true));
  l.call<m::Layer::setInput>(fill, 2, l.constant(node, steps, (name + "/steps").c_str()));
  return l.helper(node, fill, suffix);
}

// True where query i must not see key j: j > i, or j > i + keys - queries.
Tensor* too_late(Lowering& l, Node const& node, Tensor* query, Tensor* key, bool lower_right) {
  Tensor* shapes[] = {l.helper(node, l.add<m::Network::addShape>(query), "queryShape"), l.helper(node, l.add<m::Network::addShape>(key), "keyShape")};
  Tensor* tokens[2];
  char const* const names[] = {"queries", "keys"};
  for (int i : {0, 1}) {
    Tensor* index = l.constant(node, {2}, (std::string(names[i]) + "/axis").c_str(), false, "int32");
    tokens[i] = l.helper(node, l.add<m::Network::addGather>(shapes[i], index, 0), names[i]);
  }
  Tensor* parts[] = {l.constant(node, {1, 1}, "ones"), tokens[0], tokens[1]};
  Tensor* sizes = l.helper(node, l.add<m::Network::addConcatenation>(static_cast<Tensor* const*>(parts), 3), "sizes");
  Tensor* rows = positions(l, node, sizes, 2, "rows");
  Tensor* columns = positions(l, node, sizes, 3, "columns");
  if (lower_right) {
    Tensor* offset = combine(l, node, tokens[1], tokens[0], "sub", "offset");
    rows = combine(l, node, rows, l.helper(node, l.reshape(offset, {1, 1, 1, 1}), "offset4"), "sum", "lastRows");
  }
  return combine(l, node, columns, rows, "greater", "tooLate");
}

// The key and value head that each query head uses; null if there are as many of both.
Tensor* heads_index(Lowering& l, Node const& node, Tensor* query, Tensor* key) {
  int64_t const heads = l.call<m::Tensor::getDimensions>(query).d[1];
  int64_t const groups = l.call<m::Tensor::getDimensions>(key).d[1];
  if (heads >= 0 && groups >= 0) {
    if (heads == groups) return nullptr;
    std::vector<int64_t> index;
    for (int64_t i = 0; i < heads; i++) index.push_back(i * groups / heads);
    return l.constant(node, index, "head", false, "int32");
  }
  // 0, groups, 2 groups, … divided by heads.
  auto count = [&](Tensor* x, std::string const& name) {
    Tensor* sizes = l.helper(node, l.add<m::Network::addShape>(x), (name + "/shape").c_str());
    return l.helper(node, l.add<m::Network::addGather>(sizes, l.constant(node, {1}, (name + "/axis").c_str(), false, "int32"), 0), name.c_str());
  };
  Tensor* all = count(query, "heads");
  Tensor* shared = count(key, "groups");
  Layer* fill = l.add<m::Network::addFillV2>(Dims{}, l.enumerator("FillOperation", "linspace"), l.dtype("int64"));
  if (!fill) throw Error("ERR_LAYER", "TensorRT refused the indices of heads");
  l.call<m::Layer::setInput>(fill, 0, all);
  l.call<m::Layer::setInput>(fill, 1, l.constant(node, {0}, "head/first", true));
  l.call<m::Layer::setInput>(fill, 2, shared);
  return combine(l, node, l.helper(node, fill, "head/multiple"), all, "floor_div", "head");
}

// Keys or values, each head repeated for the query heads that share it.
Tensor* repeat_heads(Lowering& l, Node const& node, Tensor* x, Tensor* index, char const* suffix) {
  return index ? l.helper(node, l.add<m::Network::addGather>(x, index, 1), suffix) : x;
}

// Composes attention of two matrix multiplications and a softmax.
Layer* by_other_layers(Lowering& l, Node const& node, std::string const& causal) {
  auto const& p = node.params;
  if (p.text("queryForm") != "padded_bhnd" || p.text("keyValueForm") != "padded_bhnd") throw_unsupported(l.api, m::Attention::setQueryForm::info);
  if (l.has_input(node, 6)) throw_unsupported(l.api, m::Attention::setKeyValueLengths::info);
  if (p.has("ranks")) throw_unsupported(l.api, m::Attention::setNbRanks::info);
  Tensor* query = l.input(node, 0);
  Tensor* key = l.input(node, 1);
  int32_t const plain = l.enumerator("MatrixOperation", "none");
  Tensor* head = heads_index(l, node, query, key);
  key = repeat_heads(l, node, key, head, "key");
  Tensor* value = repeat_heads(l, node, l.input(node, 2), head, "value");
  Tensor* scores = l.helper(node, l.add<m::Network::addMatrixMultiply>(query, plain, key, l.enumerator("MatrixOperation", "transpose")), "scores");
  if (l.has_input(node, 3)) {
    Tensor* mask = l.input(node, 3);
    bool const is_bool = l.call<m::Tensor::getType>(mask) == l.dtype("bool");
    scores = is_bool ? l.helper(node, l.add<m::Network::addSelect>(mask, scores, minus_infinity(l, node)), "masked") : combine(l, node, scores, mask, "sum", "masked");
  }
  if (causal != "none") {
    Tensor* late = too_late(l, node, query, key, causal == "lower_right");
    scores = l.helper(node, l.add<m::Network::addSelect>(late, minus_infinity(l, node), scores), "masked");
  }
  if (p.text("normalization") == "softmax") {
    Layer* softmax = l.add<m::Network::addSoftMax>(scores);
    if (softmax) l.call<m::SoftMaxLayer::setAxes>(softmax, 1u << 3);
    scores = l.helper(node, softmax, "weights");
  }
  if (p.has("quantizeTo")) {
    Tensor* narrow = l.helper(node, l.add<m::Network::addQuantizeV2>(scores, l.input(node, 4), l.dtype(p.text("quantizeTo"))), "quantized");
    scores = l.helper(node, l.add<m::Network::addDequantizeV2>(narrow, l.input(node, 4), l.dtype(node.outputs[0].dtype)), "dequantized");
  }
  return l.add<m::Network::addMatrixMultiply>(scores, plain, value, plain);
}

void require(bool taken, char const* what) {
  if (!taken) throw Error("ERR_LAYER", std::string("TensorRT refused its ") + what);
}

}  // namespace

Layer* lower_attention(Lowering& l, Node const& node) {
  auto const& p = node.params;
  std::string const& causal = p.text("causalKind");
  bool const knows_kinds = l.api.flavor != Flavor::trt10;
  Tensor *query = l.input(node, 0), *key = l.input(node, 1), *value = l.input(node, 2);
  if (!l.api.has(m::Network::addAttention::info) || is_composed_attention(l, node)) return by_other_layers(l, node, causal);

  int32_t const normalization = l.enumerator("AttentionNormalizationOp", p.text("normalization"));
  Attention* attention = knows_kinds ? l.add<m::Network::addAttentionV2>(query, key, value, normalization, l.enumerator("CausalMaskKind", causal))
                                     : l.add<m::Network::addAttention>(query, key, value, normalization, causal != "none");
  if (!attention) throw Error("ERR_LAYER", "TensorRT refused the layer");
  l.call<m::Attention::setName>(attention, node.name.c_str());
  require(l.call<m::Attention::setDecomposable>(attention, p.flag("decomposable")), "decomposable");
  for (char const* name : {"queryForm", "keyValueForm"}) {
    if (p.text(name) == "padded_bhnd") continue;
    int32_t const form = l.enumerator("AttentionIOForm", p.text(name));
    require(name[0] == 'q' ? l.call<m::Attention::setQueryForm>(attention, form) : l.call<m::Attention::setKeyValueForm>(attention, form), name);
  }
  if (l.has_input(node, 3)) require(l.call<m::Attention::setMask>(attention, l.input(node, 3)), "mask");
  if (p.has("quantizeTo")) {
    require(l.call<m::Attention::setNormalizationQuantizeToType>(attention, l.dtype(p.text("quantizeTo"))), "quantize.to");
    require(l.call<m::Attention::setNormalizationQuantizeScale>(attention, l.input(node, 4)), "quantize.scale");
  }
  if (l.has_input(node, 5)) require(l.call<m::Attention::setQueryLengths>(attention, l.input(node, 5)), "queryLengths");
  if (l.has_input(node, 6)) {
    // RTX 1.7.1's table is one entry shorter than the headers'.
    if (l.api.flavor == Flavor::rtx1 && l.api.release >= 10700) throw Error("ERR_UNSUPPORTED", "keyValueLengths: not in TensorRT-RTX " + release_name(l.api.release));
    require(l.call<m::Attention::setKeyValueLengths>(attention, l.input(node, 6)), "keyValueLengths");
  }
  if (p.has("ranks")) require(l.call<m::Attention::setNbRanks>(attention, static_cast<int32_t>(p.integer("ranks"))), "ranks");
  if (p.has("metadata")) require(l.call<m::Attention::setMetadata>(attention, p.text("metadata").c_str()), "metadata");
  l.finish_output(node, 0, l.call<m::Attention::getOutput>(attention, 0));
  return nullptr;
}

}  // namespace ntrt
