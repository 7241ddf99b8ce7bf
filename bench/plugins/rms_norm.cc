// RMS norm with residual as people write plugins by hand: IPluginV3 against NVIDIA's headers. It launches the very kernel of
// examples/plugins/rms-norm.cu, which NVRTC compiled: the cubin's path, the kernel, block and shared bytes come as fields. bench/plugins/build.sh makes a
// library of it, with getCreators and setLoggerFinder, as TensorRT's loadLibrary wants it.
#include <NvInferRuntime.h>
#include <dlfcn.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace nvinfer1;

namespace {

/** The part of the driver API that a launch needs, from libcuda.so.1 of the process. 0 is success. */
struct Driver {
  using Context = struct CUctx_st*;
  using Module = struct CUmod_st*;
  using Function = struct CUfunc_st*;
  void* const library = dlopen("libcuda.so.1", RTLD_NOW);
  int (*const getCurrent)(Context*) = find("cuCtxGetCurrent");
  int (*const push)(Context) = find("cuCtxPushCurrent_v2");
  int (*const pop)(Context*) = find("cuCtxPopCurrent_v2");
  int (*const streamContext)(cudaStream_t, Context*) = find("cuStreamGetCtx");
  int (*const load)(Module*, void const*) = find("cuModuleLoadData");
  int (*const function)(Function*, Module, char const*) = find("cuModuleGetFunction");
  int (*const launch)(Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, cudaStream_t, void**,
                      void**) = find("cuLaunchKernel");

  struct Symbol {
    void* address;
    template <typename F>
    operator F() const {
      return reinterpret_cast<F>(address);
    }
  };
  Symbol find(char const* name) const { return {library ? dlsym(library, name) : nullptr}; }
};

Driver const& driver() {
  static Driver const loaded;
  return loaded;
}

/** What all clones of a plugin share. */
struct Kernel {
  std::string path;
  std::string name;
  std::once_flag once;
  Driver::Function function = nullptr;

  Driver::Function get() {
    std::call_once(once, [this] {
      std::ifstream file(path, std::ios::binary);
      std::string const cubin((std::istreambuf_iterator<char>(file)), {});
      Driver::Module module;
      if (!cubin.empty() && driver().load(&module, cubin.data()) == 0) driver().function(&function, module, name.c_str());
    });
    return function;
  }
};

struct Settings {
  float eps = 1e-6f;
  int32_t block = 256;
  int32_t shared = 1024;
  std::shared_ptr<Kernel> kernel = std::make_shared<Kernel>();
};

char const* const kNAME = "RmsNormByHand";
char const* const kVERSION = "1";

class RmsNorm final : public IPluginV3, public IPluginV3OneCore, public IPluginV3OneBuild, public IPluginV3OneRuntime {
 public:
  explicit RmsNorm(Settings settings) : mSettings(std::move(settings)) {
    Kernel const& kernel = *mSettings.kernel;
    mFields = {{"eps", &mSettings.eps, PluginFieldType::kFLOAT32, 1},
               {"block", &mSettings.block, PluginFieldType::kINT32, 1},
               {"shared", &mSettings.shared, PluginFieldType::kINT32, 1},
               {"cubin", kernel.path.data(), PluginFieldType::kCHAR, static_cast<int32_t>(kernel.path.size())},
               {"kernel", kernel.name.data(), PluginFieldType::kCHAR, static_cast<int32_t>(kernel.name.size())}};
    mCollection = {static_cast<int32_t>(mFields.size()), mFields.data()};
  }

  IPluginCapability* getCapabilityInterface(PluginCapabilityType type) noexcept override {
    switch (type) {
      case PluginCapabilityType::kCORE: return static_cast<IPluginV3OneCore*>(this);
      case PluginCapabilityType::kBUILD: return static_cast<IPluginV3OneBuild*>(this);
      case PluginCapabilityType::kRUNTIME: return static_cast<IPluginV3OneRuntime*>(this);
    }
    return nullptr;
  }
  IPluginV3* clone() noexcept override {
    auto* const copy = new RmsNorm(mSettings);
    copy->mRows = mRows;
    copy->mWidth = mWidth;
    return copy;
  }

  AsciiChar const* getPluginName() const noexcept override { return kNAME; }
  AsciiChar const* getPluginVersion() const noexcept override { return kVERSION; }
  AsciiChar const* getPluginNamespace() const noexcept override { return ""; }

  int32_t getNbOutputs() const noexcept override { return 2; }
  int32_t configurePlugin(DynamicPluginTensorDesc const*, int32_t, DynamicPluginTensorDesc const*, int32_t) noexcept override {
    return 0;
  }
  int32_t getOutputDataTypes(DataType* outputs, int32_t, DataType const* inputs, int32_t) const noexcept override {
    outputs[0] = outputs[1] = inputs[0];
    return 0;
  }
  int32_t getOutputShapes(DimsExprs const* inputs, int32_t, DimsExprs const*, int32_t, DimsExprs* outputs, int32_t,
                          IExprBuilder&) noexcept override {
    outputs[0] = outputs[1] = inputs[0];
    return 0;
  }
  bool supportsFormatCombination(int32_t position, DynamicPluginTensorDesc const* inOut, int32_t, int32_t) noexcept override {
    PluginTensorDesc const& desc = inOut[position].desc;
    return desc.format == TensorFormat::kLINEAR && (desc.type == DataType::kHALF || desc.type == DataType::kFLOAT) &&
           desc.type == inOut[0].desc.type;
  }

  int32_t onShapeChange(PluginTensorDesc const* in, int32_t, PluginTensorDesc const*, int32_t) noexcept override {
    Dims const& dims = in[0].dims;
    mRows = 1;
    for (int32_t i = 0; i + 1 < dims.nbDims; i++) mRows *= dims.d[i];
    mWidth = static_cast<int32_t>(dims.d[dims.nbDims - 1]);
    return 0;
  }
  int32_t enqueue(PluginTensorDesc const*, PluginTensorDesc const*, void const* const* inputs, void* const* outputs, void*,
                  cudaStream_t stream) noexcept override {
    Driver const& cuda = driver();
    Driver::Context current = nullptr;
    if (cuda.getCurrent(&current) != 0) return 1;
    if (!current) {
      Driver::Context own;
      if (cuda.streamContext(stream, &own) != 0 || cuda.push(own) != 0) return 1;
    }
    Driver::Function const function = mSettings.kernel->get();
    void* args[] = {const_cast<void**>(&inputs[0]), const_cast<void**>(&inputs[1]), const_cast<void**>(&inputs[2]),
                    const_cast<void**>(&outputs[0]), const_cast<void**>(&outputs[1]), &mWidth, &mSettings.eps};
    int const result = function ? cuda.launch(function, static_cast<unsigned>(mRows), 1, 1, mSettings.block, 1, 1,
                                              mSettings.shared, stream, args, nullptr)
                                : 1;
    if (!current) cuda.pop(&current);
    return result;
  }
  IPluginV3* attachToContext(IPluginResourceContext*) noexcept override { return clone(); }
  PluginFieldCollection const* getFieldsToSerialize() noexcept override { return &mCollection; }

 private:
  Settings mSettings;
  int64_t mRows = 0;
  int32_t mWidth = 0;
  std::vector<PluginField> mFields;
  PluginFieldCollection mCollection{};
};

class Creator final : public IPluginCreatorV3One {
 public:
  IPluginV3* createPlugin(AsciiChar const*, PluginFieldCollection const* fields, TensorRTPhase) noexcept override {
    Settings settings;
    for (int32_t i = 0; i < fields->nbFields; i++) {
      PluginField const& field = fields->fields[i];
      auto const is = [&](char const* name) { return std::strcmp(field.name, name) == 0; };
      // Text may come with its final 0.
      std::string text;
      if (field.type == PluginFieldType::kCHAR) text.assign(static_cast<char const*>(field.data), field.length);
      text = text.substr(0, text.find('\0'));
      if (is("eps")) settings.eps = *static_cast<float const*>(field.data);
      if (is("block")) settings.block = *static_cast<int32_t const*>(field.data);
      if (is("shared")) settings.shared = *static_cast<int32_t const*>(field.data);
      if (is("cubin")) settings.kernel->path = text;
      if (is("kernel")) settings.kernel->name = text;
    }
    return new RmsNorm(std::move(settings));
  }
  PluginFieldCollection const* getFieldNames() noexcept override {
    static PluginField const fields[] = {{"eps", nullptr, PluginFieldType::kFLOAT32, 1},
                                         {"block", nullptr, PluginFieldType::kINT32, 1},
                                         {"shared", nullptr, PluginFieldType::kINT32, 1},
                                         {"cubin", nullptr, PluginFieldType::kCHAR, 0},
                                         {"kernel", nullptr, PluginFieldType::kCHAR, 0}};
    static PluginFieldCollection const collection{5, fields};
    return &collection;
  }
  AsciiChar const* getPluginName() const noexcept override { return kNAME; }
  AsciiChar const* getPluginVersion() const noexcept override { return kVERSION; }
  AsciiChar const* getPluginNamespace() const noexcept override { return ""; }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) IPluginCreatorInterface* const* getCreators(int32_t& count) {
  static Creator creator;
  static IPluginCreatorInterface* const creators[] = {&creator};
  count = 1;
  return creators;
}

extern "C" __attribute__((visibility("default"))) void setLoggerFinder(ILoggerFinder*) {}
