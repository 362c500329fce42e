#include "driver.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "child.hpp"

namespace bench {
namespace {

/// A started system and the names it serves.
struct Runner {
  Runner(const System& system, int threads)
      : name(system.name), command(system.command), thread_count(threads) {
    command.push_back(std::to_string(threads));
    child = std::make_unique<Child>(command, threads);
    std::istringstream words(child->ask("list"));
    for (std::string word; words >> word;) workloads.push_back(word);
  }

  bool offers(const std::string& workload) const {
    return std::find(workloads.begin(), workloads.end(), workload) != workloads.end();
  }

  std::string name;
  std::vector<std::string> command;
  int thread_count;
  std::unique_ptr<Child> child;
  std::vector<std::string> workloads;
};

/// One system's part in one workload.
struct Entry {
  Runner* runner;
  std::string note;
  long steps = 1;
  std::vector<double> rounds;
};

/// Seconds of a step, and of all steps of a round.
struct Times {
  double step, round;
};

/// Threads of a system go on spinning when their work is done, OpenMP's for some milliseconds and OpenBLAS's
/// for a tenth of a second, and would share the processor with whoever is next: it waits for them.
Times run(Entry& entry) {
  const auto start = std::chrono::steady_clock::now();
  const double step = std::stod(entry.runner->child->ask("run " + std::to_string(entry.steps)));
  const std::chrono::duration<double> round = std::chrono::steady_clock::now() - start;
  if (entry.runner->thread_count > 1) entry.runner->child->settle();
  return {step, round.count()};
}

/// Finds the number of steps that fills a round. The first steps warm caches, pools and compilers up.
void calibrate(Entry& entry, double round_seconds) {
  run(entry);
  for (;;) {
    const auto steps = static_cast<double>(entry.steps);
    const double wanted = std::max(1.0, steps * round_seconds / run(entry).round);
    entry.steps = static_cast<long>(std::min(wanted, steps * 10));
    if (wanted <= steps * 2) return;
  }
}

/// Quantile of sorted values, with linear interpolation.
double quantile(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Result summarise(const std::string& workload, const Entry& entry) {
  std::vector<double> sorted = entry.rounds;
  std::sort(sorted.begin(), sorted.end());
  Result result;
  result.workload = workload;
  result.threads = entry.runner->thread_count;
  result.system = entry.runner->name;
  result.rounds = entry.rounds;
  result.seconds = quantile(sorted, 0.5);
  result.spread = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / result.seconds;
  result.note = entry.note;
  return result;
}

/// How much longer `a` took than `b`: the median over the rounds. A machine that is slow for a while is so
/// for both in these rounds.
double ratio(const Result& a, const Result& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.rounds.size(); ++i) ratios.push_back(a.rounds[i] / b.rounds[i]);
  std::sort(ratios.begin(), ratios.end());
  return quantile(ratios, 0.5);
}

bool is_op(const std::string& workload) { return workload.rfind("op_", 0) == 0; }

/// Single ops are compared on one thread; compiling and starting a program has nothing to do with threads.
bool single_threaded(const std::string& workload) {
  static const std::regex programs("startup|first_step|compile_.*");
  return is_op(workload) || std::regex_match(workload, programs);
}

/// What the table of targets (table.py) says something about.
bool is_target(const std::string& workload, int threads) {
  static const std::regex any_threads("chain|xor|8-10-8-1|mlp_b.*");
  static const std::regex one_thread(
      "gelu|gelu_10m|softmax.*|log_softmax.*|layer_norm_grad|adam|inference|op_.*|fit_.*|startup");
  return std::regex_match(workload, any_threads) || (threads == 1 && std::regex_match(workload, one_thread));
}

bool wanted(const Plan& plan, const std::string& workload, int threads) {
  if (!std::regex_search(workload, plan.only)) return false;
  if (plan.targets_only && !is_target(workload, threads)) return false;
  return !single_threaded(workload) || threads == plan.threads.front();
}

/// Asks the systems that can say for their allocations and, in a fresh process, for their peak memory.
void add_memory(Result& result, Runner& runner) {
  if (result.system != "xgrad" && result.system != "libtorch") return;
  std::istringstream words(runner.child->ask("allocations"));
  double own = 0, libraries = 0;
  if (!(words >> own >> libraries)) return;
  result.allocations = own;
  result.library_allocations = libraries;
  if (result.system == "xgrad") std::getline(words >> std::ws, result.note);
  if (is_op(result.workload)) return;
  Child fresh(runner.command, runner.thread_count);
  result.peak_bytes = std::stod(fresh.ask("memory " + result.workload));
}

/// The ratios among the results of one number of threads.
void add_ratios(std::vector<Result>& results, int threads) {
  const Result *fastest_peer = nullptr, *floor = nullptr;
  for (const Result& result : results) {
    if (result.threads != threads) continue;
    if (result.system == "floor") floor = &result;
    if (is_peer(result.system) && (fastest_peer == nullptr || result.seconds < fastest_peer->seconds))
      fastest_peer = &result;
  }
  for (Result& result : results) {
    if (result.threads != threads) continue;
    if (fastest_peer != nullptr) result.ratio = ratio(result, *fastest_peer);
    if (floor == nullptr) continue;
    result.floor = floor->seconds;
    result.over_floor = ratio(result, *floor);
  }
}

void warn(const std::string& system, const std::string& workload, const std::exception& error) {
  std::fprintf(stderr, "%s: %s: %s\n", system.c_str(), workload.c_str(), error.what());
}

/// Builds the workload in every system that offers it and is asked for it.
std::vector<Entry> prepare(const Plan& plan, const std::vector<std::unique_ptr<Runner>>& runners,
                           const std::string& workload) {
  std::vector<Entry> entries;
  for (const auto& runner : runners) {
    if (!runner->offers(workload) || !wanted(plan, workload, runner->thread_count)) continue;
    try {
      Entry entry{runner.get(), runner->child->ask("prepare " + workload), 1, {}};
      calibrate(entry, plan.round_seconds);
      entries.push_back(std::move(entry));
    } catch (const std::exception& error) {
      warn(runner->name, workload, error);
    }
  }
  return entries;
}

std::vector<Result> measure_workload(const Plan& plan, const std::vector<std::unique_ptr<Runner>>& runners,
                                     const std::string& workload) {
  std::vector<Entry> entries = prepare(plan, runners, workload);
  int rounds = plan.rounds;
  constexpr int cuts = 4, many_steps = 100;
  if (std::all_of(entries.begin(), entries.end(), [](const Entry& e) { return e.steps >= many_steps; })) {
    // Rounds as short as possible: of the steps that take microseconds, the ratios are the noisiest.
    rounds *= cuts;
    for (Entry& entry : entries) entry.steps /= cuts;
  }
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t turn = 0; turn < entries.size(); ++turn) {
      Entry& entry =
          entries[(turn + static_cast<std::size_t>(round)) % entries.size()];  // nobody is always first
      entry.rounds.push_back(run(entry).step);
    }
  }
  std::vector<Result> results;
  for (const Entry& entry : entries) {
    results.push_back(summarise(workload, entry));
    try {
      add_memory(results.back(), *entry.runner);
    } catch (const std::exception& error) {
      warn(entry.runner->name, workload, error);
    }
  }
  for (const int threads : plan.threads) add_ratios(results, threads);
  return results;
}

/// Every name that some system offers, in the order in which the systems first list them.
std::vector<std::string> names(const std::vector<std::unique_ptr<Runner>>& runners) {
  std::vector<std::string> all;
  for (const auto& runner : runners)
    for (const std::string& name : runner->workloads)
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  return all;
}

}  // namespace

std::vector<Result> measure(const Plan& plan, void (*report)(const std::vector<Result>&)) {
  // All thread counts take part in the same rounds: two threads are compared with one within the run, too.
  std::vector<std::unique_ptr<Runner>> runners;
  for (const int threads : plan.threads)
    for (const System& system : plan.systems) runners.push_back(std::make_unique<Runner>(system, threads));
  std::vector<Result> all;
  for (const std::string& name : names(runners)) {
    const std::vector<Result> results = measure_workload(plan, runners, name);
    report(results);
    all.insert(all.end(), results.begin(), results.end());
  }
  return all;
}

}  // namespace bench
