#include <algorithm>
#include <xgrad/core/random.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/ops/kernels/parallel.hpp>
#include <xgrad/ops/shape.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;
using Catch::Matchers::Contains;

namespace {

using Ints = std::vector<std::int64_t>;

data::Dataset numbers(std::int64_t n, std::int64_t width = 3) {
  return {arange(n * width).reshape({n, width}), arange(n)};
}

/// The targets, which are the samples' numbers, of one epoch.
Ints order(data::DataLoader& loader, std::uint64_t epoch) {
  Ints all;
  data::Batch batch;
  loader.start(epoch);
  while (loader.next(batch))
    for (const std::int64_t i : batch.y.to_vector<std::int64_t>()) all.push_back(i);
  return all;
}

Ints sorted(Ints v) {
  std::sort(v.begin(), v.end());
  return v;
}

Ints upto(std::int64_t n) { return arange(n).to_vector<std::int64_t>(); }

}  // namespace

TEST_CASE("a loader in order gives views of the data and a smaller last batch") {
  const data::Dataset set = numbers(10);
  data::DataLoader loader(set, {.batch_size = 4});
  CHECK(loader.size() == 3);
  CHECK(loader.samples() == 10);
  Ints sizes;
  for (const auto& [x, y, weight] : loader) {
    sizes.push_back(x.size(0));
    CHECK(x.array().shares_storage_with(set.x.array()));
    CHECK_FALSE(weight.defined());
  }
  CHECK(sizes == Ints{4, 4, 2});
  CHECK(order(loader, 3) == upto(10));
}

TEST_CASE("drop_last leaves the smaller batch out") {
  data::DataLoader loader(numbers(10), {.batch_size = 4, .drop_last = true});
  CHECK(loader.size() == 2);
  CHECK(loader.samples() == 8);
  CHECK(order(loader, 0) == upto(8));
}

TEST_CASE("a shuffled epoch has every sample once, with its target") {
  data::DataLoader loader(numbers(101), {.batch_size = 8, .shuffle = true, .seed = 1});
  Ints seen;
  for (const auto& [x, y, weight] : loader) {
    const auto rows = x.to_vector<std::int64_t>(), targets = y.to_vector<std::int64_t>();
    for (std::size_t i = 0; i < targets.size(); ++i) {
      CHECK(Ints(rows.begin() + static_cast<std::ptrdiff_t>(3 * i),
                 rows.begin() + static_cast<std::ptrdiff_t>(3 * i + 3)) ==
            Ints{3 * targets[i], 3 * targets[i] + 1, 3 * targets[i] + 2});
      seen.push_back(targets[i]);
    }
  }
  CHECK(seen != upto(101));
  CHECK(sorted(seen) == upto(101));
}

TEST_CASE("the order follows from seed and epoch alone") {
  data::DataLoader a(numbers(50), {.shuffle = true, .seed = 7}), b(numbers(50), {.shuffle = true, .seed = 7});
  data::DataLoader c(numbers(50), {.shuffle = true, .seed = 8});
  const Ints first = order(a, 0), second = order(a, 1);
  CHECK(first != second);
  CHECK(order(b, 1) == second);  // without having been through epoch 0
  CHECK(order(a, 0) == first);
  CHECK(order(c, 0) != first);
}

TEST_CASE("each loop over a loader is the next epoch") {
  data::DataLoader loader(numbers(50), {.batch_size = 50, .shuffle = true, .seed = 7});
  Ints first, second;
  for (const auto& batch : loader) first = batch.y.to_vector<std::int64_t>();
  for (const auto& batch : loader) second = batch.y.to_vector<std::int64_t>();
  CHECK(first == order(loader, 0));
  CHECK(second == order(loader, 1));
}

TEST_CASE("without a seed the thread's generator decides") {
  const auto shuffled = [](std::uint64_t seed) {
    manual_seed(seed);
    data::DataLoader loader(numbers(50), {.shuffle = true});
    return order(loader, 0);
  };
  CHECK(shuffled(3) == shuffled(3));
  CHECK(shuffled(3) != shuffled(4));
}

TEST_CASE("batches are the same for any number of threads") {
  const int before = kernels::num_threads();
  const auto batches = [](int threads) {
    kernels::set_num_threads(threads);
    data::DataLoader loader(numbers(300, 2000), {.batch_size = 128, .shuffle = true, .seed = 2});
    std::vector<std::int64_t> all;
    for (const auto& batch : loader)
      for (const std::int64_t v : batch.x.to_vector<std::int64_t>()) all.push_back(v);
    return all;
  };
  const auto one = batches(1);
  CHECK(batches(2) == one);
  CHECK(batches(8) == one);
  kernels::set_num_threads(before);
}

TEST_CASE("rows of every length and dtype are gathered, from data of any strides") {
  for (const DType t : {float32, float64, int32, uint8})
    for (const std::int64_t width : {1, 2, 3, 8, 1000}) {
      const Tensor x = arange(7 * width).reshape({width, 7}).T().astype(t);  // not row-major
      data::DataLoader loader({x, arange(7)}, {.batch_size = 3, .shuffle = true, .seed = 4});
      const auto all = x.array().to_vector<double>();
      for (const auto& batch : loader) {
        const auto got = batch.x.to_vector<double>();
        const auto row = batch.y.to_vector<std::int64_t>();
        std::vector<double> want;
        for (const std::int64_t i : row)
          want.insert(want.end(), all.begin() + i * width, all.begin() + (i + 1) * width);
        CHECK(got == want);
      }
    }
}

TEST_CASE("batches after the first ask the system for no memory") {
  data::DataLoader loader(numbers(256, 500), {.batch_size = 32, .shuffle = true, .seed = 1});
  data::Batch batch;
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
    loader.start(epoch);
    while (loader.next(batch)) continue;
  }
  const std::int64_t before = memory_stats().system_calls;
  for (std::uint64_t epoch = 2; epoch < 10; ++epoch) {
    loader.start(epoch);
    while (loader.next(batch)) continue;
  }
  CHECK((XGRAD_POOL_IS_SYSTEM || memory_stats().system_calls == before));
}

TEST_CASE("a loader refuses what makes no batch") {
  CHECK_THROWS_AS(data::DataLoader(numbers(4), {.batch_size = 0}), ValueError);
  CHECK_THROWS_WITH(data::DataLoader(numbers(4), {.batch_size = -1}), Contains("batch_size is -1"));
  CHECK_THROWS_WITH(data::DataLoader(numbers(4), {.batch_size = 5, .drop_last = true}),
                    Contains("4 samples make no whole batch of 5"));
  CHECK_THROWS_AS(data::DataLoader({zeros({4, 1}), zeros({5})}), ShapeError);
  CHECK_THROWS_AS(data::DataLoader({}), ValueError);
}
