#include <unistd.h>

#include <cstdio>
#include <xgrad/xgrad.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

/// Bytes of memory that the process occupies.
long resident() {
  long pages = 0, of_these = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  REQUIRE(file != nullptr);
  const int read = std::fscanf(file, "%ld %ld", &pages, &of_these);
  std::fclose(file);
  REQUIRE(read == 2);
  return of_these * sysconf(_SC_PAGESIZE);
}

struct Mlp {
  nn::Linear first{128, 256}, second{256, 256}, out{256, 10};
  Tensor operator()(const Tensor& x) const { return out(relu(second(relu(first(x))))); }
};

}  // namespace

TEST_CASE("from step 100 to step 10,000 training with varying batch sizes grows by at most 256 KiB") {
  manual_seed(1);
  const Mlp model;
  optim::Adam adam(nn::parameters(model));
  const std::vector<std::int64_t> sizes = randint(1, 129, {10'000}).to_vector<std::int64_t>();
  long at_100 = 0;
  for (std::size_t step = 1; step <= sizes.size(); ++step) {
    const std::int64_t n = sizes[step - 1];
    loss::cross_entropy(model(rand({n, 128})), randint(0, 10, {n})).backward();
    adam.step({.zero_grad = true});
    if (step == 100) at_100 = resident();
  }
  const long grown = resident() - at_100;
  std::printf("resident memory: %ld KiB at step 100, %ld KiB more at step 10,000\n", at_100 / 1024,
              grown / 1024);
  CHECK(grown <= 256 * 1024);
}
