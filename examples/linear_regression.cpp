// Linear regression: the smallest thing that learns, with its training loop written out.
//
// A shed full of thermometers shows every temperature twice, in Celsius and in Fahrenheit, and none of them
// is very exact. Somebody who has never heard of the rule between the two scales wants to find it: two
// numbers, a slope and an offset. gradients.cpp showed how to find out in which direction a number should be
// changed; here two numbers are changed in that direction until nothing gets better. Training a network of a
// million numbers is the same loop.
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "tutorial.hpp"

using namespace xgrad;

// The readings: what there is to learn from.
struct Readings {
  Tensor celsius, fahrenheit;
};

Readings read_thermometers() {
  // Random numbers come from a generator with a seed, and are the same on every machine.
  manual_seed(1);
  const Tensor celsius = rand({60}) * 50 - 10;                       // from -10 to 40 degrees
  const Tensor fahrenheit = celsius * 1.8 + 32 + randn({60}) * 2.5;  // the rule, and the readings' error
  return {celsius, fahrenheit};
}

// Points and a line as characters: rows are degrees Fahrenheit, columns degrees Celsius.
void plot(const Readings& data, double slope, double offset) {
  constexpr int width = 64, height = 15;
  std::vector<std::string> rows(height, std::string(width, ' '));
  const auto put = [&](double c, double f, char mark) {
    const int column = static_cast<int>(std::lround((c + 10) / 50 * (width - 1)));
    const int row = static_cast<int>(std::lround((110 - f) / 100 * (height - 1)));
    if (row >= 0 && row < height && column >= 0 && column < width) {
      rows[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] = mark;
    }
  };
  for (double c = -10; c <= 40; c += 0.25) put(c, slope * c + offset, '.');
  const auto cs = data.celsius.to_vector<double>(), fs = data.fahrenheit.to_vector<double>();
  for (std::size_t i = 0; i < cs.size(); ++i) put(cs[i], fs[i], 'o');
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::printf("  %4s |%s\n", i == 0 ? "110F" : i + 1 == rows.size() ? "10F" : "", rows[i].c_str());
  }
  std::printf("       -10C %*s\n", width - 4, "40C");
}

// What the statistics book says: the line of least squares in closed form. It exists for straight lines only,
// so it serves to check the loop, which works for anything.
std::pair<double, double> least_squares(const Readings& data) {
  const Tensor c = data.celsius.astype(float64), f = data.fahrenheit.astype(float64);
  const double slope = (mean(c * f) - mean(c) * mean(f)).item() / var(c).item();
  return {slope, f.mean().item() - slope * c.mean().item()};
}

// ---- with nothing but tensors
std::pair<double, double> train_by_hand(const Readings& data) {
  section("1. The loop, with nothing but tensors");
  // Inputs are brought to mean 0 and spread 1 first: then one learning rate suits all parameters. This is
  // always worth doing, and for networks too.
  const double center = data.celsius.mean().item(), spread = xgrad::std(data.celsius).item();
  const Tensor x = (data.celsius - center) / spread;

  // The model has two parameters, and knows nothing yet. `requires_grad` says that they are to be learned.
  const Tensor weight = tensor(0.0, {.requires_grad = true});
  const Tensor bias = tensor(0.0, {.requires_grad = true});
  const double lr = 0.1;  // the learning rate: how far to go in each step

  for (int step = 0; step <= 100; ++step) {
    // Forward: what does the model say, and how wrong is it? The mean of the squared errors is one number,
    // the loss, which is 0 for a perfect model.
    const Tensor prediction = weight * x + bias;
    const Tensor loss = mean(square(prediction - data.fahrenheit));
    if (step % 20 == 0) {
      std::printf("  step %3d: loss %9.4f, F = %6.3f u %+7.3f\n", step, loss.item(), weight.item(),
                  bias.item());
    }

    // Backward: how does the loss change with each parameter?
    loss.backward();

    // Update: a step against the gradient. `assign` is the one way to change a tensor, and what it is given
    // need not be recorded. Gradients add up until they are reset, so they are reset.
    NoGrad guard;
    for (const Tensor& parameter : {weight, bias}) {
      parameter.assign(parameter - lr * parameter.grad());
      parameter.set_grad({});
    }
  }

  // The loop learned in u = (C - center) / spread; in degrees that is:
  const double slope = weight.item() / spread;
  return {slope, bias.item() - slope * center};
}

// ---- with a layer and an optimizer
std::pair<double, double> train_with_layer(const Readings& data) {
  section("2. The same with a layer, a loss and an optimizer");
  // Data usually comes as a table with a row for each sample and a column for each feature, here one of each.
  const Tensor c = data.celsius.reshape({-1, 1}), f = data.fahrenheit.reshape({-1, 1});
  const data::Normalizer normalize(c);
  const Tensor x = normalize(c);

  // nn::Linear computes x · weightᵀ + bias and owns the two. Its parameters go to an optimizer, which knows
  // how to step: SGD as above, or one of the cleverer ones.
  nn::Linear model(1, 1);
  optim::SGD sgd(nn::parameters(model), {.lr = 0.1});
  std::printf("%s\n", nn::summary(model, {1, 1}).c_str());

  for (int step = 0; step <= 100; ++step) {
    const Tensor loss = mse(model(x), f);
    if (step % 20 == 0) std::printf("  step %3d: loss %9.4f\n", step, loss.item());
    loss.backward();
    sgd.step({.zero_grad = true});
  }

  const double slope = model.weight.item() / normalize.std().item();
  return {slope, model.bias.item() - slope * normalize.mean().item()};
}

int main() {
  const Readings data = read_thermometers();
  std::printf("The first of %d readings:\n", static_cast<int>(data.celsius.numel()));
  for (int i = 0; i < 4; ++i) {
    std::printf("  %6.1f °C  %6.1f °F\n", data.celsius(i).item(), data.fahrenheit(i).item());
  }

  const auto [slope, offset] = train_by_hand(data);
  std::printf("\n  found: F = %.3f C + %.2f\n\n", slope, offset);
  plot(data, slope, offset);
  const auto [best_slope, best_offset] = least_squares(data);
  std::printf("  the line of least squares: F = %.3f C + %.2f; the rule of the scales: F = 1.8 C + 32\n",
              best_slope, best_offset);
  expect(std::abs(slope - best_slope) < 1e-3 && std::abs(offset - best_offset) < 1e-2,
         "the loop finds the line of least squares");
  expect(std::abs(slope - 1.8) < 0.1 && std::abs(offset - 32) < 1.5,
         "and that is close to the rule, as close as these thermometers allow");

  const auto [layer_slope, layer_offset] = train_with_layer(data);
  std::printf("\n  found: F = %.3f C + %.2f\n", layer_slope, layer_offset);
  expect(std::abs(layer_slope - best_slope) < 1e-3 && std::abs(layer_offset - best_offset) < 1e-2,
         "layer and optimizer find the same line");

  std::puts("\nNext: xor.cpp, where a straight line is not enough.");
  return result();
}
