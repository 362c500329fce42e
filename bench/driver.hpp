#pragma once

#include <optional>
#include <regex>
#include <string>
#include <vector>

namespace bench {

/// How to start a system: `command` and then the number of threads.
struct System {
  std::string name;
  std::vector<std::string> command;
};

struct Plan {
  std::vector<System> systems;
  std::vector<int> threads{1, 2};
  std::regex only{""};          ///< names that contain a match
  bool targets_only = false;    ///< only what the table of targets needs
  int rounds = 9;               ///< four times as many, a quarter as long, where every step is short
  double round_seconds = 0.05;  ///< how long each system runs in a round
};

/// One line of bench.json: a workload on one system with one number of threads.
struct Result {
  std::string workload;
  int threads = 1;
  std::string system;
  std::vector<double> rounds;                 ///< seconds of one step (one op in the chain) in each
  double seconds = 0;                         ///< their median
  double spread = 0;                          ///< interquartile range over the median
  std::optional<double> ratio;                ///< to the fastest peer: median over the rounds
  std::optional<double> floor;                ///< seconds of the floor in the same run
  std::optional<double> over_floor;           ///< ratio to the floor: median over the rounds
  std::optional<double> allocations;          ///< system allocations per step, made by the system itself
  std::optional<double> library_allocations;  ///< those made by libraries under it (oneDNN, BLAS, OpenMP)
  std::optional<double> peak_bytes;           ///< peak of the heap within a step
  std::string note;                           ///< the mode a peer was fastest in; where allocations came from
};

inline bool is_peer(const std::string& system) { return system != "xgrad" && system != "floor"; }

/// Runs every workload that a system offers, systems and thread counts in turn within each round, and calls
/// `report` with the results of each workload as soon as they are there. Returns all of them.
std::vector<Result> measure(const Plan& plan, void (*report)(const std::vector<Result>&));

}  // namespace bench
