#include "profiles.h"

#include <algorithm>
#include <limits>

#include "read_options.h"

namespace ntrt {

namespace {

constexpr std::pair<char const*, char const*> bounds[] = {{"min", "kMIN"}, {"opt", "kOPT"}, {"max", "kMAX"}};

std::string profile_name(size_t index) { return "profiles[" + std::to_string(index) + "]"; }

std::string describe(ValueType const& type) {
  std::string text = type.dtype + " [";
  for (size_t i = 0; i < type.shape.size(); i++) text += (i ? ", " : "") + (type.shape[i] < 0 ? type.dim_names.at(i) : std::to_string(type.shape[i]));
  return text + "]";
}

// Number of elements; negative if it is dynamic.
int64_t count_of(ValueType const& type) {
  int64_t count = 1;
  for (int64_t size : type.shape) count = size < 0 || count < 0 ? -1 : count * size;
  return count;
}

[[noreturn]] void refuse_missing(ValueType const& type, size_t index, bool is_dim) {
  std::string message = profile_name(index) + ": TensorRT computes shapes from the elements of input '" + type.name + "' (" + describe(type) + "), ";
  if (is_dim) {
    message += "but a dim has the same name: rename one of them and give a range for both";
  } else if (type.dtype != "int32" && type.dtype != "int64") {
    message += "which must be int32 or int64: use another dtype";
  } else if (count_of(type) < 0) {
    message += "which must have a fixed shape";
  } else if (count_of(type) == 0) {
    message += "but it has none";
  } else {
    message += "so give their range: " + type.name + ": [min, opt, max]" + (type.shape.empty() ? "" : ", each a list of " + std::to_string(count_of(type)));
  }
  throw Error("ERR_PROFILE", message);
}

bool set_values(Api const& api, OptimizationProfile* profile, std::string const& input, int32_t which, std::vector<int64_t> const& values) {
  auto const count = static_cast<int32_t>(values.size());
  if (api.has(m::OptimizationProfile::setShapeValuesV2::info)) return call<m::OptimizationProfile::setShapeValuesV2>(api, profile, input.c_str(), which, values.data(), count);
  for (int64_t value : values) {
    if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
      throw Error("ERR_PROFILE", "input '" + input + "': a range up to " + std::to_string(value) + " needs TensorRT 10.11 or later, loaded is " + release_name(api.release));
    }
  }
  std::vector<int32_t> const narrow(values.begin(), values.end());
  return call<m::OptimizationProfile::setShapeValues>(api, profile, input.c_str(), which, narrow.data(), count);
}

}  // namespace

AddedProfiles add_profiles(Api const& api, Builder* builder, BuilderConfig* config, std::vector<NetworkInput> const& inputs, std::vector<Params> const& profiles) {
  std::vector<ValueType const*> deciding;
  for (auto const& input : inputs) {
    if (call<m::Tensor::isShapeTensor>(api, input.tensor)) deciding.push_back(input.type);
  }
  AddedProfiles added;
  for (auto const* type : deciding) added.shape_inputs.push_back(type->name);
  if (profiles.empty() && !deciding.empty()) refuse_missing(*deciding.front(), 0, false);
  for (size_t i = 0; i < profiles.size(); i++) {
    for (auto const* type : deciding) {
      Params const range = profiles[i].has(type->name.c_str()) ? profiles[i].object(type->name.c_str()) : Params();
      if (!range.has("values") || count_of(*type) == 0) refuse_missing(*type, i, range.has("dim"));
    }
    auto* profile = call<m::Builder::createOptimizationProfile>(api, builder);
    if (!profile) throw Error("ERR_BUILD_OPTION", "TensorRT could not create an optimization profile");
    for (auto const& [name, range] : profiles[i].entries()) {
      bool const values = range.has("values");
      auto const decides = [&, &name = name](ValueType const* type) { return type->name == name; };
      if (range.has("dim") || (values && std::none_of(deciding.begin(), deciding.end(), decides))) continue;
      for (auto const& [key, selector] : bounds) {
        int32_t const which = api.enumerator("OptProfileSelector", selector);
        bool const taken = values ? set_values(api, profile, name, which, range.integers(key))
                                  : call<m::OptimizationProfile::setDimensions>(api, profile, name.c_str(), which, range.dims(key));
        if (!taken) throw Error("ERR_PROFILE", profile_name(i) + ": TensorRT refused the " + key + " of input '" + name + "'");
      }
    }
    added.held.push_back(read_profile(api, profile, i, profiles[i], added.shape_inputs));
    if (call<m::BuilderConfig::addOptimizationProfile>(api, config, profile) < 0) throw Error("ERR_PROFILE", profile_name(i) + ": TensorRT refused it");
  }
  auto const count = static_cast<size_t>(call<m::BuilderConfig::getNbOptimizationProfiles>(api, config));
  if (count != profiles.size()) throw Error("ERR_BUILD_OPTION", "build option profiles: asked for " + std::to_string(profiles.size()) + ", TensorRT holds " + std::to_string(count));
  return added;
}

}  // namespace ntrt
