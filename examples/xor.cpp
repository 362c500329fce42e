// XOR: the classic first network.
//
// XOR answers "is exactly one of two switches on?". No straight line separates the yeses from the noes, so
// the model of linear_regression.cpp cannot learn it, and for a while in the 1970s this was held against
// neural networks altogether. A layer in between solves it. Here is that network, trained twice: in three
// lines by a Trainer, and by a loop that shows what the Trainer does.
//
// The run is one that Keras users will know: it starts from the same weights as a recorded run of Keras's API
// and gives the same numbers, epoch by epoch.
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <cstdio>
#include <string>

#include "keras_trace.hpp"
#include "tutorial.hpp"

using namespace xgrad;

// Two inputs, ten hidden units, one answer between 0 and 1. A Sequential passes its input through one module
// after the other. ReLU (negative numbers become 0) is what makes it more than a straight line: without it,
// two linear layers would be one.
nn::Sequential xor_network() { return {nn::Linear{2, 10}, nn::ReLU{}, nn::Linear{10, 1}, nn::Sigmoid{}}; }

// Cross entropy charges -ln of the probability that was given to the right answer: nothing for certainty,
// much for a confident mistake. Keras keeps probabilities 1e-7 away from 0 and 1, and has its own epsilon in
// Adam.
const auto keras_loss = loss::binary_cross_entropy({.eps = 1e-7});
const optim::AdamOptions keras_adam{.lr = 1e-3, .eps = 1e-7};

// The largest difference between the losses of two runs, relative to the second.
double difference(const std::vector<double>& losses, const std::vector<double>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    worst = std::max(worst, std::abs(losses[i] - expected[i]) / expected[i]);
  }
  return worst;
}

void print_answers(const Tensor& x, const Tensor& y, const Tensor& answers) {
  for (int i = 0; i < 4; ++i) {
    const double answer = answers(i, 0).item(), right = y(i, 0).item();
    std::printf("    %g xor %g is %g: the network says %.3f %s\n", x(i, 0).item(), x(i, 1).item(), right,
                answer, (answer > 0.5) == (right > 0.5) ? "" : "  <- wrong");
  }
}

// What the network answers between the corners. Darker is closer to 1.
void print_map(const nn::Sequential& model) {
  constexpr int columns = 42, rows = 15;
  const char* const shades[] = {" ", "·", "░", "▒", "▓", "█"};
  NoGrad guard;
  for (int r = 0; r < rows; ++r) {
    // One row of points, and one call for all of them: models take batches.
    const Tensor x0 = linspace(-0.25, 1.25, columns).reshape({-1, 1});
    const Tensor x1 = full({columns, 1}, 1.25 - 1.5 * r / (rows - 1));
    const Tensor answers = model(concat({x0, x1}, 1));
    std::string line;
    for (int c = 0; c < columns; ++c) line += shades[static_cast<int>(answers(c, 0).item() * 5.999)];
    std::printf("    %s\n", line.c_str());
  }
}

int main() {
  section("1. The task");
  // (4, 2) inputs and (4, 1) answers: a row for each sample, as always.
  const KerasTrace keras = read_keras_trace(XGRAD_DATA_DIR "/keras_xor_trace.json");
  const Tensor& x = keras.x;
  const Tensor& y = keras.y;
  show("x", to_string(x));
  show("y", to_string(y));

  section("2. With a Trainer");
  nn::Sequential model = xor_network();
  std::printf("%s\n", nn::summary(model, {1, 2}).c_str());
  nn::load_keras(model, keras.initial);  // start where the recorded run started

  // A Trainer brings together a model, an optimizer, a loss and what to report. An epoch is one pass over the
  // data; with batches of one sample that makes four steps. Samples are shuffled unless one asks not to.
  Trainer trainer(model, optim::Adam(nn::parameters(model), keras_adam), keras_loss, {metric::accuracy()});
  const History history = trainer.fit(x, y, {.epochs = 100, .batch_size = 1, .shuffle = false, .verbose = 0});
  const std::vector<double> losses = history["loss"];
  for (std::size_t epoch = 0; epoch < 100; epoch += 33) {
    std::printf("  epoch %3d: loss %.7f, Keras had %.7f\n", static_cast<int>(epoch) + 1, losses[epoch],
                keras.losses[epoch]);
  }
  const auto [loss, accuracy] = trainer.evaluate(x, y);
  std::printf("  evaluate: loss %.7f, accuracy %g; Keras had %.7f and %g\n", loss, accuracy, keras.loss,
              keras.accuracy);
  const Tensor answers = trainer.predict(x);
  print_answers(x, y, answers);
  expect(difference(losses, keras.losses) < 1e-5, "the losses are Keras's in every epoch");
  expect(accuracy == keras.accuracy, "and so is the accuracy");

  section("3. By hand");
  // The same without a Trainer: this is all it does, but for the reporting.
  nn::Sequential by_hand = xor_network();
  nn::load_keras(by_hand, keras.initial);
  optim::Adam adam(nn::parameters(by_hand), keras_adam);
  std::vector<double> hand_losses;
  for (int epoch = 0; epoch < 100; ++epoch) {
    double total = 0;
    for (int i = 0; i < 4; ++i) {
      const Tensor one = x(slice(i, i + 1)), answer = y(slice(i, i + 1));  // row i, still with two axes
      const Tensor error = keras_loss(by_hand(one), answer);
      error.backward();
      adam.step({.zero_grad = true});
      total += error.item();
    }
    hand_losses.push_back(total / 4);
  }
  std::printf("  loss in the last epoch: %.7f, with the Trainer %.7f\n", hand_losses.back(), losses.back());
  expect(difference(hand_losses, losses) < 1e-6, "the loop gives what the Trainer gives");

  section("4. Three out of four");
  // Did something go wrong? No: 100 epochs are too few, and most runs from random weights end like this one.
  // However large a gradient is, Adam moves a weight by about its learning rate, 0.001, in a step. After 400
  // steps no weight can be further than about 0.4 from where it began, and the weights that would solve XOR
  // are not that close to random ones. The loss is falling all along; it needs time. So: more epochs, until
  // all four answers are right. A callback may look at the history after each epoch and stop the training.
  const double moved = max(abs(nn::parameters(model)["0.weight"] - transpose(keras.initial[0]))).item();
  std::printf("  the furthest that a weight of the first layer has moved in 400 steps: %.3f\n", moved);

  const Callback stop_when_solved = lambda_callback({.on_epoch_end = [](TrainState& state) {
    state.stop = state.history.last("accuracy") == 1 && state.history.last("loss") < 0.1;
  }});
  const History more =
      trainer.fit(x, y, {.epochs = 5000, .batch_size = 1, .callbacks = {stop_when_solved}, .verbose = 0});
  const std::vector<double> accuracies = more["accuracy"];
  std::size_t solved = 0;
  while (solved + 1 < accuracies.size() && accuracies[solved] < 1) ++solved;
  std::printf("  all four right after %d epochs, and sure of them (loss < 0.1) after %d\n",
              101 + static_cast<int>(solved), 100 + static_cast<int>(more.epochs()));
  print_answers(x, y, trainer.predict(x));
  std::puts("\n  what it answers from (-0.25, -0.25), bottom left, to (1.25, 1.25):");
  print_map(model);
  expect(trainer.evaluate(x, y)[1] == 1, "all four are right");

  std::puts("\nNext: diabetes.cpp, with data from the world.");
  return result();
}
