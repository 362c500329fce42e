#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <xgrad/xgrad.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

struct Weight {
  nn::Parameter w{tensor({0.0}, {.dtype = float64})};
  Tensor operator()(const Tensor& x) const { return w * x; }
};

/// Trains with a validation metric that takes the given values, one an epoch, whatever the model does: what
/// remains is the callback's own doing. The loss is w, so each step takes lr off w.
struct Scripted {
  std::vector<double> values;
  bool maximize = false;
  Weight model = {};

  History fit(const std::vector<Callback>& callbacks, double lr = 1) {
    std::size_t evaluations = 0;
    const Metric script(
        "script",
        [&](const Tensor&, const Tensor&) {
          // The first two calls try a batch of each part out; then training and validation alternate.
          const std::size_t call = evaluations++;
          return call < 2 ? 0.0 : values.at((call - 2) / 2);
        },
        maximize);
    Trainer trainer(model, optim::SGD(nn::parameters(model), {.lr = lr}),
                    [](const Tensor& p, const Tensor&) { return p.sum(); }, {Metric(script)});
    const Tensor one = ones({1, 1}, {.dtype = float64});
    return trainer.fit(one, one,
                       {.epochs = static_cast<int>(values.size()),
                        .validation_data = {one, one},
                        .callbacks = callbacks,
                        .verbose = 0});
  }
};

std::string text_of(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::remove(path.c_str());
  return text.str();
}

}  // namespace

TEST_CASE("early_stopping stops after patience epochs without improvement") {
  // Keras: epoch 2 is the best; epochs 3 and 4 are not better, the equal one included.
  Scripted s{{5, 4, 3, 3, 3.5, 1}};
  CHECK(s.fit({early_stopping({.monitor = "val_script", .patience = 2})}).epochs() == 5);
  CHECK(Scripted{{5, 4, 3, 3, 3.5, 1}}
            .fit({early_stopping({.monitor = "val_script", .patience = 3})})
            .epochs() == 6);
  CHECK(Scripted{{5, 6, 7}}.fit({early_stopping({.monitor = "val_script"})}).epochs() == 2);
}

TEST_CASE("improvements of less than min_delta do not count") {
  const auto epochs = [](double delta) {
    Scripted s{{5, 4.9, 4.8, 4.7, 4.6}};
    return s.fit({early_stopping({.monitor = "val_script", .min_delta = delta, .patience = 2})}).epochs();
  };
  CHECK(epochs(0.01) == 5);
  CHECK(epochs(0.25) == 3);
}

TEST_CASE("more is better where the metric says so, or the options") {
  Scripted up{{1, 2, 3, 2}, true};
  CHECK(up.fit({early_stopping({.monitor = "val_script", .patience = 1})}).epochs() == 4);
  Scripted told{{1, 2, 3, 2}};
  CHECK(told.fit({early_stopping({.monitor = "script", .patience = 1, .mode = Better::higher})}).epochs() ==
        4);
  Scripted down{{1, 2, 3, 2}};
  CHECK(down.fit({early_stopping({.monitor = "val_script", .patience = 1})}).epochs() == 2);
}

TEST_CASE("early_stopping restores the best weights when asked, also when it did not stop") {
  // w is -1 after epoch 0, -2 after epoch 1, …
  Scripted stopped{{5, 3, 4, 4, 4}};
  stopped.fit({early_stopping({.monitor = "val_script", .patience = 2, .restore_best_weights = true})});
  CHECK(stopped.model.w.item() == -2);
  Scripted ended{{5, 3, 4}};
  ended.fit({early_stopping({.monitor = "val_script", .patience = 9, .restore_best_weights = true})});
  CHECK(ended.model.w.item() == -2);
  Scripted kept{{5, 3, 4, 4, 4}};
  kept.fit({early_stopping({.monitor = "val_script", .patience = 2})});
  CHECK(kept.model.w.item() == -4);
}

TEST_CASE("a value that is not a number is no improvement") {
  Scripted s{{NAN, 3, NAN, NAN, 1}};
  s.fit({early_stopping({.monitor = "val_script", .patience = 2, .restore_best_weights = true})});
  CHECK(s.model.w.item() == -2);
}

TEST_CASE("a baseline must be beaten, and early epochs may be passed over") {
  Scripted baseline{{5, 4, 3, 2}};
  CHECK(baseline.fit({early_stopping({.monitor = "val_script", .patience = 2, .baseline = 1.0})}).epochs() ==
        4);
  Scripted stuck{{5, 5, 5, 5}};
  CHECK(
      stuck.fit({early_stopping({.monitor = "val_script", .patience = 1, .start_from_epoch = 2})}).epochs() ==
      4);
}

TEST_CASE("a callback may serve several fits") {
  const Callback stop = early_stopping({.monitor = "val_script", .patience = 1});
  CHECK(Scripted{{1, 2, 3}}.fit({stop}).epochs() == 2);
  CHECK(Scripted{{5, 4, 3}}.fit({stop}).epochs() == 3);
}

TEST_CASE("learning_rate_scheduler sets the rate before each epoch, and the history shows it") {
  Scripted s{{1, 1, 1}};
  const History h =
      s.fit({learning_rate_scheduler([](int epoch, double lr) { return epoch == 0 ? lr : lr / 2; })});
  CHECK(h["lr"] == std::vector<double>{1, 0.5, 0.25});
  CHECK(s.model.w.item() == -1.75);
}

TEST_CASE("learning_rate_scheduler applies a schedule by epochs or by batches") {
  Scripted s{{1, 1, 1}};
  CHECK(s.fit({learning_rate_scheduler(optim::linear({.from = 1, .to = 0, .steps = 4}))})["lr"] ==
        std::vector<double>{1, 0.75, 0.5});

  Weight model;
  Trainer trainer(model, optim::SGD(nn::parameters(model), {.lr = 1}),
                  [](const Tensor& p, const Tensor&) { return p.sum(); });
  const Tensor x = ones({4, 1}, {.dtype = float64});
  trainer.fit(x, x,
              {.batch_size = 1,
               .callbacks = {learning_rate_scheduler(optim::linear({.from = 1, .to = 0, .steps = 4}),
                                                     {.per_batch = true})},
               .verbose = 0});
  CHECK(model.w.item() == -(1 + 0.75 + 0.5 + 0.25));
  CHECK(trainer.optimizer().lr() == 0);
}

TEST_CASE("reduce_lr_on_plateau multiplies the rate, down to its least, after epochs without improvement") {
  Scripted s{{5, 5, 5, 5, 5, 5}};
  const History h =
      s.fit({reduce_lr_on_plateau({.monitor = "val_script", .factor = 0.5, .patience = 2, .min_lr = 0.3})});
  CHECK(h["lr"] == std::vector<double>{1, 1, 1, 0.5, 0.5, 0.3});  // the history has the rate that was used
}

TEST_CASE("csv_logger writes the history as it grows") {
  const std::string path = XGRAD_BINARY_DIR "/csv_logger_test.csv";
  Scripted s{{5, 4}};
  const History h = s.fit({csv_logger(path)});
  CHECK(text_of(path) == h.to_csv());

  std::vector<std::string> during;
  const auto reader = lambda_callback({.on_epoch_end = [&](TrainState&) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    during.push_back(text.str());
  }});
  Scripted again{{5, 4}};
  again.fit({csv_logger(path, {.separator = ';'}), reader});
  CHECK(during.at(0).substr(0, 18) == "epoch;loss;script;");
  CHECK(during.at(0).size() < during.at(1).size());
  again = {{3}};
  again.fit({csv_logger(path, {.append = true})});
  const std::string all = text_of(path);
  CHECK(all.size() > during.at(1).size());
  CHECK(all.find("epoch", 1) == std::string::npos);  // one header
}

TEST_CASE("a fit that a later callback refuses loses neither file nor learning rate") {
  const std::string path = XGRAD_BINARY_DIR "/refused_fit_test.csv";
  const auto refusal =
      lambda_callback({.on_train_begin = [](TrainState&) { throw ValueError("test", "no"); }});
  const Callback log = csv_logger(path);
  const Callback warm_up = learning_rate_scheduler(optim::linear({.from = 0, .to = 1, .steps = 4}));
  Scripted s{{5, 4}};
  double lr = 0;
  const auto refused = [&](const Callback& last) {
    Trainer trainer(s.model, optim::SGD(nn::parameters(s.model), {.lr = 1}), loss::mse);
    const Tensor one = ones({1, 1}, {.dtype = float64});
    CHECK_THROWS_AS(trainer.fit(one, one, {.callbacks = {log, warm_up, last}, .verbose = 0}), Error);
    lr = trainer.optimizer().lr();
  };
  refused(refusal);
  CHECK_FALSE(std::ifstream(path).is_open());  // nor is there a file that was not there before
  CHECK(lr == 1);

  std::ofstream(path) << "of an earlier run";
  refused(refusal);
  refused(early_stopping({.monitor = "val_accuracy"}));
  refused(learning_rate_scheduler([](int, double) { return -1.0; }));
  std::ofstream(path, std::ios::app) << ", kept";
  CHECK(text_of(path) == "of an earlier run, kept");
}

TEST_CASE("model_checkpoint refuses, before training, a folder that is not there") {
  const std::string folder = XGRAD_BINARY_DIR "/no-such-folder/";
  Scripted s{{5}};
  CHECK_THROWS_AS(s.fit({model_checkpoint(folder + "best.safetensors")}), IoError);
  CHECK_THROWS_WITH(s.fit({model_checkpoint(folder + "{epoch}.safetensors")}),
                    Catch::Contains("[model_checkpoint]") && Catch::Contains("no-such-folder/1.safetensors"));
  CHECK(s.model.w.item() == 0);
}

TEST_CASE("model_checkpoint saves each epoch under its name, or the best one") {
  const std::string folder = XGRAD_BINARY_DIR;
  Scripted s{{5, 3, 4}};
  s.fit({model_checkpoint(folder + "/each-{epoch}-{val_script:.1f}.safetensors"),
         model_checkpoint(folder + "/best.safetensors", {.monitor = "val_script", .save_best_only = true})});
  const auto saved = [&](const std::string& name) {
    const StateDict state = io::load(folder + "/" + name);
    std::remove((folder + "/" + name).c_str());
    return find(state, "w")->item();
  };
  CHECK(saved("each-1-5.0.safetensors") == -1);
  CHECK(saved("each-2-3.0.safetensors") == -2);
  CHECK(saved("each-3-4.0.safetensors") == -3);
  CHECK(saved("best.safetensors") == -2);
}

TEST_CASE("terminate_on_nan ends the training after the batch") {
  Weight model;
  int batches = 0;
  Trainer trainer(model, optim::SGD(nn::parameters(model)), loss::mse);
  const Tensor x = tensor({{1.0}, {NAN}, {1.0}, {1.0}}, {.dtype = float64});
  const History h =
      trainer.fit(x, x,
                  {.epochs = 3,
                   .batch_size = 1,
                   .shuffle = false,
                   .callbacks = {terminate_on_nan(),
                                 lambda_callback({.on_train_batch_end = [&](TrainState&) { ++batches; }})},
                   .verbose = 0});
  CHECK(batches == 2);
  CHECK(h.epochs() == 1);
}

TEST_CASE("lambda_callback is called at each point, and may change the fit") {
  std::string calls;
  const auto note = [&calls](const char* what) { return [&calls, what](TrainState&) { calls += what; }; };
  Scripted s{{1, 2, 3, 4}};
  s.fit({lambda_callback({.on_train_begin = note("("),
                          .on_train_end = note(")"),
                          .on_epoch_begin = note("<"),
                          .on_epoch_end =
                              [&calls](TrainState& state) {
                                calls += ">";
                                CHECK(state.history.last("script") == state.epoch + 1);
                                state.stop = state.epoch == 1;
                              },
                          .on_train_batch_end = note(".")})});
  CHECK(calls == "(<.><.>)");
}

TEST_CASE("a user's callback derives from CallbackHooks") {
  struct Halve : CallbackHooks {
    void on_epoch_end(TrainState& s) override { s.optimizer.set_lr(s.optimizer.lr() / 2); }
  };
  Scripted s{{1, 1, 1}};
  CHECK(s.fit({Halve{}})["lr"] == std::vector<double>{1, 0.5, 0.25});
}
