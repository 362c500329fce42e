#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// One timed workload of one system. `make(threads)` builds the model and its batches and returns a callable
/// that runs one step (or `steps` of them); the callable owns everything it needs. Peers, floors and xgrad
/// all register this struct, so one driver times them all.
struct Workload {
  std::string name;                                        ///< as in the table: "xor", "mlp_b128", "op_exp"
  std::string system;                                      ///< "xgrad", "floor" or the peer's name
  std::function<std::function<void()>(int threads)> make;  ///< never called twice in the same run of steps
  double units = 1;        ///< seconds are given per unit of a step: a chain has 1000 ops
  int steps = 1;           ///< in one call of what `make` returns: `fit` takes many
  bool in_process = true;  ///< false if it starts programs, whose memory nobody here can count
};

inline std::vector<Workload>& workloads() {
  static std::vector<Workload> all;
  return all;
}

/// Adds workloads before main: `static const Register chain{{"chain", "xgrad", make_chain, 1000}};`
struct Register {
  Register(std::initializer_list<Workload> list) {
    for (const Workload& workload : list) workloads().push_back(workload);
  }
};

}  // namespace bench
