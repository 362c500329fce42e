// Diabetes: a table from the world, and the questions that come with it.
//
// 768 women of the Pima people near Phoenix: eight measurements of each, and whether she was found to have
// diabetes within five years (Smith et al. 1988). Can the measurements tell? The network is small, 8 → 10 → 8
// → 1. The work is in what surrounds it: reading a file, values that are missing, setting data aside, and
// choosing among variants without fooling oneself.
#include <xgrad/xgrad.hpp>

#include <cstdio>
#include <string_view>
#include <vector>

#include "tutorial.hpp"

using namespace xgrad;

// ---- the data

data::Dataset read_patients() {
  // The file has a header and nine columns; the last says neg or pos, which `classes` makes 0 and 1. Targets
  // get the shape of the network's answers, (768, 1), and its dtype.
  const data::Csv table = data::read_csv(XGRAD_DATA_DIR "/pima-indians-diabetes.csv");
  const Tensor measurements = table.values_without({"diabetes"});
  const Tensor diabetes = table.classes("diabetes").astype(float32).reshape({-1, 1});
  std::printf("  %d patients\n", static_cast<int>(table.rows()));

  // Nobody has a blood pressure of 0: in five columns 0 means "not measured". A network would take it for a
  // very low value, so the mean of those measured goes there. `known` is a table of truths, (768, 8), and
  // `where` chooses by it, element by element.
  const Tensor zero_is_a_value = tensor({true, false, false, false, false, false, true, true});
  const Tensor known = logical_or(measurements != 0, zero_is_a_value);
  const Tensor means = sum(measurements * known, 0) / sum(known, 0);
  show("not measured", to_string(sum(logical_not(known), 0)));
  return {where(known, measurements, means), diabetes};
}

// ---- the variants

struct Variant {
  std::string_view hidden;     // the activation of the hidden layers
  std::string_view loss;       // what training minimises
  std::string_view optimizer;  // and how
};

// A Sequential holds functions as well as modules, so the activation can be chosen while the program runs.
nn::Sequential make_model(std::string_view hidden) {
  using ActivationFunction = Tensor (*)(Tensor);
  const ActivationFunction activation = hidden == "relu"   ? ActivationFunction(relu)
                                        : hidden == "tanh" ? ActivationFunction(tanh)
                                                           : ActivationFunction(sigmoid);
  return {nn::Linear{8, 10}, activation, nn::Linear{10, 8}, activation, nn::Linear{8, 1}, nn::Sigmoid{}};
}

// What came of training a variant.
struct Outcome {
  nn::Sequential model;
  History history;
};

Outcome train(const Variant& variant, const data::Dataset& patients) {
  manual_seed(3);  // the same beginning for all, as far as there can be one
  Outcome outcome{make_model(variant.hidden), {}};

  // Both optimizers are made, and one is used. The network's last layer is a sigmoid, so its answer is a
  // probability, and both losses make sense of it.
  const auto parameters = nn::parameters(outcome.model);
  optim::SGD sgd(parameters, {.lr = 0.1, .momentum = 0.9});
  optim::Adam adam(parameters, {.lr = 0.01});
  optim::Optimizer* const optimizer =
      variant.optimizer == "SGD" ? static_cast<optim::Optimizer*>(&sgd) : &adam;
  const auto loss = [&](const Tensor& prediction, const Tensor& target) {
    return variant.loss == "mse" ? mse(prediction, target) : binary_cross_entropy(prediction, target);
  };

  // A fifth of the patients is kept for validation: measured after every epoch, never trained on.
  Trainer trainer(outcome.model, *optimizer, loss, {metric::accuracy()});
  outcome.history = trainer.fit(patients.x, patients.y,
                                {.epochs = 10, .batch_size = 32, .validation_split = 0.2, .verbose = 0});
  return outcome;
}

// ---- reports

// How often which answer was given to whom. Accuracy alone hides whether the sick or the healthy are missed.
void print_confusion(const Tensor& probability, const Tensor& truth) {
  const Tensor says_yes = probability > 0.5, is_yes = truth > 0.5;
  const auto count = [](const Tensor& which) { return static_cast<int>(count_nonzero(which).item()); };
  const int hits = count(logical_and(says_yes, is_yes)),
            missed = count(logical_and(logical_not(says_yes), is_yes));
  const int alarms = count(logical_and(says_yes, logical_not(is_yes)));
  const int rest = static_cast<int>(truth.numel()) - hits - missed - alarms;
  std::printf("                     predicted\n");
  std::printf("                  healthy   sick\n");
  std::printf("  truly healthy  %8d %6d\n", rest, alarms);
  std::printf("  truly sick     %8d %6d\n", missed, hits);
  std::printf("  of the sick, %.0f%% were found; of those called sick, %.0f%% are\n",
              100.0 * hits / (hits + missed), 100.0 * hits / (hits + alarms));
}

int main() {
  section("1. The data");
  const data::Dataset all = read_patients();
  show("the first patient", to_string(all.x(0)));

  // A fifth of the patients goes into a drawer, to be looked at once, at the very end. The others are for
  // training and for choosing.
  const auto [patients, drawer] = data::split(all, 0.2, {.shuffle = true, .seed = 1});
  std::printf("  %d patients to learn from, %d in the drawer\n", static_cast<int>(patients.size()),
              static_cast<int>(drawer.size()));

  // Ages are tens, insulin is hundreds: each column is brought to mean 0 and spread 1, as measured on the
  // patients to learn from.
  const data::Normalizer normalize(patients.x);
  const data::Dataset known{normalize(patients.x), patients.y};
  const double healthy = 1 - mean(patients.y).item();
  std::printf("  %.1f%% are healthy, so always saying \"healthy\" is right as often\n", 100 * healthy);

  section("2. Twelve variants");
  std::printf("  hidden   loss           optimizer   loss     accuracy   on validation\n");
  Variant best{};
  double best_accuracy = 0;
  for (const char* hidden : {"relu", "sigmoid", "tanh"}) {
    for (const char* loss : {"cross entropy", "mse"}) {
      for (const char* optimizer : {"SGD", "Adam"}) {
        const Variant variant{hidden, loss, optimizer};
        const History history = train(variant, known).history;
        const double accuracy = history.last("val_accuracy");
        std::printf("  %-8s %-14s %-11s %.4f   %.3f      %.3f\n", hidden, loss, optimizer,
                    history.last("loss"), history.last("accuracy"), accuracy);
        if (accuracy > best_accuracy) {
          best = variant;
          best_accuracy = accuracy;
        }
      }
    }
  }
  // The two losses are different measures and cannot be compared; accuracies can. Most variants do about as
  // well, which is usual: with so few patients, differences of two or three hundredths are chance. One
  // combination is worse: sigmoids pass little of a gradient on, the squared error's is small to begin with,
  // and SGD, unlike Adam, does not make up for it, so ten epochs are not enough.
  std::printf("  best on validation: %s, %s, %s\n", best.hidden.data(), best.loss.data(),
              best.optimizer.data());
  expect(best_accuracy > healthy + 0.05, "the best variant is better than always saying \"healthy\"");

  section("3. The best one, epoch by epoch");
  Outcome chosen = train(best, known);
  for (std::size_t epoch = 0; epoch < chosen.history.epochs(); ++epoch) {
    std::printf("  epoch %2d: loss %.4f, on validation %.4f, accuracy %.3f\n", static_cast<int>(epoch) + 1,
                chosen.history["loss"][epoch], chosen.history["val_loss"][epoch],
                chosen.history["val_accuracy"][epoch]);
  }

  section("4. The drawer");
  // It was the best of twelve on few patients, so luck had a part in its accuracy there. How good it is can
  // only be seen on patients that had no part in training or choosing.
  // (A Trainer always brings an optimizer along; evaluate and predict do not use it.)
  const data::Dataset unseen{normalize(drawer.x), drawer.y};
  Trainer trainer(chosen.model, optim::SGD(nn::parameters(chosen.model)), loss::binary_cross_entropy,
                  {metric::accuracy()});
  const auto [loss, accuracy] = trainer.evaluate(unseen.x, unseen.y);
  std::printf("  loss %.4f, accuracy %.3f\n\n", loss, accuracy);
  const Tensor probability = trainer.predict(unseen.x);
  print_confusion(probability, unseen.y);
  std::puts("");
  for (int i = 0; i < 3; ++i) {
    std::printf("  patient %d: diabetes with probability %.2f; she %s\n", i + 1, probability(i, 0).item(),
                unseen.y(i, 0).item() > 0.5 ? "had it" : "had not");
  }
  expect(accuracy > 0.7, "more than 70% right on patients it has never seen");

  std::puts("\nNext: custom_op/main.cpp, an operation of your own.");
  return result();
}
