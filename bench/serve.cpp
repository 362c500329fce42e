#include "serve.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "allocations.hpp"
#include "workload.hpp"

namespace bench {
namespace {

constexpr int counted_steps = 20;

class Server {
 public:
  Server(std::string system, int threads) : system_(std::move(system)), threads_(threads) {}

  std::string answer(const std::string& line) {
    std::istringstream words(line);
    std::string command, name;
    words >> command;
    if (command == "list") return list();
    if (command == "run") {
      long steps = 0;
      words >> steps;
      return run(steps);
    }
    if (command == "allocations") return allocations();
    words >> name;
    if (command == "prepare") return prepare(name);
    if (command == "memory") return memory(name);
    throw std::runtime_error("unknown request " + line);
  }

 private:
  std::string list() const {
    std::string names = "ok";
    for (const Workload& workload : workloads())
      if (workload.system == system_) names += " " + workload.name;
    return names;
  }

  std::string prepare(const std::string& name) {
    step_ = nullptr;
    for (const Workload& workload : workloads()) {
      if (workload.system != system_ || workload.name != name) continue;
      step_ = workload.make(threads_);
      units_ = workload.units;
      return "ok";
    }
    throw std::runtime_error("no workload " + name);
  }

  std::string run(long steps) {
    const auto start = std::chrono::steady_clock::now();
    for (long i = 0; i < steps; ++i) step_();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    char text[64];
    std::snprintf(text, sizeof text, "ok %.9g", elapsed.count() / (static_cast<double>(steps) * units_));
    return text;
  }

  std::string allocations() {
    step_();
    step_();
    start_counting();
    for (int i = 0; i < counted_steps; ++i) step_();
    double own = 0, others = 0;
    std::ostringstream sources;
    for (const AllocationSource& source : stop_counting()) {
      const double per_step = static_cast<double>(source.calls) / counted_steps;
      (source.is_library() ? others : own) += per_step;
      sources << ' ' << source.object << '=' << per_step;
    }
    std::ostringstream text;
    text << "ok " << own << ' ' << others << sources.str();
    return text.str();
  }

  std::string memory(const std::string& name) {
    start_tracking();
    prepare(name);
    step_();
    step_();
    reset_peak();
    step_();
    return "ok " + std::to_string(peak_bytes());
  }

  std::string system_;
  int threads_;
  std::function<void()> step_;
  double units_ = 1;
};

}  // namespace

int serve(const std::string& system, int threads) {
  Server server(system, threads);
  std::string line;
  while (std::getline(std::cin, line)) {
    std::string text;
    try {
      text = server.answer(line);
    } catch (const std::exception& error) {
      text = std::string("error ") + error.what();
      for (char& c : text)
        if (c == '\n') c = ' ';
    }
    std::cout << text << std::endl;
  }
  return 0;
}

}  // namespace bench
