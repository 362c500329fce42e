#include "serve.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <thread>

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
      long calls = 0;
      words >> calls;
      return run(calls);
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
      steps_ = workload.steps;
      in_process_ = workload.in_process;
      return "ok";
    }
    throw std::runtime_error("no workload " + name);
  }

  std::string run(long calls) {
    const auto start = std::chrono::steady_clock::now();
    for (long i = 0; i < calls; ++i) step_();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    char text[64];
    std::snprintf(text, sizeof text, "ok %.9g",
                  elapsed.count() / (static_cast<double>(calls) * steps_ * units_));
    return text;
  }

  std::string allocations() {
    if (!in_process_) return "ok";
    step_();
    step_();
    const int calls = std::max(1, counted_steps / steps_);
    start_counting();
    for (int i = 0; i < calls; ++i) step_();
    double own = 0, others = 0;
    std::ostringstream sources;
    for (const AllocationSource& source : stop_counting()) {
      const double per_step = static_cast<double>(source.calls) / (calls * steps_);
      (source.is_library() ? others : own) += per_step;
      sources << ' ' << source.object << '=' << per_step;
    }
    std::ostringstream text;
    text << "ok " << own << ' ' << others << sources.str();
    return text.str();
  }

  std::string memory(const std::string& name) {
    // The threads that libraries start when they are loaded map buffers of their own: not this workload's.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    start_tracking();
    prepare(name);
    if (!in_process_) return "ok";
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
  int steps_ = 1;
  bool in_process_ = true;
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
