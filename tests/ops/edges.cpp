#include <cmath>
#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/reduce.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

// Where a function has no derivative, or an infinite one, ops/elementwise.hpp and ops/activation.hpp say
// which value stands for it. They are PyTorch's choices (torch 2.13, checked there by hand), and both kinds
// of sweep make them.

namespace {

using Values = std::vector<double>;

/// The same to the rounding of a logarithm; NaN is the same as NaN.
bool same(const Values& a, const Values& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
    return x == y || std::abs(x - y) <= 1e-15 * std::abs(y) || (std::isnan(x) && std::isnan(y));
  });
}

/// d Σ f(x) / dx at each of the points.
template <class F>
void check_slope(const F& f, const Values& at, const Values& expected) {
  const Tensor x = tensor(at, {.dtype = float64, .requires_grad = true});
  sum(f(x)).backward();
  INFO("expected " << Catch::Detail::stringify(expected));
  INFO("unrecorded " << Catch::Detail::stringify(x.grad().to_vector<double>()));
  CHECK(same(x.grad().to_vector<double>(), expected));
  const Tensor recorded = grad(sum(f(x)), x, {.create_graph = true});
  INFO("recorded " << Catch::Detail::stringify(recorded.to_vector<double>()));
  CHECK(same(recorded.to_vector<double>(), expected));
}

/// d f / dx and d f / dy at the point (x, y).
template <class F>
void check_slopes(const F& f, double at_x, double at_y, const Values& expected) {
  const TensorOptions trained{.dtype = float64, .requires_grad = true};
  const Tensor x = tensor(at_x, trained), y = tensor(at_y, trained);
  INFO("at " << at_x << ", " << at_y << ": expected " << Catch::Detail::stringify(expected));
  f(x, y).backward();
  const Values unrecorded = {x.grad().item(), y.grad().item()};
  INFO("unrecorded " << Catch::Detail::stringify(unrecorded));
  CHECK(same(unrecorded, expected));
  const std::vector<Tensor> g = grad(f(x, y), {x, y}, {.create_graph = true});
  const Values recorded = {g[0].item(), g[1].item()};
  INFO("recorded " << Catch::Detail::stringify(recorded));
  CHECK(same(recorded, expected));
}

/// d² Σ f(x) / dx² at each of the points.
template <class F>
Values curvature(const F& f, const Values& at) {
  const Tensor x = tensor(at, {.dtype = float64, .requires_grad = true});
  const Tensor slope = grad(sum(f(x)), x, {.create_graph = true});
  return grad(sum(slope + 0 * x), x)
      .to_vector<double>();  // a slope may be constant: 0 x makes it depend on x
}

const auto power = [](const Tensor& x, const Tensor& y) { return pow(x, y); };

}  // namespace

TEST_CASE("where gives the branch that it did not take a gradient of exactly 0") {
  const Tensor condition = tensor({true, false});
  const Values infinite = {INFINITY, INFINITY};
  check_slope([&](const Tensor& x) { return where(condition, x, INFINITY); }, {1, 1}, {1, 0});
  check_slope([&](const Tensor& x) { return where(condition, -INFINITY, x); }, infinite, {0, 1});
}

TEST_CASE("what stands in a branch not taken still meets that 0 with its own derivative") {
  // log has 1 / x: 0 times infinity at 0, a plain 0 below.
  check_slope([](const Tensor& x) { return where(x > 0, log(x), 0.0); }, {2, 0, -1}, {0.5, NAN, 0});
  // sqrt has 1 / (2 √x): infinite at 0, NaN below.
  check_slope([](const Tensor& x) { return where(x > 0, sqrt(x), 0.0); }, {4, 0, -1}, {0.25, NAN, NAN});
}

TEST_CASE("a where inside, which gives the function a harmless argument, keeps the NaN out") {
  const auto safe = [](const Tensor& x) { return where(x > 0, x, 1.0); };
  check_slope([&](const Tensor& x) { return where(x > 0, log(safe(x)), 0.0); }, {2, 0, -1}, {0.5, 0, 0});
  check_slope([&](const Tensor& x) { return where(x > 0, sqrt(safe(x)), 0.0); }, {4, 0, -1}, {0.25, 0, 0});
  CHECK(same(curvature([&](const Tensor& x) { return where(x > 0, log(safe(x)), 0.0); }, {2, 0, -1}),
             {-0.25, 0, 0}));
}

TEST_CASE("pow is constant in the base where the exponent is 0") {
  check_slopes(power, 0, 0, {0, 0});
  check_slopes(power, 3, 0, {0, std::log(3.0)});
  check_slopes(power, -2, 0, {0, NAN});
}

TEST_CASE("pow is constant in the exponent where the base is 0 and the exponent is not negative") {
  check_slopes(power, 0, 2, {0, 0});
  check_slopes(power, 0, 1, {1, 0});
  check_slopes(power, 0, 0.5, {INFINITY, 0});
  check_slopes(power, 0, -1, {-INFINITY, -INFINITY});
}

TEST_CASE("pow of a negative base has a gradient in the base, and none in the exponent: NaN") {
  check_slopes(power, -2, 2, {-4, NAN});
  check_slopes(power, -2, 3, {12, NAN});
  check_slopes(power, -2, 0.5, {NAN, NAN});
}

TEST_CASE("pow with a number as exponent has its derivatives at 0 and below") {
  const auto squared = [](const Tensor& x) { return pow(x, 2); };
  check_slope(squared, {0, -3}, {0, -6});
  CHECK(same(curvature(squared, {0, -3}), {2, 2}));
  check_slope([](const Tensor& x) { return pow(x, 0); }, {0, -3}, {0, 0});
  check_slope([](const Tensor& x) { return pow(x, 0.5); }, {0, -3}, {INFINITY, NAN});
}

TEST_CASE("the gradient of sqrt at 0 is infinite, at -0 negative, and below 0 NaN") {
  check_slope([](const Tensor& x) { return sqrt(x); }, {0, -0.0, -1}, {INFINITY, -INFINITY, NAN});
}

TEST_CASE("of two equal numbers each gets half the gradient of maximum and minimum") {
  const auto larger = [](const Tensor& a, const Tensor& b) { return maximum(a, b); };
  const auto smaller = [](const Tensor& a, const Tensor& b) { return minimum(a, b); };
  for (const auto& f : {+larger, +smaller}) {
    check_slopes(f, 2, 2, {0.5, 0.5});
    check_slopes(f, 0.0, -0.0, {0.5, 0.5});
    check_slopes(f, INFINITY, INFINITY, {0.5, 0.5});
  }
  check_slopes(larger, 2, 3, {0, 1});
  check_slopes(smaller, 2, 3, {1, 0});
  check_slope([](const Tensor& x) { return maximum(x, x); }, {2}, {1});
  check_slope([](const Tensor& x) { return maximum(x, 0.0); }, {-1, 0, 1}, {0, 0.5, 1});
}

TEST_CASE("the gradient of abs at 0 is 0") {
  const auto f = [](const Tensor& x) { return abs(x); };
  check_slope(f, {-2, -0.0, 0, 2}, {-1, 0, 0, 1});
  CHECK(same(curvature(f, {-2, 0, 2}), {0, 0, 0}));
}

TEST_CASE("the gradient of relu at 0 is 0, and of leaky_relu the slope") {
  const auto f = [](const Tensor& x) { return relu(x); };
  check_slope(f, {-2, -0.0, 0, 2}, {0, 0, 0, 1});
  CHECK(same(curvature(f, {-2, 0, 2}), {0, 0, 0}));
  check_slope([](const Tensor& x) { return leaky_relu(x, 0.25); }, {-2, 0, 2}, {0.25, 0.25, 1});
}

TEST_CASE("on its limits the gradient of clip is 1, and that of hardtanh 0") {
  const auto clipped = [](const Tensor& x) { return clip(x, -1, 2); };
  const auto tanh_like = [](const Tensor& x) { return hardtanh(x, -1, 2); };
  check_slope(clipped, {-3, -1, 0, 2, 3}, {0, 1, 1, 1, 0});
  check_slope(tanh_like, {-3, -1, 0, 2, 3}, {0, 0, 1, 0, 0});
  CHECK(same(curvature(clipped, {-3, -1, 0, 2, 3}), {0, 0, 0, 0, 0}));
  CHECK(same(curvature(tanh_like, {-3, -1, 0, 2, 3}), {0, 0, 0, 0, 0}));
}
