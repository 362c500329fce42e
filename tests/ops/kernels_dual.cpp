#include <xgrad/ops/kernels/dual.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/levels.hpp"

using namespace xgrad;

namespace {

/// The derivative at every level of `f` on duals of packs, which map_grad runs.
template <class T, class F>
std::vector<std::vector<T>> derivatives(F f, const std::vector<T>& x) {
  std::vector<std::vector<T>> all;
  const std::vector<T> dy(x.size(), T(2));
  test::LevelGuard guard;
  for (const kernels::Level level : test::levels()) {
    guard.set(level);
    std::vector<T> g(x.size());
    kernels::map_grad(f, static_cast<std::int64_t>(x.size()), kernels::outs(g.data()), dy.data(), x.data());
    all.push_back(g);
  }
  return all;
}

/// Against central differences, of fourth order, of the same function in double.
template <class F>
void check_slope(const char* name, F f, double low, double high) {
  std::vector<double> x;
  for (int i = 0; i < 37; ++i) x.push_back(low + (high - low) * i / 36.0);
  for (const std::vector<double>& g : derivatives(f, x)) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto value = [&](double offset) { return f(simd::Dual<double, 1>(x[i] + offset)).v; };
      const double h = 1e-3;
      const double slope = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
      CAPTURE(name, x[i]);
      CHECK(g[i] == Approx(2 * slope).epsilon(1e-7).margin(1e-8));
    }
  }
}

#define XGRAD_CHECK_SLOPE(name, low, high) \
  check_slope(                             \
      #name, [](auto x) { return name(x); }, low, high)

}  // namespace

TEST_CASE("derivatives of the vocabulary are those of central differences") {
  XGRAD_CHECK_SLOPE(exp, -3, 3);
  XGRAD_CHECK_SLOPE(expm1, -3, 3);
  XGRAD_CHECK_SLOPE(log, 0.2, 5);
  XGRAD_CHECK_SLOPE(log1p, -0.8, 5);
  XGRAD_CHECK_SLOPE(log2, 0.2, 5);
  XGRAD_CHECK_SLOPE(log10, 0.2, 5);
  XGRAD_CHECK_SLOPE(sqrt, 0.2, 5);
  XGRAD_CHECK_SLOPE(rsqrt, 0.2, 5);
  XGRAD_CHECK_SLOPE(square, -3, 3);
  XGRAD_CHECK_SLOPE(reciprocal, 0.5, 3);
  XGRAD_CHECK_SLOPE(sin, -3, 3);
  XGRAD_CHECK_SLOPE(cos, -3, 3);
  XGRAD_CHECK_SLOPE(tan, -1, 1);
  XGRAD_CHECK_SLOPE(asin, -0.9, 0.9);
  XGRAD_CHECK_SLOPE(acos, -0.9, 0.9);
  XGRAD_CHECK_SLOPE(atan, -3, 3);
  XGRAD_CHECK_SLOPE(sinh, -3, 3);
  XGRAD_CHECK_SLOPE(cosh, -3, 3);
  XGRAD_CHECK_SLOPE(tanh, -3, 3);
  XGRAD_CHECK_SLOPE(asinh, -3, 3);
  XGRAD_CHECK_SLOPE(acosh, 1.2, 3);
  XGRAD_CHECK_SLOPE(atanh, -0.9, 0.9);
  XGRAD_CHECK_SLOPE(sigmoid, -5, 5);
  XGRAD_CHECK_SLOPE(log_sigmoid, -5, 5);
  XGRAD_CHECK_SLOPE(softplus, -5, 5);
  XGRAD_CHECK_SLOPE(erf, -3, 3);
  XGRAD_CHECK_SLOPE(erfc, -3, 3);
  XGRAD_CHECK_SLOPE(abs, 0.1, 3);
  XGRAD_CHECK_SLOPE(relu, 0.1, 3);
  XGRAD_CHECK_SLOPE(floor, 0.1, 0.9);
}

TEST_CASE("arithmetic and functions of two arguments differentiate") {
  check_slope(
      "quotient", [](auto x) { return (x * x - 3.0 * x + 1.0) / (2.0 + x * x) - 1.0 / (x + 9.0) + x / 4.0; },
      -3, 3);
  check_slope(
      "power of x", [](auto x) { return pow(x, 2.5); }, 0.2, 3);
  check_slope(
      "square of x", [](auto x) { return pow(x, 2); }, -3, 3);
  check_slope(
      "x to the x", [](auto x) { return pow(x, x); }, 0.2, 3);
  check_slope(
      "angle", [](auto x) { return atan2(x, x * x + 1.0); }, -3, 3);
  check_slope(
      "selection", [](auto x) { return select(x > 10.0, x, x * x); }, -3, 3);
  check_slope(
      "maximum", [](auto x) { return maximum(x * x, 3.0 * x); }, -2, -0.1);
  check_slope(
      "minimum", [](auto x) { return minimum(x * x, 3.0 * x); }, -2, -0.1);
  check_slope(
      "compound",
      [](auto x) {
        auto y = x;
        y *= x;
        y += 1.0;
        y -= x;
        y /= x + 5.0;
        return -y;
      },
      -2, 2);
}

TEST_CASE("one pass gives the partial derivatives in every input") {
  const std::vector<float> a = {1, 2, 3, 4, 5}, b = {0.5f, -1, 2, 0, 1}, c = {3, 3, 3, 3, 3},
                           dy = {1, 2, 1, 2, 1};
  std::vector<float> da(5), db(5), dc(5);
  kernels::map_grad([](auto x, auto y, auto z) { return x * y + z * z; }, 5,
                    kernels::outs(da.data(), db.data(), dc.data()), dy.data(), a.data(), b.data(),
                    kernels::in(c.data(), 0));
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(da[i] == dy[i] * b[i]);
    CHECK(db[i] == dy[i] * a[i]);
    CHECK(dc[i] == dy[i] * 6);
  }
}

TEST_CASE("at kinks the derivative is PyTorch's") {
  const auto at_zero = [](auto f) { return derivatives<float>(f, {0.0f}); };
  for (const auto& g : at_zero([](auto x) { return relu(x); })) CHECK(g[0] == 0);
  for (const auto& g : at_zero([](auto x) { return abs(x); })) CHECK(g[0] == 0);
  for (const auto& g : at_zero([](auto x) { return sign(x); })) CHECK(g[0] == 0);
  for (const auto& g : at_zero([](auto x) { return maximum(x, -x * 3.0f); })) CHECK(g[0] == -2);
  for (const auto& g : at_zero([](auto x) { return minimum(x, 0.0f); })) CHECK(g[0] == 1);
  for (const auto& g : at_zero([](auto x) { return clip(x, 0.0f, 1.0f); })) CHECK(g[0] == 2);
  for (const auto& g : at_zero([](auto x) { return pow(x, 0.0f); })) CHECK(g[0] == 0);
  for (const auto& g : at_zero([](auto x) { return pow(x, 1.0f); })) CHECK(g[0] == 2);
}

TEST_CASE("a dual of plain numbers differentiates a scalar function") {
  const auto x = simd::Dual<double, 2>::variable(2.0, 0), y = simd::Dual<double, 2>::variable(3.0, 1);
  const auto z = sin(x * y) + x / y;
  CHECK(z.v == Approx(std::sin(6.0) + 2.0 / 3.0));
  CHECK(z.d[0] == Approx(3 * std::cos(6.0) + 1.0 / 3.0));
  CHECK(z.d[1] == Approx(2 * std::cos(6.0) - 2.0 / 9.0));
}
