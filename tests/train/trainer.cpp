#include <xgrad/train/trainer.hpp>

#include <algorithm>
#include <cmath>
#include <thread>
#include <xgrad/xgrad.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

struct Net {
  nn::Linear hidden{3, 4};
  nn::BatchNorm1d norm{4};
  nn::Dropout drop{0.5};
  nn::Linear out{4, 2};
  Tensor operator()(const Tensor& x) const { return out(drop(relu(norm(hidden(x))))); }
};

/// One weight, without anything random: y = w x.
struct Line {
  nn::Parameter w{tensor({1.0}, {.dtype = float64})};
  Tensor operator()(const Tensor& x) const { return w * x; }
};

const Tensor line_x = arange(1.0, 11.0, 1.0, {.dtype = float64}).reshape({10, 1});
const Tensor line_y = 3.0 * line_x;

Tensor samples(std::int64_t n, std::uint64_t seed) {
  Generator g(seed);
  return randn({n, 3}, {}, &g);
}
Tensor classes(const Tensor& x) { return (sum(x, 1) > 0).astype(int64); }

std::vector<std::vector<double>> values(const nn::Parameters& parameters) {
  std::vector<std::vector<double>> all;
  for (const auto& [name, p] : parameters) all.push_back(p.to_vector<double>());
  return all;
}

}  // namespace

template <class M>
concept TrainsTemporary = requires(optim::SGD sgd) {
  Trainer<Line, 0>(M(), std::move(sgd), loss::mse);
};
static_assert(!TrainsTemporary<Line>);
static_assert(!std::is_copy_constructible_v<Trainer<Line, 1>>);
static_assert(std::is_move_constructible_v<Trainer<Line, 1>>);

TEST_CASE("fit is the loop that one would write, to the bit") {
  const Tensor x = samples(50, 1), y = classes(x);
  manual_seed(3);
  Net a;
  Net b = nn::clone(a);

  Generator start = default_generator();
  Trainer trainer(a, optim::Adam(nn::parameters(a), {.lr = 1e-2}), loss::cross_entropy, {metric::accuracy()});
  const History h = trainer.fit(x, y, {.epochs = 3, .batch_size = 16, .shuffle = false, .verbose = 0});

  default_generator() = start;  // dropout draws the same masks once more
  optim::Adam adam(nn::parameters(b), {.lr = 1e-2});
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    double total = 0, right = 0;
    for (std::int64_t i = 0; i < 50; i += 16) {
      const std::int64_t n = std::min<std::int64_t>(16, 50 - i);
      const Tensor xb = x(slice(i, i + n)), yb = y(slice(i, i + n));
      const Tensor p = b(xb);
      const Tensor l = cross_entropy(p, yb);
      l.backward();
      adam.step({.zero_grad = true});
      total += l.item() * static_cast<double>(n);
      right += sum(argmax(p, 1) == yb).item();
    }
    CHECK(h["loss"][epoch] == total / 50);  // batches of 16, 16, 16 and 2 by their sizes
    CHECK(h["accuracy"][epoch] == right / 50);
  }
  CHECK(values(nn::parameters(a)) == values(nn::parameters(b)));
  CHECK(a.norm.running_mean.to_vector<float>() == b.norm.running_mean.to_vector<float>());
  CHECK(h.columns() == std::vector<std::string>{"loss", "accuracy", "lr"});
  CHECK(h.last("lr") == 1e-2);
}

TEST_CASE(
    "the last samples, before shuffling, are set aside for validation, and evaluated after each epoch") {
  Line model;
  std::vector<double> trained, validated;
  const auto watching = [&](const Tensor& p, const Tensor& t) {
    auto& seen = grad_enabled() ? trained : validated;
    for (const double v : t.to_vector<double>()) seen.push_back(v);
    return mse(p, t);
  };
  Trainer trainer(model, optim::SGD(nn::parameters(model), {.lr = 1e-3}), watching);
  const History h = trainer.fit(
      line_x, line_y, {.epochs = 2, .batch_size = 3, .seed = 1, .validation_split = 0.25, .verbose = 0});
  std::sort(trained.begin(), trained.end());
  CHECK(trained ==
        std::vector<double>{3, 3, 6, 6, 9, 9, 12, 12, 15, 15, 18, 18, 21, 21});  // Keras: ⌊0.75 · 10⌋
  // A batch of each part is tried out first, and one as small as the last.
  CHECK(validated.size() == 3 + 1 + 3 + 2 * 3);
  CHECK(std::vector<double>(validated.end() - 3, validated.end()) == std::vector<double>{24, 27, 30});

  const auto [loss] = trainer.evaluate(line_x(slice(7, 10)), line_y(slice(7, 10)));
  CHECK(h.last("val_loss") == loss);  // with the weights at the epoch's end
  CHECK(h.columns() == std::vector<std::string>{"loss", "val_loss", "lr"});
}

TEST_CASE("validation_data goes before validation_split") {
  Line model;
  Trainer trainer(model, optim::SGD(nn::parameters(model), {.lr = 0}), loss::mse, {metric::mae()});
  const History h =
      trainer.fit(line_x, line_y,
                  {.validation_split = 0.5, .validation_data = {ones({4, 1}), zeros({4, 1})}, .verbose = 0});
  CHECK(h.last("val_loss") == 1);
  CHECK(h.last("val_mae") == 1);
  CHECK(h.last("mae") == 2 * 5.5);  // all ten samples
}

TEST_CASE("a shuffled fit has another order in each epoch, by its seed or the thread's generator") {
  const auto orders = [](const FitOptions& options) {
    Line model;
    std::vector<double> seen;
    Trainer trainer(model, optim::SGD(nn::parameters(model)), [&seen](const Tensor& p, const Tensor& t) {
      if (grad_enabled()) seen.push_back(t.item());
      return 0.0 * mse(p, t);
    });
    trainer.fit(line_x, line_y, options);
    return seen;
  };
  const FitOptions seeded{.epochs = 2, .batch_size = 1, .seed = 9, .verbose = 0};
  const auto a = orders(seeded);
  CHECK(a == orders(seeded));
  CHECK(std::vector<double>(a.begin(), a.begin() + 10) != std::vector<double>(a.begin() + 10, a.end()));
  const FitOptions unseeded{.epochs = 2, .batch_size = 1, .verbose = 0};
  manual_seed(1);
  const auto b = orders(unseeded), c = orders(unseeded);
  CHECK(b != c);
  manual_seed(1);
  CHECK(orders(unseeded) == b);
}

TEST_CASE("a loader brings its own batches") {
  Line a, b;
  Trainer ta(a, optim::SGD(nn::parameters(a), {.lr = 1e-3}), loss::mse);
  Trainer tb(b, optim::SGD(nn::parameters(b), {.lr = 1e-3}), loss::mse);
  ta.fit(line_x, line_y, {.epochs = 3, .batch_size = 4, .seed = 5, .verbose = 0});
  tb.fit(data::DataLoader({line_x, line_y}, {.batch_size = 4, .shuffle = true, .seed = 5}),
         {.epochs = 3, .verbose = 0});
  CHECK(a.w.item() == b.w.item());
  CHECK(a.w.item() != 1);
}

TEST_CASE("sample weights multiply losses, whose sum is divided by the number of samples as in Keras") {
  Line model;
  Trainer trainer(model, optim::SGD(nn::parameters(model), {.lr = 0}), loss::mse, {metric::mae()});
  const Tensor x = tensor({{1.0}, {2.0}, {3.0}}), y = zeros({3, 1}), w = tensor({2.0, 0.0, 1.0});
  const double weighted = (2 * 1.0 + 0 * 4.0 + 1 * 9.0) / 3;
  const auto [loss, mae] = trainer.evaluate(x, y, {.sample_weight = w});
  CHECK(loss == Approx(weighted).epsilon(1e-6));
  CHECK(mae == 2);  // metrics are not weighted
  const History h = trainer.fit(x, y, {.sample_weight = w, .verbose = 0});
  CHECK(h.last("loss") == Approx(weighted).epsilon(1e-6));
}

TEST_CASE("evaluate and predict write nothing, record nothing and run modules as in evaluation") {
  Net model;
  Trainer trainer(model, optim::Adam(nn::parameters(model)), loss::cross_entropy, {metric::accuracy()});
  const Tensor x = samples(70, 2), y = classes(x);
  const auto before = nn::state_dict(model, {.copy = true});
  const Generator generator = default_generator();
  const Tensor p = trainer.predict(x);
  trainer.evaluate(x, y);
  CHECK(default_generator().offset() == generator.offset());  // no dropout
  CHECK(model.drop.mode.set_to_training());
  CHECK_FALSE(p.requires_grad());
  const auto after = nn::state_dict(model);
  for (std::size_t i = 0; i < after.size(); ++i)
    CHECK(after[i].tensor.to_vector<double>() == before[i].tensor.to_vector<double>());

  nn::eval(model);
  CHECK(p.to_vector<float>() == model(x).detach().to_vector<float>());  // 32 + 32 + 6 rows, and 70 at once
}

TEST_CASE("fit trains also a model that was set to evaluation, and leaves it so") {
  Net model;
  nn::eval(model);
  Trainer trainer(model, optim::Adam(nn::parameters(model)), loss::cross_entropy);
  const Tensor x = samples(40, 2);
  trainer.fit(x, classes(x), {.verbose = 0});
  CHECK(model.norm.running_mean.to_vector<float>() != std::vector<float>(4, 0));
  CHECK_FALSE(model.drop.mode.set_to_training());
}

TEST_CASE("predict joins rows of any shape") {
  const Tensor x = arange(20.0).reshape({10, 2});
  nn::Sequential model{nn::Linear{2, 6}, [](const Tensor& h) {
                         return h.reshape({-1, 3, 2}).transpose(1, 2);
                       }};
  Trainer trainer(model, optim::SGD(nn::parameters(model)), loss::mse);
  const Tensor p = trainer.predict(x, {.batch_size = 4});
  CHECK(p.shape() == Shape{10, 2, 3});
  CHECK(max(abs(p - model(x))).item() < 1e-5);
}

TEST_CASE("accuracy after a loss on logits has its threshold at 0") {
  Line model;
  const Tensor x = tensor({{-1.0}, {0.2}, {0.4}, {3.0}}), y = tensor({{0.0}, {1.0}, {1.0}, {1.0}});
  Trainer on_logits(model, optim::SGD(nn::parameters(model)), loss::binary_cross_entropy_with_logits,
                    {metric::accuracy()});
  CHECK(on_logits.evaluate(x, y)[1] == 1);
  Trainer on_values(model, optim::SGD(nn::parameters(model)), loss::mse, {metric::accuracy()});
  CHECK(on_values.evaluate(x, y)[1] == 0.5);
}

TEST_CASE("a trainer keeps a temporary optimizer and refers to one with a name") {
  Line model;
  optim::SGD sgd(nn::parameters(model), {.lr = 1e-3});
  Trainer refers(model, sgd, loss::mse);
  CHECK(&refers.optimizer() == &sgd);
  sgd.set_lr(0);
  refers.fit(line_x, line_y, {.verbose = 0});
  CHECK(model.w.item() == 1);
  Trainer keeps(model, std::move(sgd), loss::mse);
  Trainer moved = std::move(keeps);
  CHECK(moved.optimizer().lr() == 0);
}

TEST_CASE("gradients from before a fit do not count") {
  Line a, b;
  mse(a(line_x), line_y).backward();
  for (Line* m : {&a, &b}) {
    Trainer trainer(*m, optim::SGD(nn::parameters(*m), {.lr = 1e-3}), loss::mse);
    trainer.fit(line_x, line_y, {.verbose = 0});
  }
  CHECK(a.w.item() == b.w.item());
}

TEST_CASE("training goes on after a loss that is not a number, as in Keras") {
  Line model;
  Trainer trainer(model, optim::SGD(nn::parameters(model)), loss::mse);
  const History h =
      trainer.fit(full({4, 1}, NAN, {.dtype = float64}), ones({4, 1}), {.epochs = 2, .verbose = 0});
  CHECK(h.epochs() == 2);
  CHECK(std::isnan(h.last("loss")));
}

TEST_CASE("threads may evaluate with one trainer") {
  Net model;
  const Trainer trainer(model, optim::Adam(nn::parameters(model)), loss::cross_entropy, {metric::accuracy()});
  const Tensor x = samples(500, 2), y = classes(x);
  const auto want = trainer.evaluate(x, y);
  std::array<double, 2> got[2];
  std::thread threads[2];
  for (int i = 0; i < 2; ++i)
    threads[i] = std::thread([&, i] {
      for (int k = 0; k < 20; ++k) got[i] = trainer.evaluate(x, y);
    });
  for (std::thread& t : threads) t.join();
  CHECK(got[0] == want);
  CHECK(got[1] == want);
}

TEST_CASE("epochs after the first two ask the system for no memory") {
  Net model;
  Trainer trainer(model, optim::Adam(nn::parameters(model)), loss::cross_entropy, {metric::accuracy()});
  const Tensor x = samples(300, 2), y = classes(x);
  std::int64_t calls = 0;
  const auto watch = lambda_callback({.on_epoch_end = [&](TrainState& s) {
    if (s.epoch == 1) calls = memory_stats().system_calls;
  }});
  trainer.fit(x, y, {.epochs = 10, .validation_split = 0.2, .callbacks = {watch}, .verbose = 0});
  CHECK((XGRAD_POOL_IS_SYSTEM || memory_stats().system_calls == calls));
}
