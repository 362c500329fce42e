#include <xgrad/core/create.hpp>
#include <xgrad/ops/cumulative.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/levels.hpp"

// Positions, counts and running totals at every level of vector instructions, against plain loops, in sizes
// that leave remainders and that are cut into chunks.

using namespace xgrad;

namespace {

struct Case {
  std::int64_t rows, columns;
};
const Case cases[] = {{1, 1}, {3, 5}, {5, 3}, {17, 33}, {130, 67}, {301, 1030}, {2, 70'001}, {70'001, 2}};

/// Few different values, so that there are ties; with `special`, NaN, infinities and both zeros among them.
std::vector<double> values(std::int64_t n, bool special, unsigned seed) {
  const double inf = std::numeric_limits<double>::infinity();
  const double rare[] = {std::nan(""), inf, -inf, -0.0};
  std::vector<double> v;
  for (std::int64_t i = 0; i < n; ++i) {
    seed = seed * 1664525u + 1013904223u;
    const unsigned draw = seed >> 10;
    v.push_back(special && draw % 97 == 0 ? rare[draw / 97 % 4] : static_cast<double>(draw / 1000 % 5));
  }
  return v;
}

std::int64_t first_extreme(const std::vector<double>& v, bool largest) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < v.size(); ++i) {
    const bool beyond = largest ? v[i] > v[best] : v[i] < v[best];
    if (beyond || (std::isnan(v[i]) && !std::isnan(v[best]))) best = i;
  }
  return static_cast<std::int64_t>(best);
}

/// The rows, or the columns, of a matrix.
std::vector<std::vector<double>> lines(const std::vector<double>& v, const Case& c, int axis) {
  const std::int64_t count = axis == 1 ? c.rows : c.columns, length = axis == 1 ? c.columns : c.rows;
  std::vector<std::vector<double>> all;
  for (std::int64_t a = 0; a < count; ++a) {
    all.emplace_back();
    for (std::int64_t b = 0; b < length; ++b)
      all.back().push_back(v[static_cast<std::size_t>(axis == 1 ? a * c.columns + b : b * c.columns + a)]);
  }
  return all;
}

}  // namespace

TEST_CASE("positions, counts, any and all are those of a plain loop for every dtype and level") {
  test::LevelGuard guard;
  for (const kernels::Level level : test::levels()) {
    guard.set(level);
    for (const Case& c : cases) {
      for (const DType t : {float32, float64, int32, int64, uint8, bool_}) {
        const Tensor x =
            tensor(values(c.rows * c.columns, is_floating(t), 7), {c.rows, c.columns}, {.dtype = float64})
                .astype(t);
        const std::vector<double> v = x.to_vector<double>();
        for (const int axis : {0, 1}) {
          CAPTURE(kernels::name(level), x.shape().str(), static_cast<int>(t), axis);
          std::vector<std::int64_t> largest, smallest, counts;
          std::vector<bool> some, every;
          for (const auto& line : lines(v, c, axis)) {
            largest.push_back(first_extreme(line, true));
            smallest.push_back(first_extreme(line, false));
            counts.push_back(std::count_if(line.begin(), line.end(), [](double d) { return d != 0; }));
            some.push_back(counts.back() > 0);
            every.push_back(counts.back() == static_cast<std::int64_t>(line.size()));
          }
          CHECK(argmax(x, axis).to_vector<std::int64_t>() == largest);
          CHECK(argmin(x, axis).to_vector<std::int64_t>() == smallest);
          CHECK(count_nonzero(x, axis).to_vector<std::int64_t>() == counts);
          CHECK(any(x, axis).to_vector<bool>() == some);
          CHECK(all(x, axis).to_vector<bool>() == every);
        }
        CHECK(argmax(x).item<std::int64_t>() == first_extreme(v, true));
        CHECK(argmin(x).item<std::int64_t>() == first_extreme(v, false));
      }
    }
  }
}

TEST_CASE("any and all look at the last element of each row and column") {
  test::LevelGuard guard;
  for (const kernels::Level level : test::levels()) {
    guard.set(level);
    for (const Case& c : cases) {
      std::vector<double> v(static_cast<std::size_t>(c.rows * c.columns), 0);
      v.back() = 2;
      const Tensor one = tensor(v, {c.rows, c.columns}, {.dtype = float64});
      for (const DType t : {float32, uint8, bool_}) {
        CAPTURE(kernels::name(level), one.shape().str(), static_cast<int>(t));
        const Tensor x = one.astype(t), others = (one == 0).astype(t);
        CHECK(any(x).item<bool>());
        CHECK_FALSE(all(others).item<bool>());
        CHECK(count_nonzero(any(x, 0)).item<std::int64_t>() == 1);
        CHECK(count_nonzero(any(x, 1)).item<std::int64_t>() == 1);
        CHECK(count_nonzero(all(others, 0)).item<std::int64_t>() == c.columns - 1);
        CHECK(count_nonzero(all(others, 1)).item<std::int64_t>() == c.rows - 1);
      }
    }
  }
}

TEST_CASE("running totals are those of a plain loop in double, to the bit, along every axis") {
  test::LevelGuard guard;
  for (const kernels::Level level : test::levels()) {
    guard.set(level);
    for (const Case& c : cases) {
      for (const DType t : {float32, float64, int64}) {
        const Tensor x =
            tensor(values(c.rows * c.columns, is_floating(t), 3), {c.rows, c.columns}, {.dtype = float64})
                .astype(t);
        for (const int axis : {0, 1}) {
          CAPTURE(kernels::name(level), x.shape().str(), static_cast<int>(t), axis);
          std::vector<double> sums, products;
          for (const auto& line : lines(x.to_vector<double>(), c, axis)) {
            double sum = 0, product = 1;
            for (const double d : line) {
              sums.push_back(t == float32 ? static_cast<float>(sum += d) : sum += d);
              products.push_back(t == float32 ? static_cast<float>(product *= d) : product *= d);
            }
          }
          const auto same = [&](const Tensor& y, const std::vector<double>& want) {
            const std::vector<double> got = (axis == 1 ? y : y.T()).to_vector<double>();
            for (std::size_t i = 0; i < want.size(); ++i)
              if (got[i] != want[i] && !(std::isnan(got[i]) && std::isnan(want[i]))) return false;
            return got.size() == want.size();
          };
          CHECK(same(cumsum(x, axis), sums));
          if (t != int64) CHECK(same(cumprod(x, axis), products));
        }
      }
    }
  }
}
