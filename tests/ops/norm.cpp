#include "tests/support/catch.hpp"

#include <cmath>
#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/norm.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

using namespace xgrad;

// Expected values: PyTorch 2.13, torch.nn.functional.layer_norm and torch.nn.BatchNorm1d in float64.

namespace {

const TensorOptions trained{.dtype = float64, .requires_grad = true};

Tensor input() {
  return tensor({{0.5, -1.25, 2.0, 0.75}, {1.5, 0.25, -0.5, 3.0}, {-2.0, 0.125, 0.25, 1.0}}, trained);
}
Tensor weights() { return tensor({1.0, 0.5, -1.5, 2.0}, trained); }
Tensor biases() { return tensor({0.1, -0.2, 0.3, 0.4}, trained); }
Tensor cotangent() {
  return tensor({{1.0, -0.5, 0.25, 2.0}, {0.5, 1.5, -1.0, 0.75}, {-0.25, 0.5, 1.25, -2.0}},
                {.dtype = float64});
}

void check_values(const Tensor& t, const std::vector<double>& expected) {
  const std::vector<double> v = t.to_vector<double>();
  REQUIRE(v.size() == expected.size());
  for (std::size_t i = 0; i < v.size(); ++i) CHECK(v[i] == Approx(expected[i]).margin(1e-9));
}

}  // namespace

TEST_CASE("layer_norm has PyTorch's values and gradients") {
  const Tensor x = input(), w = weights(), b = biases();
  const Tensor y = layer_norm(x, {4}, w, b);
  check_values(y, {0.1, -0.9548266038, -1.6409826954, 0.8313294879, 0.429616191, -0.5060721774, 2.0658010235,
                   3.3194576921, -1.552323864, -0.0739752985, -0.2461070398, 2.4724062022});
  sum(y * cotangent()).backward();
  check_values(x.grad(),
               {-0.080874279, -0.9134423286, -1.4776780878, 2.4719946954, -0.4318316193, -0.2205098711,
                0.3583282398, 0.2940132506, -0.518626758, 1.7860233908, -0.0091403279, -1.2582563049});
  check_values(w.grad(), {0.5778890615, -0.0373652269, 1.955786998, -0.5462800798});
  check_values(b.grad(), {1.25, 1.5, 0.5, 0.75});
}

TEST_CASE("batch_norm_train has PyTorch's values and gradients") {
  const Tensor x = input(), w = weights(), b = biases();
  const Tensor y = batch_norm_train(x, w, b).y;
  check_values(y, {0.4396823264, -0.9051026063, -1.7286618301, -1.2552036146, 1.1190469791, 0.1985362557,
                   1.8513296348, 3.2138461448, -1.2587293054, 0.1065663505, 0.7773321953, -0.7586425302});
  sum(y * cotangent()).backward();
  check_values(x.grad(),
               {0.3048435355, 0.027643591, 0.5098031772, 3.7820238702, -0.2177438147, 0.3042706839,
                1.1895585108, 0.4727584935, -0.0870997208, -0.3319142749, -1.699361688, -4.2547823637});
  check_values(w.grad(), {1.1888881423, 2.2072777239, 0.9745532321, 0.5586312199});
  check_values(b.grad(), {1.25, 1.5, 0.5, 0.75});
}

TEST_CASE("recorded gradients of the norms equal those of the kernels") {
  const Tensor x = input(), w = weights(), b = biases();
  for (const bool layer : {true, false}) {
    const Tensor y = sum((layer ? layer_norm(x, {4}, w, b) : batch_norm_train(x, w, b).y) * cotangent());
    const auto kernel = grad(y, {x, w, b}, {.retain_graph = true});
    const auto recorded = grad(y, {x, w, b}, {.create_graph = true});
    for (std::size_t i = 0; i < 3; ++i) check_values(kernel[i], recorded[i].to_vector<double>());
  }
}

TEST_CASE("the statistics that batch_norm_train returns are differentiable") {
  const Tensor x = input();
  const BatchNormResult r = batch_norm_train(x);
  const Tensor scores = tensor({1.0, 2.0, 3.0, 4.0}, {.dtype = float64});
  const Tensor expected = grad(sum(scores * mean(x, 0)) + sum(scores * var(x, 0)), x);
  check_values(grad(sum(scores * r.mean) + sum(scores * r.var), x), expected.to_vector<double>());
}

TEST_CASE("batch_norm_train of channels-last values equals that of row-major ones") {
  const Tensor x = (arange(2 * 3 * 4 * 5, {.dtype = float64}) * 0.37).reshape({2, 3, 4, 5});
  const Tensor y = batch_norm_train(x).y;
  const Tensor last = permute(contiguous(permute(x, {0, 2, 3, 1})), {0, 3, 1, 2});
  check_values(batch_norm_train(last).y, y.to_vector<double>());
}

TEST_CASE("layer_norm of a row with a large mean keeps its digits in float32") {
  std::vector<float> row;
  for (int i = 0; i < 100; ++i) row.push_back(i % 2 == 0 ? 10001.0f : 9999.0f);
  const Tensor y = layer_norm(tensor(row, {1, 100}), {100});
  for (float v : y.to_vector<float>()) CHECK(std::fabs(v) == Approx(1.0).epsilon(1e-4));
}

TEST_CASE("layer_norm of a constant row is the bias") {
  const Tensor y = layer_norm(full({2, 3}, 5.0), {3}, {}, tensor({1.0, 2.0, 3.0}));
  CHECK(y.to_vector<float>() == std::vector<float>{1, 2, 3, 1, 2, 3});
}

TEST_CASE("norms refuse what does not fit") {
  const Tensor x = ones({2, 3});
  CHECK_THROWS_WITH(layer_norm(x, {4}), Catch::Contains("[layer_norm] x of shape (2, 3) does not end in the "
                                                        "normalized shape (4,)"));
  CHECK_THROWS_AS(layer_norm(x, {}), ShapeError);
  CHECK_THROWS_WITH(layer_norm(x, {3}, ones({2})), Catch::Contains("weight must have shape (3,)"));
  CHECK_THROWS_AS(layer_norm(x, {3}, ones({3}, {.dtype = float64})), DTypeError);
  CHECK_THROWS_AS(layer_norm(x, {3}, {}, {}, -1.0), ValueError);
  CHECK_THROWS_AS(layer_norm(x.astype(int64), {3}), DTypeError);
  CHECK_THROWS_WITH(batch_norm_train(ones({3})), Catch::Contains("[batch_norm] x has shape (3,)"));
  CHECK_THROWS_AS(batch_norm_train(ones({0, 3})), ShapeError);
  CHECK_THROWS_AS(batch_norm_train(x, ones({2})), ShapeError);
  CHECK_THROWS_AS(batch_norm(x, ones({2}), ones({3})), ShapeError);
}
