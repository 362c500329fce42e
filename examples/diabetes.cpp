// Diabetes: 768 women, eight measurements each, and whether a doctor found diabetes (Smith et al. 1988, the
// Pima Indians data set). The first network that many people meet on data from the world: 8 → 10 → 8 → 1.
#include <xgrad/xgrad.hpp>

#include <cmath>

#include "tutorial.hpp"

using namespace xgrad;

namespace {

// The same three layers, with the activation of the hidden ones as a choice. A model may have plain values
// among its fields: they are neither trained nor saved.
struct Net {
  nn::Linear first{8, 10, {.init = nn::init::keras()}};
  nn::Linear second{10, 8, {.init = nn::init::keras()}};
  nn::Linear out{8, 1, {.init = nn::init::keras()}};
  Tensor (*activation)(const Tensor&) = relu;
  Tensor operator()(const Tensor& x) const { return sigmoid(out(activation(second(activation(first(x)))))); }
};

struct Data {
  Tensor x, y, x_test, y_test;
};

// The last quarter is kept aside as a test; training sees nothing of it, not even its mean.
Data load() {
  const data::Csv table = data::read_csv(XGRAD_DATA_DIR "/pima-indians-diabetes.csv");
  const Tensor x = table.values_without({"diabetes"});
  // Texts become classes in alphabetical order: "neg" is 0, "pos" is 1. The network answers with a column of
  // one probability, so the targets are a column too: (768, 1), never (768), which would be an error and not
  // a broadcast.
  const Tensor y = table.classes("diabetes").astype(float32).reshape({-1, 1});
  const std::int64_t n = table.rows() * 3 / 4;
  const data::Normalizer normalize(x(slice(0, n)));
  std::printf("  %lld rows; columns: ", static_cast<long long>(table.rows()));
  for (const std::string& name : table.names()) std::printf("%s ", name.c_str());
  std::printf("\n  %lld to train on, %.0f%% of them ill\n", static_cast<long long>(n),
              100 * y(slice(0, n)).mean().item());
  return {normalize(x(slice(0, n))), y(slice(0, n)), normalize(x(slice(n, none))), y(slice(n, none))};
}

// How often each truth met each verdict.
void confusion_matrix(const Tensor& p, const Tensor& y) {
  const Tensor said = p > 0.5, is = y > 0.5;
  const auto count = [](const Tensor& t) {
    return static_cast<long long>(count_nonzero(t).item<std::int64_t>());
  };
  std::printf("                 says no  says yes\n");
  std::printf("    is healthy   %7lld   %7lld\n", count(logical_not(logical_or(is, said))),
              count(logical_and(logical_not(is), said)));
  std::printf("    is ill       %7lld   %7lld\n", count(logical_and(is, logical_not(said))),
              count(logical_and(is, said)));
}

FitOptions ten_epochs() {
  return {.epochs = 10, .batch_size = 32, .seed = 7, .validation_split = 0.2, .verbose = 0};
}

}  // namespace

int main() {
  section("1. The data");
  const Data d = load();
  // Whoever always says "healthy" is right this often; a network has to do better.
  const double guess = 1 - d.y_test.mean().item();
  std::printf("  always saying \"healthy\" is right for %.1f%% of the test\n", 100 * guess);

  section("2. Ten epochs with Adam and cross entropy");
  manual_seed(1);
  Net net;
  Trainer trainer(net, optim::Adam(nn::parameters(net), {.lr = 0.01}), loss::binary_cross_entropy,
                  {metric::accuracy()});
  const History h = trainer.fit(d.x, d.y, ten_epochs());
  std::printf("  loss %.3f → %.3f, on the fifth held out %.3f → %.3f\n", h["loss"].front(), h["loss"].back(),
              h["val_loss"].front(), h["val_loss"].back());
  const auto [loss, accuracy] = trainer.evaluate(d.x_test, d.y_test);
  std::printf("  on the test: loss %.3f, accuracy %.1f%%\n", loss, 100 * accuracy);
  const Tensor p = trainer.predict(d.x_test);
  confusion_matrix(p, d.y_test);
  expect(h["loss"].back() < h["loss"].front(), "training lowered the loss");
  expect(accuracy > guess + 0.05, "the network knows more than the share of the healthy");
  expect(std::abs(((p > 0.5) == (d.y_test > 0.5)).astype(float32).mean().item() - accuracy) < 1e-6,
         "predict and evaluate agree");

  section("3. Other activations, losses and optimizers");
  // Nothing of what follows is chosen by the test: the table is there to be compared, on the fifth held out.
  struct Activation {
    const char* name;
    Tensor (*f)(const Tensor&);
  };
  std::printf("    hidden    loss            optimizer   val loss   val accuracy\n");
  bool all_learn = true;
  for (const Activation a :
       {Activation{"relu", relu}, Activation{"sigmoid", sigmoid}, Activation{"tanh", tanh}}) {
    for (const bool squared : {false, true}) {
      for (const bool adam : {true, false}) {
        manual_seed(1);
        Net other;
        other.activation = a.f;
        const auto fit = [&](auto optimizer) {
          const auto criterion = [squared](const Tensor& q, const Tensor& t) {
            return squared ? mse(q, t) : binary_cross_entropy(q, t);
          };
          Trainer t(other, std::move(optimizer), criterion, {metric::accuracy()});
          return t.fit(d.x, d.y, ten_epochs());
        };
        const History r = adam ? fit(optim::Adam(nn::parameters(other), {.lr = 0.01}))
                               : fit(optim::SGD(nn::parameters(other), {.lr = 0.1, .momentum = 0.9}));
        std::printf("    %-8s  %-14s  %-9s   %8.3f   %11.1f%%\n", a.name,
                    squared ? "squared error" : "cross entropy", adam ? "Adam" : "SGD", r["val_loss"].back(),
                    100 * r["val_accuracy"].back());
        all_learn = all_learn && r["loss"].back() < r["loss"].front();
      }
    }
  }
  expect(all_learn, "every variant lowered its loss");
  return result();
}
