#include "existing.h"

#include <algorithm>
#include <iterator>

#include "dim_recorder.h"
#include "fields.h"

namespace ntrt {

namespace {

// Most inputs or outputs of a plugin. Plugins that read beyond those they are given find empty ones.
constexpr size_t most = 128;

// IPluginV2's version is in the upper byte of what it says of TensorRT's; see PluginVersion.
constexpr char const* v2_classes[] = {"IPluginV2", "IPluginV2Ext", "IPluginV2IOExt", "IPluginV2DynamicExt"};
constexpr int v2_dynamic = 3, python_bit = 0x40;

// A plugin, deleted as its interface demands: TensorRT copies the ones that it is given.
class MadePlugin {
 public:
  MadePlugin(Api const& api, CreatorInfo const& creator, char const* name, Fields const& fields) : api_(api), creator_(creator) {
    auto const* list = fields.collection();
    int32_t const build = 0;  // TensorRTPhase::kBUILD
    if (creator.is_v3) {
      v3_ = call<m::PluginCreatorV3One::createPlugin>(api, creator.creator, name, list, build);
    } else {
      v2_ = call<m::PluginCreator::createPlugin>(api, creator.creator, name, list);
    }
    if (!v3_ && !v2_) fail("its creator refused the fields" + missing(fields));
    try {
      if (!creator.is_v3) check_class();
    } catch (...) {
      end();
      throw;
    }
  }
  MadePlugin(MadePlugin const&) = delete;
  ~MadePlugin() { end(); }

  // One of them is null.
  PluginV3* v3() const { return v3_; }
  ForeignPlugin* v2() const { return v2_; }

  // Throws ERR_PLUGIN about this plugin.
  [[noreturn]] void fail(std::string const& what) const { throw Error("ERR_PLUGIN", "plugin " + describe(creator_) + ": " + what); }

  ForeignCapability* capability(int32_t type) const {
    void* const found = call<m::PluginV3::getCapabilityInterface>(api_, v3_, type);
    if (!found) fail("it lacks a capability that TensorRT asks for");
    return static_cast<ForeignCapability*>(found);
  }

 private:
  void end() {
    if (v3_) destroy_interface(v3_);
    if (v2_) call<m::PluginV2::destroy>(api_, v2_);
  }

  std::string missing(Fields const& fields) const {
    std::string names;
    for (auto const& field : fields_of(api_, creator_)) {
      if (!fields.has(field.name)) names += (names.empty() ? "" : ", ") + field.name;
    }
    return names.empty() ? "" : "; fields not given: " + names;
  }

  // Only IPluginV2DynamicExt knows the shapes of TensorRT 10's networks. The others are for an implicit batch dim, which is gone.
  void check_class() const {
    auto const version = static_cast<uint32_t>(call<m::PluginV2::getTensorRTVersion>(api_, v2_)) >> 24;
    auto const kind = version & ~static_cast<uint32_t>(python_bit);
    if (kind == v2_dynamic) return;
    std::string const name = kind < std::size(v2_classes) ? v2_classes[kind] : "of an unknown class";
    fail("it is an " + name + ", for networks with an implicit batch dim, which TensorRT 10 no longer has; expected IPluginV3 or IPluginV2DynamicExt");
  }

  Api const& api_;
  CreatorInfo const& creator_;
  PluginV3* v3_ = nullptr;
  ForeignPlugin* v2_ = nullptr;
};

int32_t dtype_value(Api const& api, std::string const& name) {
  for (int i = 0; i < dtype_count; i++) {
    if (name == dtype_names[i]) return dtype_values[i];
  }
  throw Error("ERR_PLUGIN", "plugins take no " + name);
}

// Asks a plugin about its outputs.
class Inquiry {
 public:
  Inquiry(Api const& api, DescribeRequest const& request, CreatorInfo const& creator)
      : api_(api), request_(request), creator_(creator), fields_(request.fields), plugin_(api, creator, creator.name.c_str(), fields_) {
    if (request.inputs.size() > most || request.shape_inputs > request.inputs.size()) plugin_.fail("expected at most " + std::to_string(most) + " inputs");
    tensors_ = request.inputs.size() - request.shape_inputs;
    for (size_t i = 0; i < most; i++) inputs_[i].rank = shape_inputs_[i].rank = i < request.inputs.size() ? 0 : -1;
    for (size_t i = 0; i < request.inputs.size(); i++) add_input(i);
  }

  PluginOutputs ask() {
    PluginOutputs result;
    int32_t types[most];
    std::fill(std::begin(types), std::end(types), -1);
    DimsExprs dims[most];
    size_t const count = creator_.is_v3 ? ask_v3(types, dims) : ask_v2(types, dims);
    for (size_t i = 0; i < count; i++) result.outputs.push_back({dtype_of(i, types[i]), indices(i, dims[i]), false});
    for (auto const& expression : recorder_.expressions) {
      if (expression.op == Expression::size && expression.a < count) result.outputs[expression.a].is_size = true;
    }
    result.expressions = recorder_.expressions;
    return result;
  }

 private:
  void add_input(size_t i) {
    auto const& input = request_.inputs[i];
    types_[i] = dtype_value(api_, input.dtype);
    auto const at = static_cast<uint32_t>(i);
    if (input.shape.size() > 8) plugin_.fail("expected inputs of rank 8 or less");
    if (i < tensors_) {
      for (int64_t const size : input.shape) {
        auto const axis = static_cast<uint32_t>(inputs_[i].rank);
        inputs_[i].d[inputs_[i].rank++] = size >= 0 ? recorder_.constant(size) : recorder_.leaf(Expression::dim, at, axis);
      }
      return;
    }
    int64_t const elements = input.shape.empty() ? 1 : input.shape[0];
    if (input.shape.size() > 1 || elements < 0 || elements > 8) plugin_.fail("expected shape inputs of rank 1 with at most 8 elements, as TensorRT does");
    auto& values = shape_inputs_[i - tensors_];
    for (; values.rank < elements; values.rank++) values.d[values.rank] = recorder_.leaf(Expression::value, at, static_cast<uint32_t>(values.rank));
  }

  size_t checked(int32_t count) const {
    if (count < 1 || static_cast<size_t>(count) > most) plugin_.fail("expected 1 to " + std::to_string(most) + " outputs, it says " + std::to_string(count));
    return static_cast<size_t>(count);
  }

  size_t ask_v3(int32_t* types, DimsExprs* dims) {
    int32_t const kind = 1;  // PluginCapabilityType::kBUILD
    auto* const build = plugin_.capability(kind);
    auto const count = static_cast<int32_t>(checked(call<m::PluginV3OneBuild::getNbOutputs>(api_, build)));
    auto const tensors = static_cast<int32_t>(tensors_), values = static_cast<int32_t>(request_.shape_inputs);
    int32_t code = call<m::PluginV3OneBuild::getOutputDataTypes>(api_, build, types, count, static_cast<int32_t const*>(types_), tensors);
    if (code != 0) plugin_.fail("its getOutputDataTypes refused the inputs' dtypes (code " + std::to_string(code) + ")");
    code = call<m::PluginV3OneBuild::getOutputShapes>(api_, build, static_cast<DimsExprs const*>(inputs_), tensors, static_cast<DimsExprs const*>(shape_inputs_), values, dims, count,
                                                      recorder_.builder());
    if (code != 0) plugin_.fail("its getOutputShapes refused the inputs' shapes (code " + std::to_string(code) + ")" + reason());
    return static_cast<size_t>(count);
  }

  size_t ask_v2(int32_t* types, DimsExprs* dims) {
    if (request_.shape_inputs > 0) plugin_.fail("it is an IPluginV2DynamicExt, which has no shape inputs");
    size_t const count = checked(call<m::PluginV2::getNbOutputs>(api_, plugin_.v2()));
    auto const tensors = static_cast<int32_t>(tensors_);
    for (size_t i = 0; i < count; i++) {
      auto const index = static_cast<int32_t>(i);
      types[i] = call<m::PluginV2Ext::getOutputDataType>(api_, plugin_.v2(), index, static_cast<int32_t const*>(types_), tensors);
      dims[i] = call<m::PluginV2DynamicExt::getOutputDimensions>(api_, plugin_.v2(), index, static_cast<DimsExprs const*>(inputs_), tensors, recorder_.builder());
    }
    return count;
  }

  std::string dtype_of(size_t output, int32_t type) const {
    if (char const* const name = dtype_name_of(type)) return name;
    plugin_.fail("it gave no dtype that TensorRT has for output " + std::to_string(output));
  }

  std::string reason() const { return recorder_.failure.empty() ? "" : ": " + recorder_.failure; }

  std::vector<uint32_t> indices(size_t output, DimsExprs const& dims) const {
    std::string const which = "output " + std::to_string(output);
    if (dims.rank < 0 || dims.rank > 8) plugin_.fail(which + " has rank " + std::to_string(dims.rank));
    std::vector<uint32_t> list;
    for (int32_t axis = 0; axis < dims.rank; axis++) {
      if (!dims.d[axis]) plugin_.fail("it gave no size for axis " + std::to_string(axis) + " of " + which + (recorder_.failure.empty() ? "; does it take these inputs?" : reason()));
      list.push_back(DimRecorder::index_of(dims.d[axis]));
    }
    return list;
  }

  Api const& api_;
  DescribeRequest const& request_;
  CreatorInfo const& creator_;
  Fields const fields_;
  MadePlugin const plugin_;
  size_t tensors_ = 0;
  DimRecorder recorder_;
  int32_t types_[most] = {};
  DimsExprs inputs_[most];
  DimsExprs shape_inputs_[most];
};

CreatorKey key_of(Params const& params) {
  Params const creator = params.object("creator");
  return {creator.text("name"), creator.text("version"), creator.text("namespace")};
}

}  // namespace

PluginOutputs describe_plugin(Api const& api, DescribeRequest const& request) {
  CreatorInfo const creator = find_creator(api, request.creator);
  return Inquiry(api, request, creator).ask();
}

Layer* add_existing_plugin(Lowering& l, Node const& node) {
  CreatorInfo const creator = find_creator(l.api, key_of(node.params));
  Fields const fields(node.params.list("fields"));
  MadePlugin const plugin(l.api, creator, node.name.c_str(), fields);
  auto const shape_inputs = static_cast<size_t>(node.params.integer("shapeInputs"));
  if (shape_inputs > node.inputs.size()) throw Error("ERR_INTERNAL", "more shape inputs than inputs");
  std::vector<Tensor*> inputs;
  for (size_t i = 0; i < node.inputs.size(); i++) {
    Tensor* tensor = l.input(node, i);
    // TensorRT takes shape inputs of rank 1 only.
    bool const is_shape = i >= node.inputs.size() - shape_inputs;
    inputs.push_back(is_shape ? l.vector(node, tensor, "vector" + std::to_string(i)) : tensor);
  }
  auto const tensors = static_cast<int32_t>(inputs.size() - shape_inputs);
  if (creator.is_v3) {
    return l.add<m::Network::addPluginV3>(inputs.data(), tensors, inputs.data() + tensors, static_cast<int32_t>(shape_inputs), static_cast<void*>(plugin.v3()));
  }
  if (shape_inputs > 0) plugin.fail("it is an IPluginV2DynamicExt, which has no shape inputs");
  return l.add<m::Network::addPluginV2>(inputs.data(), tensors, plugin.v2());
}

}  // namespace ntrt
