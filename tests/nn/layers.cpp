#include "tests/support/catch.hpp"

#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/random.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

using namespace xgrad;

namespace {

const TensorOptions doubles{.dtype = float64};

void check_values(const Tensor& t, const std::vector<double>& expected) {
  const std::vector<double> v = t.to_vector<double>();
  REQUIRE(v.size() == expected.size());
  for (std::size_t i = 0; i < v.size(); ++i) CHECK(v[i] == Approx(expected[i]).margin(1e-9));
}

}  // namespace

TEST_CASE("Linear multiplies by its transposed weight and adds its bias") {
  const nn::Linear layer(2, 3);
  layer.weight.assign(tensor({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}}));
  layer.bias.assign(tensor({0.5, 0.0, -0.5}));
  const Tensor y = layer(tensor({{1.0, 1.0}}));
  CHECK(y.to_vector<float>() == std::vector<float>{3.5, 7, 10.5});
  CHECK(layer.weight.shape() == Shape{3, 2});
}

TEST_CASE("Linear without bias has no bias and takes its dtype from the options") {
  const nn::Linear layer(2, 3, {.bias = false, .dtype = float64});
  CHECK_FALSE(layer.bias.defined());
  CHECK(layer.weight.dtype() == float64);
  CHECK(layer(ones({4, 2}, doubles)).shape() == Shape{4, 3});
  CHECK(nn::parameters(layer).size() == 1);
}

TEST_CASE("layers take the default dtype") {
  const DefaultDType guard(float64);
  CHECK(nn::Linear(2, 3).weight.dtype() == float64);
  CHECK(nn::BatchNorm1d(2).running_mean.dtype() == float64);
}

TEST_CASE("Linear begins as PyTorch's, or as Keras's on request") {
  manual_seed(1);
  const nn::Linear torch(100, 50), keras(100, 50, {.init = nn::init::keras()});
  const auto largest = [](const Tensor& t) { return max(abs(t)).item(); };
  CHECK(largest(torch.weight) <= 0.1);
  CHECK(largest(torch.weight) > 0.099);
  CHECK(largest(torch.bias) <= 0.1);
  CHECK(largest(torch.bias) > 0.05);
  CHECK(largest(keras.weight) <= 0.2);  // √(6 / 150)
  CHECK(largest(keras.weight) > 0.198);
  CHECK(largest(keras.bias) == 0);
  const nn::Linear he(100, 50, {.init = nn::init::he_normal(), .bias_init = nn::init::constant(0.5)});
  CHECK(he.bias.to_vector<float>() == std::vector<float>(50, 0.5f));
}

TEST_CASE("Dropout drops in training and is the identity in evaluation") {
  manual_seed(3);
  nn::Dropout drop(0.25);
  const Tensor x = ones({10000});
  const Tensor y = drop(x);
  const double kept = sum(y).item() * 0.75;
  CHECK(kept == Approx(7500).margin(200));
  for (float v : y.to_vector<float>()) CHECK((v == 0.0f || v == Approx(4.0 / 3)));
  nn::eval(drop);
  CHECK(drop(x).impl() == x.impl());
}

TEST_CASE("Flatten keeps the batch axis") {
  CHECK(nn::Flatten()(ones({5, 2, 3})).shape() == Shape{5, 6});
  CHECK(nn::Flatten(0, 1)(ones({5, 2, 3})).shape() == Shape{10, 3});
}

TEST_CASE("Embedding looks rows up and its gradient adds up where a row was used twice") {
  const nn::Embedding table(4, 2);
  table.weight.assign(tensor({{0.0, 1.0}, {2.0, 3.0}, {4.0, 5.0}, {6.0, 7.0}}));
  const Tensor y = table(tensor({{3, 1}, {1, 0}}));
  CHECK(y.shape() == Shape{2, 2, 2});
  CHECK(y.to_vector<float>() == std::vector<float>{6, 7, 2, 3, 2, 3, 0, 1});
  sum(y).backward();
  CHECK(table.weight.grad().to_vector<float>() == std::vector<float>{1, 1, 2, 2, 0, 0, 1, 1});
  CHECK_THROWS_AS(table(tensor({4})), IndexError);
  CHECK_THROWS_WITH(table(tensor({0, -1})),
                    Catch::Contains("[Embedding] index -1 among those of shape (2,)"));
  CHECK_THROWS_WITH(table(tensor({1.0})), Catch::Contains("[Embedding] indices of shape (1,) are float32"));
}

TEST_CASE("LayerNorm normalises the last axes and begins as the identity on normalised values") {
  const nn::LayerNorm norm({2, 3}, {.dtype = float64});
  const Tensor y = norm(arange(12, doubles).reshape({2, 2, 3}));
  CHECK(mean(y(0)).item() == Approx(0).margin(1e-12));
  CHECK(var(y).item() == Approx(1).epsilon(1e-5));
  CHECK(nn::parameters(norm).size() == 2);
  CHECK(nn::parameters(nn::LayerNorm(4, {.affine = false})).empty());
  CHECK(nn::parameters(nn::LayerNorm(4, {.bias = false})).size() == 1);
}

TEST_CASE("BatchNorm1d has PyTorch's running statistics and evaluation") {
  nn::BatchNorm1d norm(4, {.dtype = float64});
  norm.weight.assign(tensor({1.0, 0.5, -1.5, 2.0}));
  norm.bias.assign(tensor({0.1, -0.2, 0.3, 0.4}));
  const Tensor x = tensor({{0.5, -1.25, 2.0, 0.75}, {1.5, 0.25, -0.5, 3.0}, {-2.0, 0.125, 0.25, 1.0}},
                          {.dtype = float64, .requires_grad = true});
  const Tensor c =
      tensor({{1.0, -0.5, 0.25, 2.0}, {0.5, 1.5, -1.0, 0.75}, {-0.25, 0.5, 1.25, -2.0}}, doubles);
  check_values(norm(x),
               {0.4396823264, -0.9051026063, -1.7286618301, -1.2552036146, 1.1190469791, 0.1985362557,
                1.8513296348, 3.2138461448, -1.2587293054, 0.1065663505, 0.7773321953, -0.7586425302});
  check_values(norm.running_mean, {0.0, -0.0291666667, 0.0583333333, 0.1583333333});
  check_values(norm.running_var, {1.225, 0.9692708333, 1.0645833333, 1.0520833333});
  norm(x.detach() * 2 + 1);
  check_values(norm.running_mean, {0.1, 0.0154166667, 0.2691666667, 0.5591666667});
  check_values(norm.running_var, {2.4025, 1.1494270833, 1.6164583333, 1.5552083333});
  CHECK(norm.num_batches_tracked.item<std::int64_t>() == 2);
  nn::eval(norm);
  const Tensor y = norm(x);
  check_values(y, {0.3580639791, -0.7901480173, -1.7420337184, 0.7060472971, 1.0032239267, -0.0905981779,
                   1.2074613009, 4.3144652109, -1.25483589, -0.1488939978, 0.3226127951, 1.1069826209});
  sum(y * c).backward();
  check_values(x.grad(),
               {0.6451599476, -0.2331832798, -0.2949495019, 3.20748259, 0.3225799738, 0.6995498394,
                1.1797980077, 1.2028059712, -0.1612899869, 0.2331832798, -1.4747475097, -3.20748259});
  check_values(norm.weight.grad(), {1.0483849149, 0.9694594858, 0.9264691577, 1.0669891303});
  check_values(norm.bias.grad(), {1.25, 1.5, 0.5, 0.75});
}

TEST_CASE("BatchNorm1d of (N, C, L) without momentum averages all batches, as PyTorch's") {
  nn::BatchNorm1d norm(2, {.momentum = std::nullopt, .dtype = float64});
  const Tensor x = (pow(arange(12, doubles), 1.5) / 5).reshape({2, 2, 3}).detach();
  x.set_requires_grad(true);
  const Tensor y = norm(x);
  check_values(y, {-1.1044623879, -0.9934109963, -0.7903616197, -1.2039104678, -0.9745527122, -0.7143974795,
                   0.5276530798, 0.9522381663, 1.4083437577, 0.5796677783, 0.9578158898, 1.3553769914});
  sum(y * sin(arange(12, doubles)).reshape({2, 2, 3})).backward();
  check_values(x.grad(),
               {-0.2561271796, 0.2078483525, 0.2395541099, 0.2106311881, -0.1506070326, -0.2264510703,
                -0.4591437881, 0.048347103, 0.2195214023, 0.3682610582, -0.0128849311, -0.1889492122});
  check_values(norm.running_mean, {1.9891013919, 3.9827380535});
  check_values(norm.running_var, {3.8921707833, 7.1733571164});
  norm(x.detach() + 1);
  check_values(norm.running_mean, {2.4891013919, 4.4827380535});
  check_values(norm.running_var, {3.8921707833, 7.1733571164});
}

TEST_CASE("an override makes BatchNorm1d evaluate without writing anything") {
  nn::BatchNorm1d norm(3);
  const Tensor x = arange(12, {.dtype = float32}).reshape({4, 3});
  {
    const nn::ModeOverride evaluate(false);
    CHECK(max(abs(norm(x) - x)).item() < 1e-3);
  }
  CHECK(norm.num_batches_tracked.item<std::int64_t>() == 0);
  CHECK(norm.running_mean.to_vector<float>() == std::vector<float>{0, 0, 0});
  norm(x);
  CHECK(norm.num_batches_tracked.item<std::int64_t>() == 1);
}

TEST_CASE("BatchNorm1d without running statistics uses the batch's in evaluation too") {
  nn::BatchNorm1d norm(1, {.track_running_stats = false});
  nn::eval(norm);
  CHECK(mean(norm(tensor({{1.0}, {5.0}}))).item() == Approx(0).margin(1e-6));
  CHECK(nn::state_dict(norm).size() == 2);
}

TEST_CASE("activation modules give what the functions of their name give") {
  const Tensor x = linspace(-4, 4, 9);
  const auto same = [&](const Tensor& a, const Tensor& b) {
    CHECK(a.to_vector<float>() == b.to_vector<float>());
  };
  same(nn::ReLU()(x), relu(x));
  same(nn::LeakyReLU(0.2)(x), leaky_relu(x, 0.2));
  same(nn::ELU(0.5)(x), elu(x, 0.5));
  same(nn::SELU()(x), selu(x));
  same(nn::CELU(0.5)(x), celu(x, 0.5));
  same(nn::SiLU()(x), silu(x));
  same(nn::Mish()(x), mish(x));
  same(nn::Softplus(2.0)(x), softplus(x, 2.0));
  same(nn::Softsign()(x), softsign(x));
  same(nn::Hardtanh(-2, 3)(x), hardtanh(x, -2, 3));
  same(nn::Hardsigmoid()(x), hardsigmoid(x));
  same(nn::Hardswish()(x), hardswish(x));
  same(nn::GELU()(x), gelu(x));
  same(nn::GELU(GeluForm::tanh)(x), gelu(x, GeluForm::tanh));
  same(nn::Sigmoid()(x), sigmoid(x));
  same(nn::LogSigmoid()(x), log_sigmoid(x));
  same(nn::Tanh()(x), tanh(x));
  const Tensor m = x.reshape({3, 3});
  same(nn::Softmax()(m), softmax(m));
  same(nn::Softmax(0)(m), softmax(m, 0));
  same(nn::LogSoftmax(0)(m), log_softmax(m, 0));
}

TEST_CASE("layers refuse sizes and options that make no sense") {
  CHECK_THROWS_WITH(nn::Linear(0, 3), Catch::Contains("[Linear] in = 0"));
  CHECK_THROWS_WITH(nn::Linear(3, -1), Catch::Contains("[Linear] out = -1"));
  CHECK_THROWS_AS(nn::Linear(3, 1, {.dtype = int64}), DTypeError);
  CHECK_THROWS_WITH(nn::Dropout(1.5), Catch::Contains("[Dropout] p = 1.5"));
  CHECK_THROWS_AS(nn::Embedding(0, 3), ValueError);
  CHECK_THROWS_AS(nn::LayerNorm(Shape{}), ValueError);
  CHECK_THROWS_AS(nn::LayerNorm(0), ValueError);
  CHECK_THROWS_AS(nn::LayerNorm(3, {.eps = -1}), ValueError);
  CHECK_THROWS_AS(nn::BatchNorm1d(0), ValueError);
  CHECK_THROWS_AS(nn::BatchNorm1d(3, {.momentum = 2}), ValueError);
  nn::BatchNorm1d norm(3);
  CHECK_THROWS_WITH(norm(ones({3})), Catch::Contains("[BatchNorm1d] x has shape (3,)"));
  CHECK_THROWS_WITH(norm(ones({1, 3})), Catch::Contains("one value a feature"));
  CHECK_THROWS_AS(norm(ones({2, 4})), ShapeError);
  CHECK(norm.num_batches_tracked.item<std::int64_t>() == 0);
  CHECK_THROWS_AS(nn::LayerNorm(3)(ones({2, 4})), ShapeError);
  CHECK_THROWS_AS(nn::Linear(3, 1)(ones({2, 4})), ShapeError);
}
