#include <xgrad/ops/cumulative.hpp>

#include "tests/support/values.hpp"

using namespace xgrad;
using namespace xgrad::test;

TEST_CASE("cumsum and cumprod give what NumPy gives") {
  const Tensor x = tensor({{1, 2, 0}, {4, -1, 3}}, {.dtype = float64});
  const Tensor c = counting({2, 2, 3});
  check(cumsum(x), {6}, {1, 3, 3, 7, 6, 9});
  check(cumsum(x, 0), {2, 3}, {1, 2, 0, 5, 1, 3});
  check(cumsum(x, -1), {2, 3}, {1, 3, 3, 4, 3, 6});
  check(cumsum(x.T(), 0), {3, 2}, {1, 4, 3, 3, 3, 6});
  check(cumsum(c, 1), {2, 2, 3}, {0, 1, 2, 3, 5, 7, 6, 7, 8, 15, 17, 19});
  check(cumprod(x), {6}, {1, 2, 0, 0, 0, 0});
  check(cumprod(x, 0), {2, 3}, {1, 2, 0, 4, -2, 0});
  check(cumprod(x, 1), {2, 3}, {1, 2, 0, 4, -4, -12});
}

TEST_CASE("running sums of integers and bools are int64, those of floats keep their dtype") {
  const Tensor counts = cumsum(tensor({true, true, false}));
  CHECK(counts.dtype() == int64);
  check(counts, {3}, {1, 2, 2});
  CHECK(cumprod(tensor({2, 3}, {.dtype = uint8})).dtype() == int64);
  CHECK(cumsum(tensor({0.5f, 1.f})).dtype() == float32);
}

TEST_CASE("the gradient of cumsum sums the cotangent from the other end") {
  const Tensor x = counting({2, 3}, true);
  CHECK(weighted_gradient(cumsum(x), x) == Values{21, 20, 18, 15, 11, 6});
  CHECK(weighted_gradient(cumsum(x, 1), x) == Values{6, 5, 3, 15, 11, 6});
}

TEST_CASE("first and second derivatives of cumprod are right with zeros in x") {
  // d Σ w·cumprod(x) / dx and its own gradient along w, from PyTorch's Hessian.
  struct Case {
    Values x, first, second;
  };
  const Case cases[] = {{{1, 2, 3, 4}, {119, 59, 38, 24}, {328, 164, 108, 72}},
                        {{2, 0, 3, 4}, {1, 118, 0, 0}, {118, 269, 76, 48}},
                        {{0, 2, 0, 5}, {5, 0, 0, 0}, {142, 2, 46, 0}}};
  const Tensor w = counting({4}) + 1;
  for (const Case& k : cases) {
    const Tensor x = tensor(k.x, {4}, {.requires_grad = true});
    const Tensor first = grad(sum_to(cumprod(x) * w, {}), x, {.create_graph = true});
    CHECK(first.to_vector<double>() == k.first);
    CHECK(grad(sum_to(first * w, {}), x).to_vector<double>() == k.second);
  }
}

TEST_CASE("an axis that is not there is an error") {
  CHECK_THROWS_AS(cumsum(counting({2, 3}), 2), IndexError);
  CHECK_THROWS_WITH(cumprod(counting({2, 3}), 2), Catch::Contains("[cumprod]") && Catch::Contains("axis 2"));
}
