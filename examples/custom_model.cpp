// Custom models: any struct is a model.
//
// A Sequential passes a tensor through one module after the other. Real models are less tidy: values skip
// layers, weights are shared, the number of layers is decided when the program starts, and what happens may
// depend on the data. All of this is plain C++ here. A model is a struct; its fields hold the weights, and
// its call operator computes. There is no base class and nothing to register: the library finds the fields,
// with their names, by itself.
//
// The task: two spirals, wound around each other. To which one does a point of the plane belong?
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

#include "tutorial.hpp"

using namespace xgrad;

// ---- a part of a model: a block with a skip connection

// x + f(x): the block has only to learn what is missing. It is the trick that made very deep networks
// trainable, because a gradient reaches the block's input without going through f.
struct Residual {
  nn::Linear inner, outer;

  // A struct that has a constructor says how many fields it has. (Without one, as in SpiralNet below, the
  // number is found out.) If it is wrong, the program does not compile, so no field can be forgotten.
  static constexpr std::size_t fields = 2;
  explicit Residual(std::int64_t width) : inner(width, width), outer(width, width) {}

  Tensor operator()(const Tensor& x) const { return x + outer(tanh(inner(x))); }
};

// ---- the model

constexpr std::int64_t width = 24;

// A list of blocks, made by ordinary code. Copying a module shares its weights: the last block is the first
// one once more, and training either trains both. (`nn::clone` makes a copy with weights of its own.)
std::vector<Residual> make_blocks(int count) {
  std::vector<Residual> blocks;
  for (int i = 0; i < count; ++i) blocks.emplace_back(width);
  blocks.push_back(blocks.front());
  return blocks;
}

struct SpiralNet {
  nn::Linear lift{2, width};                      // from the plane to more room,
  std::vector<Residual> blocks = make_blocks(2);  // some blocks in a row,
  Residual refine{width};                         // one that is run as often as it is useful,
  nn::Parameter gain{ones({1})};                  // a weight that is no layer's,
  nn::Linear head{width, 1};                      // and an answer.
  int most_refinements = 6;                       // a plain value: not trained, not saved

  Tensor operator()(const Tensor& x) const {
    int refinements = 0;
    return head(features(x, refinements) * gain);
  }

  // What the head sees of the points x, and how many refinements that took.
  Tensor features(const Tensor& x, int& refinements) const {
    Tensor h = tanh(lift(x));
    for (const Residual& block : blocks) h = block(h);
    // A branch that depends on the data: refine until nothing much changes. The tape records what happened
    // this time. Next time it may be something else, and the gradient is right for either.
    for (refinements = 0; refinements < most_refinements;) {
      const Tensor before = h;
      h = tanh(refine(h));
      ++refinements;
      if (norm(h - before).item() < 0.35 * norm(before).item()) break;
    }
    return h;
  }
};

// ---- the data

struct Spirals {
  Tensor points, labels;
};

Spirals make_spirals(std::int64_t count) {
  const Tensor turn = sqrt(rand({count, 1})) * (3 * std::numbers::pi);  // how far out along the spiral
  const Tensor label = bernoulli(0.5, {count, 1});
  const Tensor angle = turn + label * std::numbers::pi;  // the second spiral is the first, turned by half
  const Tensor points = concat({turn * cos(angle), turn * sin(angle)}, 1) / 5.0;
  return {points + randn({count, 2}) * 0.03, label};
}

// What the model thinks of the plane, the first spiral's points over it.
void print_plane(const SpiralNet& model, const Spirals& data) {
  constexpr int columns = 60, rows = 26;
  std::vector<std::string> cells;
  NoGrad guard;
  for (int r = 0; r < rows; ++r) {
    const Tensor x0 = linspace(-2.1, 2.1, columns).reshape({-1, 1});
    const Tensor x1 = full({columns, 1}, 2.1 - 4.2 * r / (rows - 1));
    const std::vector<float> logits = model(concat({x0, x1}, 1)).to_vector<float>();
    for (const float logit : logits) cells.push_back(logit > 0 ? "▒" : " ");
  }
  const std::vector<float> points = data.points.to_vector<float>(), labels = data.labels.to_vector<float>();
  for (std::size_t i = 0; i < labels.size() && i < 250; ++i) {
    const auto c = std::lround((points[2 * i] + 2.1F) / 4.2F * (columns - 1));
    const auto r = std::lround((2.1F - points[2 * i + 1]) / 4.2F * (rows - 1));
    if (c >= 0 && c < columns && r >= 0 && r < rows) {
      cells[static_cast<std::size_t>(r * columns + c)] = labels[i] > 0.5F ? "●" : "○";
    }
  }
  for (int r = 0; r < rows; ++r) {
    std::string line;
    for (int c = 0; c < columns; ++c) line += cells[static_cast<std::size_t>(r * columns + c)];
    std::printf("    %s\n", line.c_str());
  }
}

int main() {
  manual_seed(0);
  const Spirals train = make_spirals(2000), test = make_spirals(1000);
  SpiralNet model;

  section("1. What the library sees");
  // Names are the fields' names. `blocks.2` holds the weights of `blocks.0`: they are counted once.
  std::printf("%s\n", nn::summary(model, {1, 2}).c_str());
  for (const auto& [name, parameter] : nn::named_parameters(model)) {
    std::printf("  %-22s %s\n", name.c_str(), parameter.shape().str().c_str());
  }
  expect(nn::state_dict(model).size() == nn::parameters(model).size() + 4,
         "shared weights are one parameter, and are saved under both names");

  section("2. Training");
  // Nothing about the model is special to the Trainer: it calls it and asks for its parameters. The model's
  // answer is a logit, any number, whose sigmoid is the probability; the loss takes it as that.
  Trainer trainer(model, optim::Adam(nn::parameters(model), {.lr = 3e-3}),
                  loss::binary_cross_entropy_with_logits, {metric::accuracy()});
  const Callback report = lambda_callback({.on_epoch_end = [](TrainState& state) {
    if ((state.epoch + 1) % 10 != 0) return;
    std::printf("  epoch %2d: loss %.4f, accuracy %.3f\n", state.epoch + 1, state.history.last("loss"),
                state.history.last("accuracy"));
  }});
  // The steps get smaller towards the end, along a cosine, so that the weights come to rest.
  const Callback slow_down = learning_rate_scheduler(optim::cosine({.steps = 60}));
  trainer.fit(train.points, train.labels,
              {.epochs = 60, .batch_size = 50, .callbacks = {slow_down, report}, .verbose = 0});
  const auto [loss, accuracy] = trainer.evaluate(test.points, test.labels);
  std::printf("  on points it has never seen: loss %.4f, accuracy %.3f\n\n", loss, accuracy);
  print_plane(model, test);
  std::vector<int> points_with(static_cast<std::size_t>(model.most_refinements) + 1);
  {
    NoGrad guard;
    for (int i = 0; i < 200; ++i) {
      int refinements = 0;
      model.features(test.points(slice(i, i + 1)), refinements);
      ++points_with[static_cast<std::size_t>(refinements)];
    }
  }
  std::puts("  refinements that 200 points took, each by itself:");
  for (std::size_t n = 1; n < points_with.size(); ++n) {
    const std::string bar(static_cast<std::size_t>(points_with[n]) / 4, '#');
    std::printf("    %d: %3d %s\n", static_cast<int>(n), points_with[n], bar.c_str());
  }
  expect(accuracy > 0.97, "the spirals are told apart");

  section("3. Gradients in the model's own shape");
  // Where a gradient is wanted as a value, it comes as a model: the same struct, filled with derivatives.
  const auto [value, gradient] = value_and_grad([&](const SpiralNet& m) {
    return binary_cross_entropy_with_logits(m(test.points), test.labels);
  })(model);
  std::printf("  loss %.4f; d loss / d gain = %.5f; |d loss / d blocks.0.inner.weight| = %.5f\n",
              value.item(), gradient.gain.item(), norm(gradient.blocks[0].inner.weight).item());
  expect(grad(binary_cross_entropy_with_logits(model(test.points), test.labels), model.gain).item() ==
             gradient.gain.item(),
         "it is what grad gives");

  section("4. Saving and loading");
  // The file is in the safetensors format, which Python reads too. A model of the same struct takes it back.
  io::save("spirals.safetensors", nn::state_dict(model));
  SpiralNet restored;
  nn::load_state_dict(restored, io::load("spirals.safetensors"));
  NoGrad guard;
  expect(all(restored(test.points) == model(test.points)).item<bool>(),
         "the restored model answers the same");
  restored.blocks[2].outer.bias.assign(full({width}, 7.0));
  expect(restored.blocks[0].outer.bias(0).item() == 7, "and its shared weights are still shared");

  std::puts("\nNext: fashion_mnist.cpp, a real job.");
  return result();
}
