// Runs a workload of xgrad's for callgrind, which counts what happens within `counted_steps` (check.py).
// Prints what the count depends on and the number of steps: "gnu-12 v3 100".
#include <xgrad/ops/kernels/level.hpp>

#include <cstdio>
#include <string_view>

#include "workload.hpp"

namespace {
constexpr int steps_before = 100, steps = 100;
}

extern "C" [[gnu::noinline, gnu::used]] void counted_steps(const std::function<void()>& step) {
  for (int i = 0; i < steps; ++i) step();
}

int main(int argc, char** argv) {
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  for (const bench::Workload& workload : bench::workloads()) {
    if (workload.system != "xgrad" || workload.name != wanted) continue;
    const std::function<void()> step = workload.make(1);
    for (int i = 0; i < steps_before; ++i) step();
    counted_steps(step);
    std::printf("%s %s %d\n", XGRAD_BUILD, name(xgrad::kernels::level()), steps);
    return 0;
  }
  std::fprintf(stderr, "usage: count WORKLOAD\n");
  return 2;
}
