#include <xgrad/ops/kernels/dual.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/support/levels.hpp"

using namespace xgrad;
using kernels::in;
using kernels::Level;
using kernels::out;
using kernels::outs;
using test::levels;

namespace {

std::vector<float> ramp(std::int64_t n) {
  std::vector<float> x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.37f * static_cast<float>(i) - 5.0f;
  return x;
}

constexpr float untouched = -77.0f;

/// A function that asks to be computed on so many packs side by side.
template <int packs>
struct Affine {
  static constexpr int unroll = packs;
  template <class P>
  XGRAD_SIMD_INLINE P operator()(const P& a) const {
    return a * 2 + 1;
  }
};

template <class F>
void check_every_length(const F& f) {
  for (const Level level : levels()) {
    for (std::int64_t n = 0; n < 140; ++n) {
      CAPTURE(kernels::name(level), n);
      const std::vector<float> x = ramp(n);
      std::vector<float> y(x.size() + 1, untouched);
      kernels::map_at(level, f, 1, n, out(y.data()), in(x.data()));
      for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(y[i] == std::fma(x[i], 2.0f, 1.0f));
      REQUIRE(y.back() == untouched);
    }
  }
}

}  // namespace

TEST_CASE("map writes every element and none behind the last, whatever the length") {
  check_every_length([](auto a) { return a * 2 + 1; });
  check_every_length(Affine<2>{});
  check_every_length(Affine<4>{});
}

TEST_CASE("an element's bits do not depend on where a chunk begins") {
  const std::int64_t n = 200;
  const std::vector<float> x = ramp(n);
  const auto f = [](auto a) { return tanh(a) * exp(a * 0.1f); };
  for (const Level level : levels()) {
    std::vector<float> whole(x.size()), parts(x.size());
    kernels::map_at(level, f, 1, n, out(whole.data()), in(x.data()));
    for (std::int64_t begin = 0, size = 1; begin < n; begin += size, size = size % 23 + 1) {
      kernels::map_at(level, f, 1, std::min(size, n - begin), out(parts.data() + begin),
                      in(x.data() + begin));
    }
    REQUIRE(std::memcmp(whole.data(), parts.data(), x.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("map broadcasts an operand of stride 0, gathers other strides and writes strided results") {
  const std::vector<float> x = ramp(3000);
  for (const Level level : levels()) {
    std::vector<float> y(2 * 1000, untouched);
    kernels::map_at(
        level, [](auto a, auto b, auto c) { return a * b - c; }, 1, 1000, out(y.data(), 2), in(&x[7], 0),
        in(x.data(), 3), in(&x[1000], -1));
    for (std::size_t i = 0; i < 1000; ++i) {
      REQUIRE(y[2 * i] == Approx(x[7] * x[3 * i] - x[1000 - i]).epsilon(1e-6));
      REQUIRE(y[2 * i + 1] == untouched);
    }
  }
}

TEST_CASE("map_lists runs over rows that lie anywhere, of any lengths") {
  struct Row {
    std::int64_t begin, length;
  };
  const std::vector<Row> rows{{200, 1}, {3, 0}, {101, 33}, {0, 8}, {8, 70}, {90, 7}};
  const std::vector<float> x = ramp(210), z = ramp(211);
  const auto f = [](auto a, auto b) { return simd::several(a * b - a, a + b); };
  for (const Level level : levels()) {
    CAPTURE(kernels::name(level));
    std::vector<float> sums(210, untouched), ys = x, expected_sums = sums, expected_ys = x;
    float* const out[] = {ys.data(), sums.data()};
    kernels::map_lists(
        level, f, static_cast<std::int64_t>(rows.size()),
        [list = rows.data()](std::int64_t r) XGRAD_SIMD_LAMBDA { return list[r]; },
        kernels::list_out<float, 2>([out](std::size_t k, const Row& row)
                                        XGRAD_SIMD_LAMBDA { return out[k] + row.begin; }),
        kernels::list_in<float>([p = ys.data()](const Row& row) XGRAD_SIMD_LAMBDA { return p + row.begin; }),
        kernels::list_in<float>([p = z.data()](const Row& row)
                                    XGRAD_SIMD_LAMBDA { return p + row.begin + 1; }));
    for (const Row& row : rows)
      kernels::map_at(level, f, 1, row.length,
                      outs(expected_ys.data() + row.begin, expected_sums.data() + row.begin),
                      in(expected_ys.data() + row.begin), in(z.data() + row.begin + 1));
    REQUIRE(ys == expected_ys);
    REQUIRE(sums == expected_sums);
  }
}

TEST_CASE("map_rows broadcasts rows and columns") {
  const std::int64_t rows = 5, cols = 21;
  const std::vector<float> a = ramp(rows * cols), bias = ramp(cols), column = ramp(rows);
  for (const Level level : levels()) {
    std::vector<float> y(a.size());
    kernels::map_at(
        level, [](auto p, auto q, auto r) { return (p + q) + r; }, rows, cols, out(y.data(), 1, cols),
        in(a.data(), 1, cols), in(bias.data(), 1, 0), in(column.data(), 0, 1));
    for (std::size_t i = 0; i < a.size(); ++i) REQUIRE(y[i] == (a[i] + bias[i % 21]) + column[i / 21]);
  }
}

TEST_CASE("an output may be one of the inputs") {
  for (const Level level : levels()) {
    std::vector<float> x = ramp(37);
    const std::vector<float> before = x;
    kernels::map_at(
        level, [](auto a) { return -a; }, 1, 37, out(x.data()), in(static_cast<const float*>(x.data())));
    for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(x[i] == -before[i]);
  }
}

TEST_CASE("comparisons write bools and bools come in as masks") {
  const std::int64_t n = 83;
  const std::vector<float> x = ramp(n);
  const std::vector<double> d(x.begin(), x.end());
  for (const Level level : levels()) {
    CAPTURE(kernels::name(level));
    bool flags[83], inverse[83], nonzero[83];
    kernels::map_at(
        level, [](auto a) { return a > 1; }, 1, n, out(flags), in(x.data()));
    kernels::map_at(
        level, [](auto m) { return !m; }, 1, n, out(inverse), in(static_cast<const bool*>(flags)));
    kernels::map_at(
        level, [](auto a) { return floor(a * 0.2f); }, 1, n, out(nonzero), in(x.data()));
    std::vector<double> chosen(x.size());
    kernels::map_at(
        level, [](auto m, auto a, auto b) { return select(m, a, simd::cast<double>(b)); }, 1, n,
        out(chosen.data()), in(static_cast<const bool*>(flags)), in(d.data()), in(x.data()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      unsigned char raw = 0;
      std::memcpy(&raw, &flags[i], 1);
      REQUIRE(raw == (x[i] > 1 ? 1 : 0));
      REQUIRE(inverse[i] == !flags[i]);
      REQUIRE(nonzero[i] == (std::floor(x[i] * 0.2f) != 0));
      REQUIRE(chosen[i] == d[i]);
    }
  }
}

TEMPLATE_TEST_CASE("a result is converted to the type of the output", "", float, double, std::int32_t,
                   std::int64_t, std::uint8_t) {
  const std::int64_t n = 75;
  std::vector<TestType> x(75);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<TestType>(i);
  const auto same = [](auto a) { return a; };
  for (const Level level : levels()) {
    CAPTURE(kernels::name(level));
    std::vector<float> f(75);
    std::vector<double> d(75);
    std::vector<std::int32_t> i32(75);
    std::vector<std::int64_t> i64(75);
    std::vector<std::uint8_t> u8(75);
    const auto from = in(static_cast<const TestType*>(x.data()));
    kernels::map_at(level, same, 1, n, out(f.data()), from);
    kernels::map_at(level, same, 1, n, out(d.data()), from);
    kernels::map_at(level, same, 1, n, out(i32.data()), from);
    kernels::map_at(level, same, 1, n, out(i64.data()), from);
    kernels::map_at(level, same, 1, n, out(u8.data()), from);
    for (std::size_t i = 0; i < x.size(); ++i) {
      REQUIRE(f[i] == static_cast<float>(i));
      REQUIRE(d[i] == static_cast<double>(i));
      REQUIRE(i32[i] == static_cast<std::int32_t>(i));
      REQUIRE(i64[i] == static_cast<std::int64_t>(i));
      REQUIRE(u8[i] == i);
    }
  }
}

TEST_CASE("an integer division does not trap in the lanes behind the last element") {
  const std::vector<std::int32_t> a = {7, -9, 5}, b = {2, 4, 5};
  for (const Level level : levels()) {
    std::vector<std::int32_t> q(3);
    kernels::map_at(
        level, [](auto x, auto y) { return x / y; }, 1, 3, out(q.data()), in(a.data()), in(b.data()));
    REQUIRE(q == std::vector<std::int32_t>{3, -2, 1});
  }
}

TEST_CASE("several results come from one pass") {
  const std::vector<float> x = ramp(50);
  for (const Level level : levels()) {
    std::vector<float> s(50), d(50);
    kernels::map_at(
        level, [](auto a, auto b) { return simd::several(a + b, a - b); }, 1, 50, outs(s.data(), d.data()),
        in(x.data()), in(&x[3], 0));
    for (std::size_t i = 0; i < x.size(); ++i) {
      REQUIRE(s[i] == x[i] + x[3]);
      REQUIRE(d[i] == x[i] - x[3]);
    }
  }
}

TEST_CASE("lanes are summed and compared within a register") {
  const std::vector<float> x = ramp(16);
  for (const Level level : levels()) {
    kernels::vectorized_at(level, [&](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<float, bytes / 4>;
      const P p = P::load(x.data());
      float sum = 0;
      for (int i = 0; i < P::width; ++i) sum += x[static_cast<std::size_t>(i)];
      REQUIRE(sum_lanes(p) == Approx(sum));
      REQUIRE(max_lanes(p) == x[P::width - 1]);
      REQUIRE(min_lanes(p) == x[0]);
      REQUIRE(any(p == x[1]));
      REQUIRE_FALSE(any(p == 99));
      REQUIRE(all(p < 99));
      REQUIRE_FALSE(all(p < x[1]));
    });
  }
}
