// What rows of read_back.def cannot express, by kind.
#include <algorithm>

#include "read_back.h"
#include "shared/attention.h"
#include "shared/reshape.h"

namespace ntrt {

namespace {

template <class Method>
bool lacks(LayerReader& r) {
  return !r.l.api.has(Method::info);
}

bool is_zero(std::vector<int64_t> const& list) {
  return std::all_of(list.begin(), list.end(), [](int64_t size) { return size == 0; });
}

int32_t rank_of(LayerReader& r, size_t input) { return r.l.call<m::Tensor::getDimensions>(r.input(input)).rank; }

// Averages that count padding, but not the elements that rounding up adds at the end: TensorRT's would count both.
bool rounds_up_average(LayerReader& r) {
  auto const& p = r.node.params;
  return p.text("type") != "max" && !p.flag("averageCountExcludesPadding") && p.text("paddingMode") == "explicit_round_up";
}

// A coefficient given as known elements, or as a tensor that is reshaped. Returns its dims.
Value coefficient(LayerReader& r, char const* role, int32_t index) {
  auto& l = r.l;
  bool const known = l.weight(r.node, role) != nullptr;
  Layer* const made = r.maker(r.get<m::Layer::getInput>(index));
  if (!made || !r.is_type(made, known ? "kCONSTANT" : "kSHUFFLE")) fail_read_back(role, known ? "a constant" : "a reshape", "another tensor");
  if (known) r.check_weights(role, l.call<m::ConstantLayer::getWeights>(made), -1);
  return as::dims(r, known ? l.call<m::ConstantLayer::getDimensions>(made) : l.call<m::ShuffleLayer::getReshapeDimensions>(made));
}

}  // namespace

bool is_made_of_others(LayerReader& r) {
  auto const& kind = r.node.kind;
  auto const& p = r.node.params;
  auto const flavor = r.l.api.flavor;
  if (kind == "cumulative") return lacks<m::Network::addCumulative>(r);
  if (kind == "squeeze") return lacks<m::Network::addSqueeze>(r) || p.integers("axes").empty() || is_narrow(r.l, r.input(0));
  if (kind == "unsqueeze") return lacks<m::Network::addUnsqueeze>(r) || p.integers("axes").empty() || is_narrow(r.l, r.input(0));
  if (kind == "padding") return flavor == Flavor::trt10 || lacks<m::Network::addPaddingNd>(r);
  if (kind == "normalization") return p.integer("groups") > 1 && lacks<m::Network::addNormalizationV2>(r);
  if (kind == "rotary_embedding") return lacks<m::Network::addRotaryEmbedding>(r) || is_composed_rotary_embedding(r.l);
  if (kind == "kv_cache_update") return lacks<m::Network::addKVCacheUpdate>(r) || is_composed_cache_update(r.l, r.node);
  if (kind == "reduce") return p.integers("axes").empty();
  if (kind == "scale") {
    int32_t const rank = rank_of(r, 0);
    return flavor != Flavor::rtx1 && !((rank == 4 || rank == 5) && (p.text("mode") == "uniform" || p.integer("channelAxis") == 1));
  }
  if (kind == "pooling") return rounds_up_average(r) && !(is_zero(p.integers("prePadding")) && is_zero(p.integers("postPadding")));
  if (kind == "attention") return lacks<m::Network::addAttention>(r) || is_composed_attention(r.l, r.node);
  return false;
}

void read_attention(LayerReader& r) {
  auto& l = r.l;
  auto const& p = r.node.params;
  for (Layer* one : r.own) {
    if (!r.is_type(one, "kATTENTION_INPUT") && !r.is_type(one, "kATTENTION_OUTPUT")) continue;
    auto* const found = l.call<m::AttentionBoundaryLayer::getAttention>(one);
    if (r.attention && r.attention != found) fail_read_back("layer", "one attention", "two");
    r.attention = found;
  }
  if (!r.attention) fail_read_back("layer", "one attention", "none");
  read_rows(r);
  if (l.api.has(m::Attention::getCausalKind::info)) {
    r.check("causalKind", as::enumerator("CausalMaskKind")(r, r.get<m::Attention::getCausalKind>()));
  } else {
    r.check("causalKind", text(r.get<m::Attention::getCausal>() ? "upper_left" : "none"));
  }
  require_same("name", text(r.node.name), text(r.get<m::Attention::getName>()));
  for (int i : {0, 1, 2}) r.check_tensor("input " + std::to_string(i), r.get<m::Attention::getInput>(i), r.input(i));
  r.check_tensor("mask", r.get<m::Attention::getMask>(), r.input(3));
  r.check_tensor("quantize.scale", r.get<m::Attention::getNormalizationQuantizeScale>(), r.input(4));
  if (r.knows(m::Attention::getQueryLengths::info)) r.check_tensor("queryLengths", r.get<m::Attention::getQueryLengths>(), r.input(5));
  // RTX 1.7.1's table is one entry shorter than the headers'; the lowering refuses what it lacks.
  bool const is_short = l.api.flavor == Flavor::rtx1 && l.api.release >= 10700;
  if (r.knows(m::Attention::getKeyValueLengths::info) && !is_short) r.check_tensor("keyValueLengths", r.get<m::Attention::getKeyValueLengths>(), r.input(6));
  r.check_tensor("output 0", r.get<m::Attention::getOutput>(0), l.value(r.node.outputs[0].id));
  if (p.has("quantizeTo") != (r.input(4) != nullptr)) fail_read_back("quantize.scale", "one beside quantizeTo", "another");
}

void read_constant(LayerReader& r) {
  Weights const held = r.get<m::ConstantLayer::getWeights>();
  Weight const* const wanted = r.l.weight(r.node, "value");
  if (!wanted || wanted->dtype != "uint8") return r.check_weights("value", held, -1);
  // TensorRT has no uint8 constants: int32 is cast to uint8.
  auto const* const bytes = static_cast<uint8_t const*>(wanted->data);
  bool const same = held.count == wanted->count && held.type == r.l.dtype("int32") && std::equal(bytes, bytes + held.count, static_cast<int32_t const*>(held.values));
  if (!same) fail_read_back("weights 'value'", "its elements as int32", "others");
}

void read_cumulative(LayerReader& r) { r.check("axis", r.integers(r.get<m::Layer::getInput>(1))); }

void read_dynamic_quantize(LayerReader& r) {
  if (r.l.api.has(m::DynamicQuantizeLayer::getBlockShape::info)) {
    Dims const shape = r.get<m::DynamicQuantizeLayer::getBlockShape>();
    if (shape.rank > 0) return r.check("blockShape", as::dims(r, shape));
  }
  // Blocks along one axis.
  Value::List blocks(r.node.params.integers("blockShape").size(), number(1));
  blocks.at(static_cast<size_t>(r.get<m::DynamicQuantizeLayer::getAxis>())) = number(r.get<m::DynamicQuantizeLayer::getBlockSize>());
  r.check("blockShape", Value{std::move(blocks)});
}

void read_fill(LayerReader& r) {
  auto const& p = r.node.params;
  if (!p.has("alpha")) return;
  bool const whole = p.text("dtype") == "int32" || p.text("dtype") == "int64";
  if (r.get<m::FillLayer::isAlphaBetaInt64>() != whole) fail_read_back("alpha and beta", whole ? "int64" : "float64", whole ? "float64" : "int64");
  r.check("alpha", whole ? Value{r.get<m::FillLayer::getAlphaInt64>()} : Value{r.get<m::FillLayer::getAlpha>()});
  r.check("beta", whole ? Value{r.get<m::FillLayer::getBetaInt64>()} : Value{r.get<m::FillLayer::getBeta>()});
}

void read_kv_cache_update(LayerReader& r) {
  if (r.knows(m::KVCacheUpdateLayer::getUpdateLengths::info)) r.check_tensor("lengths", r.get<m::KVCacheUpdateLayer::getUpdateLengths>(), r.input(3));
}

void read_matrix_multiply(LayerReader& r) {
  // float16 that is summed in float32 is cast first; for other dtypes the option has no effect.
  if (r.node.outputs[0].dtype != "float16") return r.held.unread.emplace_back("useFp32Acc"), void();
  r.check("useFp32Acc", Value{r.l.call<m::Tensor::getType>(r.get<m::Layer::getOutput>(0)) == r.l.dtype("float32")});
}

void read_moe(LayerReader& r) {
  auto const& p = r.node.params;
  if (p.has("swiglu")) {
    Value const limit = number(r.get<m::MoELayer::getSwigluParamLimit>());
    Value const alpha = number(r.get<m::MoELayer::getSwigluParamAlpha>());
    Value const beta = number(r.get<m::MoELayer::getSwigluParamBeta>());
    r.check("swiglu", Value{Value::Object{{"limit", limit}, {"alpha", alpha}, {"beta", beta}}}, true);
  }
  if (!p.has("quantize")) return;
  bool const blocks = p.object("quantize").has("blockShape");
  r.check("quantize", Value{Value::Object{{"to", as::dtype(r, r.get<m::MoELayer::getQuantizationToType>())},
                                          {"blockShape", blocks ? as::dims(r, r.get<m::MoELayer::getQuantizationBlockShape>()) : Value{}},
                                          {"scaleType", blocks ? as::dtype(r, r.get<m::MoELayer::getDynQOutputScaleType>()) : Value{}}}});
}

void read_normalization(LayerReader& r) {
  require_same("dims of bias", r.node.params.value("shape"), coefficient(r, "bias", 2));
  r.check("shape", coefficient(r, "scale", 1));
}

void read_one_hot(LayerReader& r) { r.check("depth", r.integers(r.get<m::Layer::getInput>(2))); }

void read_parametric_relu(LayerReader& r) {
  if (r.node.params.has("slopeShape")) r.check("slopeShape", coefficient(r, "slope", 1));
}

void read_pooling(LayerReader& r) {
  Value const wanted{r.node.params.flag("averageCountExcludesPadding") || rounds_up_average(r)};
  r.check("averageCountExcludesPadding", Value{r.get<m::PoolingLayer::getAverageCountExcludesPadding>()}, wanted);
}

void read_resize(LayerReader& r) {
  if (!r.node.params.has("scales")) return;
  float scales[8] = {};
  // The getter refuses more room than it fills.
  int32_t const count = r.get<m::ResizeLayer::getScales>(std::min(rank_of(r, 0), 8), scales);
  Value::List list;
  for (int32_t i = 0; i < count && i < 8; i++) list.push_back(number(scales[i]));
  r.check("scales", Value{std::move(list)}, true);
}

void read_axes_input(LayerReader& r) { r.check("axes", r.integers(r.get<m::Layer::getInput>(1))); }

void read_topk(LayerReader& r) {
  // A vector became a matrix of one row.
  bool const vector = rank_of(r, 0) == 1;
  Value axis = as::axis(r, r.get<m::TopKLayer::getReduceAxes>());
  if (auto* const found = std::get_if<double>(&axis.data); vector && found) *found -= 1;
  r.check("axis", std::move(axis));
}

void read_if_conditional(LayerReader& r) {
  auto& l = r.l;
  auto const conditions = r.of_type("kCONDITION");
  if (conditions.size() != 1) fail_read_back("condition", "one", std::to_string(conditions.size()));
  auto* const conditional = l.call<m::ConditionalBoundaryLayer::getConditional>(conditions[0]);
  require_same("name", text(r.node.name), text(l.call<m::IfConditional::getName>(conditional)));
  r.check_tensor("condition", l.call<m::Layer::getInput>(conditions[0], 0), r.input(0));
  auto const outputs = r.of_type("kCONDITIONAL_OUTPUT");
  if (outputs.size() != r.node.outputs.size()) fail_read_back("outputs", std::to_string(r.node.outputs.size()), std::to_string(outputs.size()));
  for (size_t i = 0; i < outputs.size(); i++) {
    if (l.call<m::ConditionalBoundaryLayer::getConditional>(outputs[i]) != conditional) fail_read_back("output " + std::to_string(i), "this conditional", "another");
    for (int side : {0, 1}) {
      char const* const role = side ? "else" : "then";
      int32_t const id = r.node.bodies.at(role)->outputs.at(i).first;
      std::string const what = std::string(role) + ", output " + std::to_string(i);
      Tensor* const read = l.call<m::Layer::getInput>(outputs[i], side);
      Layer* const copy = r.constant(read);
      Node const* const outer = l.constant_of(id);
      if (!copy || !outer || l.value(id) == read) {
        r.check_tensor(what, r.origin(read), l.value(id));
        continue;
      }
      // A constant of the surrounding graph, repeated inside.
      Weight const* const wanted = l.weight(*outer, "value");
      Weights const held = l.call<m::ConstantLayer::getWeights>(copy);
      if (wanted && wanted->dtype != "uint8" && held.values != wanted->data) fail_read_back(what, "the elements of " + outer->name, "others");
    }
    r.check_tensor("output " + std::to_string(i), l.call<m::Layer::getOutput>(outputs[i], 0), l.value(r.node.outputs[i].id));
  }
  for (Layer* entry : r.of_type("kCONDITIONAL_INPUT")) {
    std::string const name = l.call<m::Layer::getName>(entry);
    std::string const prefix = r.node.name + "/input";
    if (name.compare(0, prefix.size(), prefix) != 0) fail_read_back("an entry", prefix, name);
    r.check_tensor(name, l.call<m::Layer::getInput>(entry, 0), l.value(std::stoi(name.substr(prefix.size()))));
  }
}

}  // namespace ntrt
