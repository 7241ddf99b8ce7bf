// drive: runs engines from C++ as told by lines of its standard input, and answers each by a line of JSON. It rests while
// ours is measured.
//
//   plugins LIBRARY                   loads a library of plugins
//   load ID PLAN INPUTS               an engine and a context of it; INPUTS is a file of all inputs
//   measure ID MODE WARM RUNS         {"us"}: median of a run. MODE is device, graph, pinned or pageable
//   events ID MODE WARM MS            {"us", "perSecond"}: median of the GPU's work by events, and runs per second, of two runs under way at a time, for
//                                     MS milliseconds after WARM. MODE is device, graph or graph-copies
//   threads ID COUNT RUNS             {"us"}: wall time of RUNS device-resident runs in each of COUNT threads, each with a context
//   outputs ID MODE FILE              writes all outputs of a run to FILE
//   free ID
#include <atomic>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <sstream>
#include <thread>

#include "drive.h"

namespace {

struct Loaded {
  std::shared_ptr<nvinfer1::ICudaEngine> engine;
  std::string inputs;
  std::vector<std::unique_ptr<Runner>> runners;

  Runner& runner(size_t index) {
    while (runners.size() <= index) runners.push_back(std::make_unique<Runner>(engine, inputs));
    return *runners[index];
  }
};

std::map<std::string, Loaded> engines;

/** All threads begin at once; the time is from then until the last ends. */
double in_threads(Loaded& loaded, int count, int runs) {
  for (int i = 0; i < count; i++) loaded.runner(i);
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::exception_ptr> errors(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; i++)
    threads.emplace_back([&, i] {
      Runner& runner = loaded.runner(i);
      try {
        check(cudaSetDevice(0), "cudaSetDevice");
        runner.device();
      } catch (...) {
        errors[i] = std::current_exception();
      }
      ready++;
      while (!go) std::this_thread::yield();
      try {
        for (int run = 0; run < runs && !errors[i]; run++) runner.device();
      } catch (...) {
        errors[i] = std::current_exception();
      }
    });
  while (ready < count) std::this_thread::yield();
  auto const start = Clock::now();
  go = true;
  for (std::thread& thread : threads) thread.join();
  double const time = microseconds_since(start);
  for (auto const& error : errors)
    if (error) std::rethrow_exception(error);
  return time;
}

void write_outputs(Runner& runner, std::string const& mode, std::string const& path) {
  runner.run(mode);
  std::ofstream file(path, std::ios::binary);
  for (Buffer const& b : runner.outputs()) {
    std::vector<char> copy(b.bytes);
    check(cudaMemcpy(copy.data(), b.device, b.bytes, cudaMemcpyDeviceToHost), "cudaMemcpy");
    file.write(copy.data(), static_cast<std::streamsize>(copy.size()));
  }
  require(file.good(), path + ": cannot be written");
}

/** The answer to a command, without its braces. */
std::string answer(std::istringstream& words) {
  std::string command, id, mode, file;
  words >> command >> id;
  if (command == "plugins") {
    require(getPluginRegistry()->loadLibrary(id.c_str()) != nullptr, id + ": no library of plugins");
    return "";
  }
  if (command == "load") {
    words >> mode >> file;
    Loaded loaded{load_engine(mode), read_file(file), {}};
    loaded.runner(0);
    engines[id] = std::move(loaded);
    return "";
  }
  require(engines.count(id) > 0, id + ": not loaded");
  Loaded& loaded = engines.at(id);
  if (command == "measure") {
    int warm = 0, runs = 0;
    words >> mode >> warm >> runs;
    require(runs > 0, "no runs");
    Runner& runner = loaded.runner(0);
    return "\"us\":" + std::to_string(median_microseconds(warm, runs, [&] { runner.run(mode); }));
  }
  if (command == "events") {
    double warm = 0, duration = 0;
    words >> mode >> warm >> duration;
    auto const [us, per_second] = loaded.runner(0).by_events(mode, warm, duration);
    return "\"us\":" + std::to_string(us) + ",\"perSecond\":" + std::to_string(per_second);
  }
  if (command == "threads") {
    int count = 0, runs = 0;
    words >> count >> runs;
    require(count > 0 && runs > 0, "no runs");
    return "\"us\":" + std::to_string(in_threads(loaded, count, runs));
  }
  if (command == "outputs") {
    words >> mode >> file;
    write_outputs(loaded.runner(0), mode, file);
    return "";
  }
  require(command == "free", command + ": no such command");
  engines.erase(id);
  return "";
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    try {
      std::string const said = answer(words);
      std::cout << "{" << said << "}" << std::endl;
    } catch (std::exception const& error) {
      std::string text = error.what();
      for (char& c : text)
        if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' ') c = '\'';
      std::cout << "{\"error\":\"" << text << "\"}" << std::endl;
    }
  }
  // Nothing is taken down: the driver may be gone before the last engine.
  std::_Exit(0);
}
