// The run of Keras's API in examples/data/keras_xor_trace.json, once more: with a Trainer and with a loop of
// our own.
#include "examples/keras_trace.hpp"

#include <cmath>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

const KerasTrace& keras() {
  static const KerasTrace trace = read_keras_trace(XGRAD_DATA_DIR "/keras_xor_trace.json");
  return trace;
}

nn::Sequential network() {
  nn::Sequential model{nn::Linear{2, 10}, nn::ReLU{}, nn::Linear{10, 1}, nn::Sigmoid{}};
  nn::load_keras(model, keras().initial);
  return model;
}

const auto keras_loss = loss::binary_cross_entropy({.eps = 1e-7});
const optim::AdamOptions keras_adam{.lr = 1e-3, .eps = 1e-7};

void check_losses(const std::vector<double>& losses) {
  REQUIRE(losses.size() == 100);
  REQUIRE(keras().losses.size() == 100);
  for (std::size_t epoch = 0; epoch < 100; ++epoch) {
    INFO("epoch " << epoch + 1 << ": " << losses[epoch] << ", Keras " << keras().losses[epoch]);
    CHECK(std::abs(losses[epoch] / keras().losses[epoch] - 1) < 1e-5);
  }
}

void check_weights(const nn::Sequential& model) {
  nn::Sequential expected = network();
  nn::load_keras(expected, keras().final);
  const nn::Parameters have = nn::parameters(model), want = nn::parameters(expected);
  REQUIRE(have.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    INFO(have[i].name);
    CHECK(max(abs(have[i].tensor - want[i].tensor)).item() < 1e-4);
  }
}

}  // namespace

TEST_CASE("a Trainer reproduces Keras's run on XOR") {
  nn::Sequential model = network();
  Trainer trainer(model, optim::Adam(nn::parameters(model), keras_adam), keras_loss, {metric::accuracy()});
  const History history =
      trainer.fit(keras().x, keras().y, {.epochs = 100, .batch_size = 1, .shuffle = false, .verbose = 0});
  check_losses(history["loss"]);
  check_weights(model);

  const auto [loss, accuracy] = trainer.evaluate(keras().x, keras().y);
  CHECK(std::abs(loss / keras().loss - 1) < 1e-5);
  CHECK(accuracy == keras().accuracy);

  const std::vector<double> predictions = trainer.predict(keras().x).to_vector<double>();
  REQUIRE(predictions.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(predictions[i] - keras().predictions[i]) < 1e-5);
}

TEST_CASE("a loop written out reproduces Keras's run on XOR") {
  nn::Sequential model = network();
  optim::Adam adam(nn::parameters(model), keras_adam);
  std::vector<double> losses;
  for (int epoch = 0; epoch < 100; ++epoch) {
    double total = 0;
    for (int i = 0; i < 4; ++i) {
      const Tensor loss = keras_loss(model(keras().x(slice(i, i + 1))), keras().y(slice(i, i + 1)));
      loss.backward();
      adam.step({.zero_grad = true});
      total += loss.item();
    }
    losses.push_back(total / 4);
  }
  check_losses(losses);
  check_weights(model);

  NoGrad guard;
  const Tensor predictions = model(keras().x);
  CHECK(std::abs(keras_loss(predictions, keras().y).item() / keras().loss - 1) < 1e-5);
  CHECK(mean((predictions > 0.5) == (keras().y > 0.5)).item() == keras().accuracy);
}
