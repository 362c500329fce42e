#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/writable.hpp>
#include <xgrad/ops/fused.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/reduce.hpp>

#include <algorithm>
#include <cmath>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

constexpr auto gelu_by_hand = [](auto x) {
  return 0.5 * x * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
};

}  // namespace

TEST_CASE("fused computes what its lambda says, and so does its gradient") {
  const Tensor x = linspace(-4, 4, 101, {.dtype = float64, .requires_grad = true});
  const Tensor y = fused("gelu", gelu_by_hand, x), expected = gelu(x, GeluForm::tanh);
  CHECK(max(abs(y - expected)).item() < 1e-15);
  CHECK(max(abs(grad(sum(y), x) - grad(sum(expected), x))).item() < 1e-14);
}

TEST_CASE("a summed fused has its derivative as gradient, in memory of the gradient's own") {
  const Tensor x = tensor({-1, 0.5, 2}, {.dtype = float64, .requires_grad = true});
  const auto cubes = [&] {
    return sum(fused(
        "cube", [](auto v) { return v * v * v; }, x));
  };
  const std::vector<double> derivative = {3, 0.75, 12};
  const Tensor total = cubes();
  for (int i = 0; i < 2; ++i) {
    x.set_grad({});
    total.backward({.retain_graph = true});
    REQUIRE(x.grad().to_vector<double>() == derivative);
    Writable<double> gradient(x.grad());
    std::fill_n(gradient.data(), 3, -1.0);
  }
  x.set_grad({});
  total.backward();
  CHECK(x.grad().to_vector<double>() == derivative);
  cubes().backward();  // adds to it
  CHECK(x.grad().to_vector<double>() == std::vector<double>{6, 1.5, 24});
  x.set_grad({});
  (cubes() * -2).backward();
  CHECK(x.grad().to_vector<double>() == std::vector<double>{-6, -1.5, -24});
}

TEST_CASE("derivatives of fused can be differentiated again") {
  const Tensor x = tensor({0.3, -1.2}, {.dtype = float64, .requires_grad = true});
  const auto second = [&](const Tensor& y) {
    const Tensor d = grad(sum(square(y)), x, {.create_graph = true});
    return grad(sum(d), x).to_vector<double>();
  };
  const std::vector<double> a = second(fused("gelu", gelu_by_hand, x * 2)),
                            b = second(gelu(x * 2, GeluForm::tanh));
  for (std::size_t i = 0; i < 2; ++i) CHECK(a[i] == Approx(b[i]).epsilon(1e-12));
}

TEST_CASE("fused broadcasts, and sums its gradients over broadcast axes") {
  const Tensor a = ones({3, 4}, {.dtype = float64, .requires_grad = true});
  const Tensor b = tensor({1, 2, 3, 4}, {.dtype = float64, .requires_grad = true});
  const Tensor c = tensor(0.5, {.dtype = float64, .requires_grad = true});
  sum(fused(
          "fma", [](auto x, auto y, auto z) { return x * y + z; }, a, b, c))
      .backward();
  CHECK(b.grad().to_vector<double>() == std::vector<double>(4, 3.0));
  CHECK(c.grad().item() == 12);
  CHECK(a.grad()(1).to_vector<double>() == std::vector<double>{1, 2, 3, 4});
}

TEST_CASE("fused carries its name into messages") {
  const Tensor x = ones({2}, {.requires_grad = true});
  CHECK_THROWS_WITH(fused(
                        "blend", [](auto a, auto b) { return a + b; }, x, ones({3})),
                    Catch::Contains("[blend] shapes (2,) and (3,)"));
  CHECK(fused(
            "blend", [](auto a) { return a + 1; }, x)
            .describe() == "the result of blend");
}
