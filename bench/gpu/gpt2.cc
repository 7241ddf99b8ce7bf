// gpt2 STEP PREFILL: greedy decoding by CUDA graphs over the plans of examples/gpt2/decoder.ts. Two sets of state swap. A line
// `decode COUNT EVERY TOKEN…` of the standard input is answered by {"us", "tokens"}: the wall time of COUNT steps after the prompt, where the
// host reads what is written every EVERY steps, and all tokens found, one of the prompt's run and COUNT more.
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>

#include "drive.h"

namespace {

using Tensors = std::map<std::string, Buffer>;
std::string const kNEXT = "next.";

Buffer on_device(size_t bytes) {
  Buffer buffer{bytes, nullptr, nullptr, {}};
  check(cudaMalloc(&buffer.device, bytes), "cudaMalloc");
  return buffer;
}

class Decoder {
 public:
  Decoder(std::string const& step, std::string const& prefill)
      : mStepEngine(load_engine(step)),
        mPrefillEngine(load_engine(prefill)),
        mStep(mStepEngine->createExecutionContext()),
        mPrefill(mPrefillEngine->createExecutionContext()) {
    require(mStep && mPrefill, "no context");
    check(cudaStreamCreateWithFlags(&mStream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    for (int i = 0; i < mStepEngine->getNbIOTensors(); i++) {
      std::string const name = mStepEngine->getIOTensorName(i);
      size_t const bytes = bytes_of(mStepEngine->getTensorShape(name.c_str()), mStepEngine->getTensorDataType(name.c_str()));
      if (mStepEngine->getTensorIOMode(name.c_str()) == nvinfer1::TensorIOMode::kINPUT)
        for (Tensors& state : mStates) state.emplace(name, on_device(bytes));
      else if (name.rfind(kNEXT, 0) != 0)
        mOther.emplace(name, on_device(bytes));
    }
    mLength = mStates[0].at("written").bytes / sizeof(int32_t);
    mPrompt = on_device(mLength * sizeof(int32_t));
    check(cudaMallocHost(&mWritten, mLength * sizeof(int32_t)), "cudaMallocHost");
    for (int from : {0, 1}) {
      clear(0);
      clear(1);
      bind(*mStepEngine, *mStep, mStates[from], mStates[1 - from]);
      require(mStep->enqueueV3(mStream), "enqueueV3 failed");
      check(cudaStreamSynchronize(mStream), "cudaStreamSynchronize");
      cudaGraph_t graph;
      check(cudaStreamBeginCapture(mStream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
      require(mStep->enqueueV3(mStream), "enqueueV3 failed");
      check(cudaStreamEndCapture(mStream, &graph), "cudaStreamEndCapture");
      check(cudaGraphInstantiate(&mGraphs[from], graph, 0), "cudaGraphInstantiate");
    }
  }

  double decode(std::vector<int32_t> const& prompt, int count, int every) {
    require(prompt.size() + count < mLength, "more tokens than the cache holds");
    clear(1);
    size_t const bytes = prompt.size() * sizeof(int32_t);
    check(cudaMemcpy(mPrompt.device, prompt.data(), bytes, cudaMemcpyHostToDevice), "cudaMemcpy");
    bind(*mPrefillEngine, *mPrefill, mStates[1], mStates[0]);
    mPrefill->setTensorAddress("tokens", mPrompt.device);
    require(mPrefill->setInputShape("tokens", nvinfer1::Dims2(1, static_cast<int64_t>(prompt.size()))), "no such prompt");
    require(mPrefill->enqueueV3(mStream), "enqueueV3 failed");
    check(cudaStreamSynchronize(mStream), "cudaStreamSynchronize");

    auto const start = Clock::now();
    for (int i = 0; i < count; i++) {
      check(cudaGraphLaunch(mGraphs[i % 2], mStream), "cudaGraphLaunch");
      if ((i + 1) % every != 0 && i + 1 < count) continue;
      Buffer const& written = mStates[1 - i % 2].at("written");
      check(cudaMemcpyAsync(mWritten, written.device, written.bytes, cudaMemcpyDeviceToHost, mStream), "cudaMemcpyAsync");
      check(cudaStreamSynchronize(mStream), "cudaStreamSynchronize");
    }
    return microseconds_since(start);
  }

  int32_t const* written() const { return static_cast<int32_t const*>(mWritten); }

 private:
  void clear(int which) {
    for (auto const& [name, buffer] : mStates[which]) check(cudaMemset(buffer.device, 0, buffer.bytes), "cudaMemset");
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  }
  void bind(nvinfer1::ICudaEngine const& engine, nvinfer1::IExecutionContext& context, Tensors& from, Tensors& to) {
    for (int i = 0; i < engine.getNbIOTensors(); i++) {
      std::string const name = engine.getIOTensorName(i);
      bool const input = engine.getTensorIOMode(name.c_str()) == nvinfer1::TensorIOMode::kINPUT;
      Tensors& tensors = input ? from : name.rfind(kNEXT, 0) == 0 ? to : mOther;
      Buffer const& buffer = tensors.at(&tensors == &to && !input ? name.substr(kNEXT.size()) : name);
      require(context.setTensorAddress(name.c_str(), buffer.device), name + ": no such address");
    }
  }

  std::shared_ptr<nvinfer1::ICudaEngine> mStepEngine, mPrefillEngine;
  std::unique_ptr<nvinfer1::IExecutionContext> mStep, mPrefill;
  Tensors mStates[2], mOther;
  Buffer mPrompt{};
  size_t mLength = 0;
  void* mWritten = nullptr;
  cudaStream_t mStream = nullptr;
  cudaGraphExec_t mGraphs[2] = {};
};

std::string answer(Decoder& decoder, std::istringstream& words) {
  std::string command;
  int count = 0, every = 0;
  words >> command >> count >> every;
  require(command == "decode" && count > 0 && every > 0, "expected decode COUNT EVERY TOKEN…");
  std::vector<int32_t> prompt;
  for (int32_t token; words >> token;) prompt.push_back(token);
  double const time = decoder.decode(prompt, count, every);
  std::string tokens;
  for (int i = 0; i <= count; i++) tokens += (i ? "," : "") + std::to_string(decoder.written()[prompt.size() + i]);
  return "{\"us\":" + std::to_string(time) + ",\"tokens\":[" + tokens + "]}";
}

}  // namespace

int main(int count, char** args) {
  try {
    require(count == 3, "usage: gpt2 STEP PREFILL");
    Decoder decoder(args[1], args[2]);
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::cout << answer(decoder, words) << std::endl;
    }
  } catch (std::exception const& error) {
    std::cerr << error.what() << std::endl;
    std::_Exit(1);
  }
  std::_Exit(0);
}
