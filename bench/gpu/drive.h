// What the C++ drivers share: plans, contexts with their memory, medians.
#pragma once
#include <NvInfer.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using Clock = std::chrono::steady_clock;

inline double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

inline void check(cudaError_t result, char const* what) {
  if (result != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(result));
}

inline void require(bool ok, std::string const& what) {
  if (!ok) throw std::runtime_error(what);
}

struct Log final : nvinfer1::ILogger {
  void log(Severity severity, char const* message) noexcept override {
    if (severity <= Severity::kERROR) std::fprintf(stderr, "%s\n", message);
  }
};

inline Log logger;

inline std::string read_file(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  require(file.good(), path + ": cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::shared_ptr<nvinfer1::ICudaEngine> load_engine(std::string const& path) {
  static nvinfer1::IRuntime* const runtime = nvinfer1::createInferRuntime(logger);
  require(runtime != nullptr, "TensorRT gives no runtime");
  std::string const plan = read_file(path);
  std::shared_ptr<nvinfer1::ICudaEngine> engine(runtime->deserializeCudaEngine(plan.data(), plan.size()));
  require(engine != nullptr, path + ": does not load");
  return engine;
}

inline size_t bytes_of(nvinfer1::DataType type) {
  switch (type) {
    case nvinfer1::DataType::kFLOAT:
    case nvinfer1::DataType::kINT32: return 4;
    case nvinfer1::DataType::kINT64: return 8;
    case nvinfer1::DataType::kHALF:
    case nvinfer1::DataType::kBF16: return 2;
    default: return 1;
  }
}

inline size_t bytes_of(nvinfer1::Dims const& dims, nvinfer1::DataType type) {
  size_t bytes = bytes_of(type);
  for (int i = 0; i < dims.nbDims; i++) bytes *= dims.d[i];
  return bytes;
}

struct Buffer {
  size_t bytes;
  void* device;
  void* pinned;
  std::vector<char> pageable;
};

/** One context with its stream and memory, at the most likely shapes of the first profile. The process's end frees them. */
class Runner {
 public:
  /** `inputs` holds all inputs, one after the other. */
  Runner(std::shared_ptr<nvinfer1::ICudaEngine> engine, std::string const& inputs) : mEngine(std::move(engine)) {
    mContext.reset(mEngine->createExecutionContext());
    require(mContext != nullptr, "no context");
    check(cudaStreamCreateWithFlags(&mStream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    int const count = mEngine->getNbIOTensors();
    auto const is_input = [&](char const* name) {
      return mEngine->getTensorIOMode(name) == nvinfer1::TensorIOMode::kINPUT;
    };
    for (int i = 0; i < count; i++) {
      char const* const name = mEngine->getIOTensorName(i);
      if (!is_input(name)) continue;
      auto const dims = mEngine->getProfileShape(name, 0, nvinfer1::OptProfileSelector::kOPT);
      require(mContext->setInputShape(name, dims), std::string(name) + ": no such shape");
    }
    size_t read = 0;
    for (int i = 0; i < count; i++) {
      char const* const name = mEngine->getIOTensorName(i);
      size_t const bytes = bytes_of(mContext->getTensorShape(name), mEngine->getTensorDataType(name));
      Buffer buffer{bytes, nullptr, nullptr, std::vector<char>(bytes)};
      check(cudaMalloc(&buffer.device, bytes), "cudaMalloc");
      check(cudaMallocHost(&buffer.pinned, bytes), "cudaMallocHost");
      mContext->setTensorAddress(name, buffer.device);
      if (is_input(name)) {
        require(read + bytes <= inputs.size(), "the inputs' file is too short");
        std::memcpy(buffer.pageable.data(), inputs.data() + read, bytes);
        std::memcpy(buffer.pinned, inputs.data() + read, bytes);
        read += bytes;
        check(cudaMemcpy(buffer.device, buffer.pinned, bytes, cudaMemcpyHostToDevice), "cudaMemcpy");
      }
      (is_input(name) ? mInputs : mOutputs).push_back(std::move(buffer));
    }
    require(read == inputs.size(), "the inputs' file is too long");
    device();
  }

  void device() {
    enqueue();
    synchronize();
  }
  void graph() {
    if (!mGraph) capture();
    check(cudaGraphLaunch(mGraph, mStream), "cudaGraphLaunch");
    synchronize();
  }
  void pinned() {
    for (Buffer& b : mInputs)
      check(cudaMemcpyAsync(b.device, b.pinned, b.bytes, cudaMemcpyHostToDevice, mStream), "cudaMemcpyAsync");
    enqueue();
    for (Buffer& b : mOutputs)
      check(cudaMemcpyAsync(b.pinned, b.device, b.bytes, cudaMemcpyDeviceToHost, mStream), "cudaMemcpyAsync");
    synchronize();
  }
  void pageable() {
    for (Buffer& b : mInputs) std::memcpy(b.pinned, b.pageable.data(), b.bytes);
    pinned();
    for (Buffer& b : mOutputs) std::memcpy(b.pageable.data(), b.pinned, b.bytes);
  }
  void run(std::string const& mode) {
    if (mode == "device") return device();
    if (mode == "graph") return graph();
    if (mode == "pinned") return pinned();
    require(mode == "pageable", mode + ": no such mode");
    pageable();
  }

  /** Median microseconds of the GPU's work, and runs per second, with the next run submitted before one has ended. */
  std::pair<double, double> by_events(std::string const& mode, double warm_ms, double duration_ms) {
    bool const graph = mode != "device";
    bool const copies = mode == "graph-copies";
    require(graph ? mode == "graph" || copies : true, mode + ": no such mode");
    if (graph && !mGraph) capture();
    synchronize();
    struct Events {
      cudaEvent_t in_start, in_end, start, end, out_start, out_end;  // as trtexec records
    } events[2];
    for (Events& one : events)
      for (cudaEvent_t* event : {&one.in_start, &one.in_end, &one.start, &one.end, &one.out_start, &one.out_end}) check(cudaEventCreate(event), "cudaEventCreate");
    cudaStream_t in, out;
    check(cudaStreamCreateWithFlags(&in, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    check(cudaStreamCreateWithFlags(&out, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    auto const submit = [&](Events const& one) {
      if (copies) {
        check(cudaEventRecord(one.in_start, in), "cudaEventRecord");
        for (Buffer& b : mInputs) check(cudaMemcpyAsync(b.device, b.pinned, b.bytes, cudaMemcpyHostToDevice, in), "cudaMemcpyAsync");
        check(cudaEventRecord(one.in_end, in), "cudaEventRecord");
        check(cudaStreamWaitEvent(mStream, one.in_end, 0), "cudaStreamWaitEvent");
      }
      check(cudaEventRecord(one.start, mStream), "cudaEventRecord");
      if (graph) {
        check(cudaGraphLaunch(mGraph, mStream), "cudaGraphLaunch");
      } else {
        enqueue();
      }
      check(cudaEventRecord(one.end, mStream), "cudaEventRecord");
      if (!copies) return;
      check(cudaStreamWaitEvent(out, one.end, 0), "cudaStreamWaitEvent");
      check(cudaEventRecord(one.out_start, out), "cudaEventRecord");
      for (Buffer& b : mOutputs) check(cudaMemcpyAsync(b.pinned, b.device, b.bytes, cudaMemcpyDeviceToHost, out), "cudaMemcpyAsync");
      check(cudaEventRecord(one.out_end, out), "cudaEventRecord");
    };
    std::vector<double> times;
    auto const begin = Clock::now();
    Clock::time_point counted{}, last{};
    submit(events[0]);
    for (int next = 1; last == Clock::time_point{} || microseconds_since(begin) < 1e3 * (warm_ms + duration_ms); next = 1 - next) {
      submit(events[next]);
      Events const& done = events[1 - next];
      while (cudaEventQuery(copies ? done.out_end : done.end) == cudaErrorNotReady) {
      }
      check(cudaEventQuery(copies ? done.out_end : done.end), "the run");
      last = Clock::now();
      if (microseconds_since(begin) < 1e3 * warm_ms) continue;
      if (counted == Clock::time_point{}) {
        counted = last;
        continue;
      }
      float ms = 0;
      check(cudaEventElapsedTime(&ms, done.start, done.end), "cudaEventElapsedTime");
      times.push_back(1e3 * ms);
    }
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    for (Events const& one : events)
      for (cudaEvent_t event : {one.in_start, one.in_end, one.start, one.end, one.out_start, one.out_end}) cudaEventDestroy(event);
    cudaStreamDestroy(in);
    cudaStreamDestroy(out);
    require(!times.empty(), "no runs");
    double const per_second = times.size() / std::chrono::duration<double>(last - counted).count();
    std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
    return {times[times.size() / 2], per_second};
  }

  std::vector<Buffer> const& outputs() const { return mOutputs; }

 private:
  void enqueue() { require(mContext->enqueueV3(mStream), "enqueueV3 failed"); }
  void synchronize() { check(cudaStreamSynchronize(mStream), "cudaStreamSynchronize"); }
  void capture() {
    cudaGraph_t graph;
    check(cudaStreamBeginCapture(mStream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    enqueue();
    check(cudaStreamEndCapture(mStream, &graph), "cudaStreamEndCapture");
    check(cudaGraphInstantiate(&mGraph, graph, 0), "cudaGraphInstantiate");
    check(cudaGraphDestroy(graph), "cudaGraphDestroy");
  }

  std::shared_ptr<nvinfer1::ICudaEngine> mEngine;
  std::unique_ptr<nvinfer1::IExecutionContext> mContext;
  std::vector<Buffer> mInputs;
  std::vector<Buffer> mOutputs;
  cudaStream_t mStream = nullptr;
  cudaGraphExec_t mGraph = nullptr;
};

template <typename F>
double median_microseconds(int warm, int runs, F const& run) {
  for (int i = 0; i < warm; i++) run();
  std::vector<double> times(runs);
  for (double& time : times) {
    auto const start = Clock::now();
    run();
    time = microseconds_since(start);
  }
  std::nth_element(times.begin(), times.begin() + runs / 2, times.end());
  return times[runs / 2];
}
