#include <cmath>
#include <xgrad/core/create.hpp>
#include <xgrad/nn/keras.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/elementwise.hpp>

#include "tests/support/refusals.hpp"

using namespace xgrad;
using test::is;

namespace {

struct Net {
  nn::Linear hidden{3, 4};
  nn::BatchNorm1d norm{4};
  nn::Linear out{4, 2};
  Tensor operator()(const Tensor& x) const { return out(norm(hidden(x))); }
};

/// Everything that a model holds, as doubles.
std::vector<std::vector<double>> values_of(const Net& net) {
  std::vector<std::vector<double>> all;
  for (const auto& [name, t] : nn::state_dict(net)) all.push_back(t.to_vector<double>());
  return all;
}

}  // namespace

TEST_CASE("layers refuse sizes and options that no layer has") {
  // clang-format off
  test::check({
      {is<ValueError>, "Linear", [] { nn::Linear(0, 2); }, {"in = 0", "positive"}},
      {is<ValueError>, "Linear", [] { nn::Linear(2, -1); }, {"out = -1", "positive"}},
      {is<DTypeError>, "Linear", [] { nn::Linear(2, 2, {.dtype = int64}); }, {"int64 weights", "float32"}},
      {is<ShapeError>, "Linear", [] { nn::Linear(1 << 30, 1 << 30); }, {"more elements than memory"}},
      {is<ValueError>, "init", [] { nn::Linear(2, 2, {.init = nn::init::uniform(1, 0)}); },
       {"from 1 to 0"}},
      {is<ValueError>, "Dropout", [] { nn::Dropout(1.5); }, {"p = 1.5 is not a probability", "[0, 1]"}},
      {is<ValueError>, "Embedding", [] { nn::Embedding(0, 2); }, {"count = 0"}},
      {is<ValueError>, "Embedding", [] { nn::Embedding(2, 0); }, {"width = 0"}},
      {is<DTypeError>, "Embedding", [] { nn::Embedding(2, 2, {.dtype = uint8}); }, {"uint8 weights"}},
      {is<ValueError>, "LayerNorm", [] { nn::LayerNorm(Shape{}); }, {"the shape is empty", "last axes"}},
      {is<ValueError>, "LayerNorm", [] { nn::LayerNorm(Shape{3, 0}); }, {"size = 0"}},
      {is<ValueError>, "LayerNorm", [] { nn::LayerNorm(3, {.eps = -1}); }, {"eps = -1", "1e-5"}},
      {is<DTypeError>, "LayerNorm", [] { nn::LayerNorm(3, {.dtype = bool_}); }, {"bool weights"}},
      {is<ValueError>, "BatchNorm1d", [] { nn::BatchNorm1d(0); }, {"features = 0"}},
      {is<ValueError>, "BatchNorm1d", [] { nn::BatchNorm1d(3, {.eps = NAN}); }, {"eps = nan"}},
      {is<ValueError>, "BatchNorm1d", [] { nn::BatchNorm1d(3, {.momentum = 1.5}); },
       {"momentum = 1.5", "[0, 1]"}},
      {is<DTypeError>, "BatchNorm1d", [] { nn::BatchNorm1d(3, {.dtype = int32}); }, {"int32 weights"}},
  });
  // clang-format on
}

TEST_CASE("layers refuse inputs that do not fit, and batch norm's statistics stay") {
  const nn::Linear linear(3, 2);
  const nn::Embedding table(5, 2);
  const nn::LayerNorm layer(3);
  const nn::BatchNorm1d norm(3), plain(3, {.affine = false});
  const Tensor none;
  // clang-format off
  test::check({
      {is<ShapeError>, "linear", [&] { linear(ones({4, 5})); },
       {"(4, 5) and (2, 3)", "3 inputs", "make x (4, 3)"}},
      {is<DTypeError>, "linear", [&] { linear(ones({4, 3}, {.dtype = float64})); }, {"float64", "astype"}},
      {is<ValueError>, "linear", [&] { linear(none); }, {"input 0 is an undefined"}},
      {is<DTypeError>, "dropout", [] { nn::Dropout()(tensor({1, 2})); }, {"int64"}},
      {is<IndexError>, "flatten", [] { nn::Flatten(3)(ones({2, 3})); }, {"axis 3", "(2, 3)"}},
      {is<DTypeError>, "Embedding", [&] { table(ones({2})); }, {"(2,) are float32", "astype(int64)"}},
      {is<IndexError>, "Embedding", [&] { table(tensor({0, 5})); }, {"index 5", "(2,)", "(5, 2)", "[0, 5)"}},
      {is<IndexError>, "Embedding", [&] { table(tensor({0, -1})); }, {"index -1", "[0, 5)"}},
      {is<ValueError>, "Embedding", [&] { table(none); }, {"input 0 is an undefined"}},
      {is<ShapeError>, "layer_norm", [&] { layer(ones({2, 4})); }, {"(2, 4)", "(3,)"}},
      {is<ShapeError>, "BatchNorm1d", [&] { norm(ones({3})); }, {"x has shape (3,)", "(N, C)"}},
      {is<ShapeError>, "BatchNorm1d", [&] { norm(ones({4, 5})); },
       {"(4, 5) and the layer 3 features", "(N, 3)"}},
      {is<ShapeError>, "BatchNorm1d", [&] { plain(ones({4, 1})); }, {"(4, 1) and the layer 3 features"}},
      {is<DTypeError>, "BatchNorm1d", [&] { plain(ones({4, 3}, {.dtype = float64})); },
       {"float64", "float32"}},
      {is<ShapeError>, "BatchNorm1d", [&] { norm(ones({1, 3})); }, {"(1, 3)", "larger batch"}},
      {is<ValueError>, "BatchNorm1d", [&] { norm(none); }, {"input 0 is an undefined"}},
      {is<IndexError>, "softmax", [] { nn::Softmax(2)(ones({2, 3})); }, {"axis 2"}},
      {is<IndexError>, "log_softmax", [] { nn::LogSoftmax(2)(ones({2, 3})); }, {"axis 2"}},
      {is<ValueError>, "leaky_relu", [] { nn::LeakyReLU{NAN}(ones({2})); }, {"negative_slope is nan"}},
      {is<ValueError>, "elu", [] { nn::ELU{NAN}(ones({2})); }, {"alpha is nan"}},
      {is<ValueError>, "celu", [] { nn::CELU{0}(ones({2})); }, {"alpha is 0"}},
      {is<ValueError>, "softplus", [] { nn::Softplus{0}(ones({2})); }, {"beta is 0"}},
      {is<ValueError>, "hardtanh", [] { nn::Hardtanh(1, -1)(ones({2})); }, {"limits 1 and -1"}},
  });
  // clang-format on
  for (const nn::BatchNorm1d* n : {&norm, &plain}) {
    CHECK(n->num_batches_tracked.item<int>() == 0);
    CHECK(n->running_mean.to_vector<double>() == std::vector<double>{0, 0, 0});
  }
}

TEST_CASE("activation modules refuse an undefined tensor by the function's name") {
  const Tensor none;
  // clang-format off
  test::check({
      {is<ValueError>, "relu", [&] { nn::ReLU{}(none); }, {"undefined"}},
      {is<ValueError>, "selu", [&] { nn::SELU{}(none); }, {"undefined"}},
      {is<ValueError>, "silu", [&] { nn::SiLU{}(none); }, {"undefined"}},
      {is<ValueError>, "mish", [&] { nn::Mish{}(none); }, {"undefined"}},
      {is<ValueError>, "softsign", [&] { nn::Softsign{}(none); }, {"undefined"}},
      {is<ValueError>, "hardsigmoid", [&] { nn::Hardsigmoid{}(none); }, {"undefined"}},
      {is<ValueError>, "hardswish", [&] { nn::Hardswish{}(none); }, {"undefined"}},
      {is<ValueError>, "sigmoid", [&] { nn::Sigmoid{}(none); }, {"undefined"}},
      {is<ValueError>, "log_sigmoid", [&] { nn::LogSigmoid{}(none); }, {"undefined"}},
      {is<ValueError>, "tanh", [&] { nn::Tanh{}(none); }, {"undefined"}},
      {is<ValueError>, "gelu", [&] { nn::GELU{}(none); }, {"undefined"}},
      {is<ValueError>, "relu", [&] { nn::Sequential{nn::ReLU{}, nn::Tanh{}}(none); }, {"undefined"}},
  });
  // clang-format on
}

TEST_CASE("parameters, lists of them and containers refuse what they cannot hold") {
  const Net net;
  const nn::Parameters parameters = nn::parameters(net);
  Tensor (*no_function)(const Tensor&) = nullptr;
  // clang-format off
  test::check({
      {is<ValueError>, "Parameter", [] { nn::Parameter{Tensor()}; }, {"undefined"}},
      {is<DTypeError>, "Parameter", [] { nn::Parameter(tensor({1, 2})); }, {"(2,) are int64", "Buffer"}},
      {is<ValueError>, "Buffer", [] { nn::Buffer{Tensor()}; }, {"undefined"}},
      {is<ValueError>, "parameters", [&] { parameters["hidden.wieght"]; },
       {"none of the 6 is called \"hidden.wieght\"", "\"hidden.weight\""}},
      {is<IndexError>, "parameters", [&] { parameters[6]; }, {"parameter 6 of 6"}},
      {is<ValueError>, "Sequential", [&] { nn::Sequential{nn::ReLU{}, no_function}; },
       {"the function is null"}},
  });
  // clang-format on
}

TEST_CASE("wrong initialisers are refused, and no random number is used up") {
  using namespace nn::init;
  Generator own(1);
  const auto draw = [&](const Initializer& i, const Shape& shape) { i(shape, {}, &own); };
  // clang-format off
  test::check({
      {is<ShapeError>, "init", [] { fans({3}); }, {"shape (3,)", "fewer than two axes"}},
      {is<ShapeError>, "init", [&] { draw(glorot_uniform(), {3}); }, {"shape (3,)"}},
      {is<ShapeError>, "init", [&] { draw(normal(), {-3}); }, {"(-3,) has a negative size"}},
      {is<ValueError>, "init", [&] { draw(pytorch(), {3, 3}); },
       {"known to the layer alone", "glorot_uniform()"}},
      {is<DTypeError>, "init", [&] { ones()({3}, int64, &own); }, {"got int64"}},
      {is<ValueError>, "init", [&] { draw(constant(NAN), {3}); }, {"parameters nan", "(3,)", "finite"}},
      {is<ValueError>, "init", [&] { draw(uniform(1, 0), {3}); }, {"from 1 to 0", "(3,)", "swap"}},
      {is<ValueError>, "init", [&] { draw(normal(0, -1), {3}); }, {"deviation of -1", "(3,)", "0 or more"}},
      {is<ValueError>, "init", [&] { draw(truncated_normal(0, -1), {3}); }, {"deviation of -1"}},
      {is<ValueError>, "init", [&] { draw(lecun_normal({.gain = INFINITY}), {3, 3}); }, {"inf", "(3, 3)"}},
      {is<ValueError>, "he_uniform", [] { he_uniform({.fan = Fan::none}); }, {"Fan::none", "Fan::in"}},
      {is<ValueError>, "he_normal", [] { he_normal({.negative_slope = NAN}); }, {"negative_slope is nan"}},
  });
  // clang-format on
  CHECK(own.offset() == 0);
}

TEST_CASE("a state or Keras's arrays that do not fit are refused, and the model stays") {
  Net net;
  const auto before = values_of(net);
  const StateDict good = nn::state_dict(net, {.copy = true});
  const auto changed = [&](std::size_t at, const Tensor& t) {
    StateDict s = good;
    s[at].tensor = t;
    return s;
  };
  StateDict missing = good, unexpected = good, twice = good;
  missing.pop_back();
  unexpected.push_back({"more", ones({1})});
  twice.push_back(good.front());
  const auto load = [&](const StateDict& s) { nn::load_state_dict(net, s); };
  const std::vector<Tensor> keras{ones({3, 4}), ones({4}), ones({4}),    ones({4}),
                                  ones({4}),    ones({4}), ones({4, 2}), ones({2})};
  std::vector<Tensor> few(keras.begin(), keras.end() - 1), untransposed = keras, many = keras, empty = keras;
  untransposed[0] = ones({4, 3});
  many.push_back(ones({1}));
  empty[1] = Tensor();
  // clang-format off
  test::check({
      {is<ValueError>, "load_state_dict", [&] { load(missing); },
       {"\"out.bias\" is missing", "of this structure"}},
      {is<ValueError>, "load_state_dict", [&] { load(unexpected); }, {"\"more\" is unexpected"}},
      {is<ValueError>, "load_state_dict", [&] { load(twice); }, {"\"hidden.weight\" is twice"}},
      {is<ValueError>, "load_state_dict", [&] { load(changed(0, ones({3, 4}))); },
       {"\"hidden.weight\" has shape (4, 3) and the state's (3, 4)"}},
      {is<ValueError>, "load_state_dict", [&] { load(changed(0, ones({4, 3}, {.dtype = float64}))); },
       {"\"hidden.weight\" is float32 and the state's float64"}},
      {is<ValueError>, "load_state_dict", [&] { load(changed(1, Tensor())); },
       {"\"hidden.bias\" is undefined"}},
      {is<ValueError>, "load_keras", [&] { nn::load_keras(net, few); }, {"no array 7 for \"out.bias\""}},
      {is<ValueError>, "load_keras", [&] { nn::load_keras(net, many); }, {"9 arrays and the model takes 8"}},
      {is<ValueError>, "load_keras", [&] { nn::load_keras(net, untransposed); },
       {"array 0 has shape (4, 3) and \"hidden.weight\" takes (3, 4)", "get_weights()"}},
      {is<ValueError>, "load_keras", [&] { nn::load_keras(net, empty); }, {"no array 1 for \"hidden.bias\""}},
  });
  // clang-format on
  CHECK(values_of(net) == before);
}

TEST_CASE("summary and value_and_grad refuse what the model cannot be called with") {
  const Net net;
  const auto before = values_of(net);
  // clang-format off
  test::check({
      {is<ShapeError>, "linear", [&] { nn::summary(net, {2, 5}); }, {"(2, 5) and (4, 3)"}},
      {is<ShapeError>, "zeros", [&] { nn::summary(net, {-1, 3}); }, {"(-1, 3) has a negative size"}},
      {is<ShapeError>, "grad",
       [&] { value_and_grad([](const Net& m) { return m.hidden(ones({2, 3})); })(net); },
       {"the output has shape (2, 4)", "sum or mean"}},
      {is<GraphError>, "grad", [&] { value_and_grad([](const Net&) { return ones({}); })(net); },
       {"shape () does not depend"}},
  });
  // clang-format on
  CHECK(values_of(net) == before);
}
