#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/reduce.hpp>

#include <cmath>
#include <limits>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const TensorOptions f64{.dtype = float64};
const TensorOptions leaf64{.dtype = float64, .requires_grad = true};
using Values = std::vector<double>;

}  // namespace

TEST_CASE("reductions take any axes and keep them when asked") {
  const Tensor x = tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}, f64);
  CHECK(x.sum().item() == 36);
  CHECK(x.sum({0, 2}).to_vector<double>() == Values{14, 22});
  CHECK(x.sum(-1, {.keepdims = true}).shape() == Shape{2, 2, 1});
  CHECK(x.mean({0, 1}).to_vector<double>() == Values{4, 5});
  CHECK(x.max(1).to_vector<double>() == Values{3, 4, 7, 8});
  CHECK(x.transpose(0, 2).min(0).to_vector<double>() == Values{1, 5, 3, 7});
  CHECK(x.sum(Axes(Shape{})).shape() == x.shape());
  CHECK(prod(x, {0, 1}).to_vector<double>() == Values{105, 384});
}

TEST_CASE("sums of bool and integers are int64, means of them floating") {
  CHECK(tensor({true, false, true}).sum().dtype() == int64);
  CHECK(tensor({1, 2}).mean().dtype() == float32);
  CHECK(tensor({1, 2}).mean().item() == 1.5);
}

TEST_CASE("the extremes of bools are bools, as in NumPy") {
  const Tensor x = tensor({{true, false}, {true, true}, {false, false}});
  CHECK(max(x, 1).dtype() == bool_);
  CHECK(max(x, 1).to_vector<bool>() == std::vector<bool>{true, true, false});
  CHECK(min(x, 1).to_vector<bool>() == std::vector<bool>{false, true, false});
  CHECK(min(x, 0, {.keepdims = true}).to_vector<bool>() == std::vector<bool>{false, false});
}

TEST_CASE("a float sum of a million tenths is within 2 ulp") {
  const Tensor x = full({1'000'000}, 0.1, {.dtype = float32});
  CHECK(x.sum().item() == Approx(1e6 * static_cast<double>(0.1f)).epsilon(0x1p-22));
  CHECK(full({1000, 1000}, 0.1, {.dtype = float32}).sum(0)(7).item() ==
        Approx(1e3 * static_cast<double>(0.1f)).epsilon(1e-6));
}

TEST_CASE("the variance of 1e8 ± 1 is 1") {
  const Tensor x = tensor({1e8 + 1, 1e8 - 1}, f64);
  CHECK(var(x).item() == 1);
  CHECK(xgrad::std(x).item() == 1);
  CHECK(var(x, {}, {.ddof = 1}).item() == 2);
}

TEST_CASE("the norm neither overflows at 1e20 nor divides by zero at 0") {
  const Tensor big = tensor({3e20, 4e20}, {.dtype = float32, .requires_grad = true});
  const Tensor y = norm(big);
  CHECK(y.item() == Approx(5e20));
  CHECK(grad(y, big).to_vector<float>()[0] == Approx(0.6f));
  const Tensor zero = zeros({3}, leaf64);
  CHECK(grad(norm(zero), zero).to_vector<double>() == Values{0, 0, 0});
  CHECK(norm(tensor({3e-30, 4e-30}, {.dtype = float32})).item() == Approx(5e-30));
  CHECK(norm(tensor({inf, 1.0}, f64)).item() == inf);
}

TEST_CASE("the norm of doubles neither overflows nor underflows where their squares do") {
  CHECK(norm(tensor({3e200, -4e200}, f64)).item() == Approx(5e200).epsilon(1e-14));
  CHECK(norm(tensor({3e-200, -4e-200}, f64)).item() == Approx(5e-200).epsilon(1e-14));
  const Tensor rows = norm(tensor({{3e200, 4e200}, {0, 0}, {3e-200, 4e-200}, {3, 4}}, f64), 1);
  const Values expected{5e200, 0, 5e-200, 5};
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(rows.to_vector<double>()[i] == Approx(expected[i]).epsilon(1e-14));
  CHECK(norm(tensor({{3e200}, {4e200}}, f64), 0).item() == Approx(5e200).epsilon(1e-14));
}

TEST_CASE("logsumexp of -inf is -inf with a gradient of 0, and large values do not overflow") {
  const Tensor x = full({3}, -inf, leaf64);
  const Tensor y = logsumexp(x);
  CHECK(y.item() == -inf);
  CHECK(grad(y, x).to_vector<double>() == Values{0, 0, 0});
  CHECK(logsumexp(tensor({1e4, 1e4}, f64)).item() == Approx(1e4 + std::log(2)));
  CHECK(logsumexp(tensor({inf, 0.0}, f64)).item() == inf);
}

TEST_CASE("log_softmax is exact at ±1e4") {
  const Tensor x = tensor({1e4, -1e4, 0.0}, {.dtype = float32});
  CHECK(log_softmax(x).to_vector<float>() == std::vector<float>{0, -2e4f, -1e4f});
  CHECK(softmax(x).to_vector<float>() == std::vector<float>{1, 0, 0});
  CHECK(softmax(tensor({{1.0, 2.0}, {1.0, 4.0}}, f64), 0).to_vector<double>()[0] == 0.5);
}

TEST_CASE("ties share the gradient of max equally") {
  const Tensor x = tensor({1, 3, 3, 2}, leaf64);
  CHECK(grad(x.max(), x).to_vector<double>() == Values{0, 0.5, 0.5, 0});
  const Tensor a = tensor({1, 2}, leaf64), b = tensor({1, 3}, leaf64);
  CHECK(grad(maximum(a, b).sum(), a).to_vector<double>() == Values{0.5, 0});
}

TEST_CASE("NaN wins max and argmax, as in NumPy") {
  const Tensor x = tensor({1.0, std::nan(""), 0.5}, f64);
  CHECK(std::isnan(x.max().item()));
  CHECK(std::isnan(x.min().item()));
  CHECK(x.argmax().item<std::int64_t>() == 1);
  CHECK(tensor({{1, 5, 5}, {9, 2, 3}}).argmax(1).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{1, 0});
}

TEST_CASE("the gradient of prod holds where elements are 0") {
  const Tensor x = tensor({2, 0, 3}, leaf64);
  const Tensor d = grad(prod(x), x, {.create_graph = true});
  CHECK(d.to_vector<double>() == Values{0, 6, 0});
  CHECK(grad(d(1), x).to_vector<double>() == Values{3, 0, 2});
}

TEST_CASE("reductions of nothing") {
  const Tensor x = zeros({0, 3});
  CHECK(x.sum(0).to_vector<float>() == std::vector<float>(3, 0));
  CHECK(prod(x, 0).to_vector<float>() == std::vector<float>(3, 1));
  CHECK(logsumexp(x, 0).to_vector<float>() == std::vector<float>(3, -std::numeric_limits<float>::infinity()));
  CHECK(std::isnan(zeros({0}).mean().item()));
  CHECK_THROWS_WITH(x.max(0), Catch::Contains("[max] shape (0, 3) has no elements"));
  CHECK_THROWS_WITH(x.argmin(0), Catch::Contains("[argmin]"));
}

TEST_CASE("reductions refuse axes that are not there") {
  const Tensor x = zeros({2, 3});
  CHECK_THROWS_WITH(x.sum(2), Catch::Contains("[sum] axis 2 is out of range for shape (2, 3): use -2 to 1"));
  CHECK_THROWS_AS(x.sum(2), IndexError);
  CHECK_THROWS_WITH(x.mean({0, -2}), Catch::Contains("[mean] axis -2 of shape (2, 3) is named twice"));
  CHECK_THROWS_WITH(softmax(x, 5), Catch::Contains("[softmax] axis 5"));
  CHECK_THROWS_WITH(var(zeros({2, 1}), 1, {.ddof = 1}), Catch::Contains("lower ddof"));
}
