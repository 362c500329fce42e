#include "tests/support/catch.hpp"

#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/kernels/parallel.hpp>
#include <xgrad/ops/random.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

using namespace xgrad;

TEST_CASE("dropout zeroes elements with its probability and scales the others") {
  Generator g(5);
  const Tensor y = dropout(ones({100000}), 0.3, &g);
  CHECK(count_nonzero(y).item() == Approx(70000).margin(600));  // four standard deviations
  CHECK(max(y).item() == Approx(1 / 0.7));
}

TEST_CASE("the gradient of dropout has the mask of its value, to any order") {
  Generator g(5);
  const Tensor x = full({5000}, 2.0, {.requires_grad = true});
  const Tensor y = dropout(x, 0.5, &g);
  const Tensor dx = grad(sum(square(y)), x, {.create_graph = true});
  CHECK(dx.to_vector<float>() == (y * 4).to_vector<float>());
  CHECK(grad(sum(dx), x).to_vector<float>() == (y * 2).to_vector<float>());
}

TEST_CASE("the mask of dropout depends on the place of an element and not on strides, dtype or threads") {
  const Tensor x = ones({300, 200});
  const auto mask = [](const Tensor& t) {
    Generator g(9);
    return (dropout(t, 0.4, &g) != 0).to_vector<bool>();
  };
  const auto expected = mask(x);
  CHECK(mask(ones({200, 300}).T()) == expected);
  CHECK(mask(x.astype(float64)) == expected);
  const int threads = kernels::num_threads();
  kernels::set_num_threads(1);
  CHECK(mask(x) == expected);
  kernels::set_num_threads(threads);
}

TEST_CASE("dropout of a generator differs from call to call and repeats from the same seed") {
  Generator g(1), again(1);
  const Tensor x = ones({1000});
  const auto first = dropout(x, 0.5, &g).to_vector<float>(), second = dropout(x, 0.5, &g).to_vector<float>();
  CHECK(first != second);
  CHECK(dropout(x, 0.5, &again).to_vector<float>() == first);
}

TEST_CASE("dropout with p = 0 is x and with p = 1 is zero, gradient included") {
  const Tensor x = ones({10}, {.requires_grad = true});
  CHECK(dropout(x, 0.0).impl() == x.impl());
  const Tensor y = dropout(x, 1.0);
  CHECK(y.to_vector<float>() == std::vector<float>(10, 0.0f));
  CHECK(grad(sum(y), x).to_vector<float>() == std::vector<float>(10, 0.0f));
}

TEST_CASE("dropout refuses a p that is no probability and integers") {
  CHECK_THROWS_WITH(dropout(ones({2}), 1.5), Catch::Contains("[dropout] p = 1.5 is not a probability"));
  CHECK_THROWS_AS(dropout(ones({2}), -0.1), ValueError);
  CHECK_THROWS_AS(dropout(tensor({1, 2}), 0.5), DTypeError);
}
