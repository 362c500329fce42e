#include <xgrad/xgrad.hpp>

#include <cmath>

#include "tests/support/folder.hpp"
#include "tests/support/refusals.hpp"

using namespace xgrad;
using Catch::Matchers::Contains;
using test::is;

namespace {

struct Net {
  nn::Linear hidden{3, 4};
  nn::BatchNorm1d norm{4};
  nn::Linear out{4, 2};
  Tensor operator()(const Tensor& x) const { return out(relu(norm(hidden(x)))); }
};

/// A trainer whose model must be as it was once a call has thrown.
struct Fixture {
  Net model;
  Trainer<Net, 1> trainer{
      model, optim::Adam(nn::parameters(model)), loss::cross_entropy, {metric::accuracy()}};
  Tensor x = ones({8, 3}), y = zeros({8}, {.dtype = int64});

  template <class E, class F>
  void refuses(F&& call, const std::string& message) {
    const StateDict before = nn::state_dict(model, {.copy = true});
    const Generator generator = default_generator();
    INFO(message);
    CHECK_THROWS_AS(call(), E);
    CHECK_THROWS_WITH(call(), Contains(message));
    const StateDict after = nn::state_dict(model);
    for (std::size_t i = 0; i < after.size(); ++i)
      CHECK(after[i].tensor.to_vector<double>() == before[i].tensor.to_vector<double>());
    for (const auto& [name, p] : nn::parameters(model)) CHECK_FALSE(p.grad().defined());
    CHECK(trainer.optimizer().state_dict().size() == 6);  // counts of steps and no moments
    CHECK(default_generator().offset() == generator.offset());
  }
  template <class E>
  void fit_refuses(FitOptions options, const std::string& message) {
    options.verbose = options.verbose == 1 ? 0 : options.verbose;
    refuses<E>([&] { trainer.fit(x, y, options); }, message);
  }
};

}  // namespace

TEST_CASE("fit refuses options outside their domain") {
  Fixture f;
  f.fit_refuses<ValueError>({.epochs = 0}, "[fit] epochs is 0: make it 1 or more");
  f.fit_refuses<ValueError>({.batch_size = 0}, "[fit] batch_size is 0: make it 1 or more");
  f.fit_refuses<ValueError>({.validation_split = 1}, "[fit] a validation split of 1 is not in (0, 1)");
  f.fit_refuses<ValueError>({.validation_split = -0.1}, "[fit] a validation split of -0.1 is not in (0, 1)");
  f.fit_refuses<ValueError>({.validation_split = 0.99}, "leaves 0 of 8 samples to train on");
  f.fit_refuses<ValueError>({.verbose = 3}, "[fit] verbose is 3");
  f.refuses<ValueError>([&] { f.trainer.fit(data::DataLoader({f.x, f.y}), {.epochs = 0}); }, "epochs is 0");
}

TEST_CASE("fit refuses data that does not go together") {
  Fixture f;
  f.fit_refuses<ShapeError>({.sample_weight = ones({7})}, "x has 8 samples and sample_weight has 7");
  f.fit_refuses<ShapeError>({.sample_weight = ones({8, 1})}, "give one weight for each sample, (8,)");
  f.refuses<ShapeError>([&] { f.trainer.fit(f.x, zeros({7}, {.dtype = int64})); },
                        "[fit] shapes (8, 3) and (7,): x has 8 samples and y has 7");
  f.refuses<ShapeError>([&] { f.trainer.fit(f.x, tensor(1)); }, "y has no axes");
  f.refuses<ValueError>(
      [&] {
        f.trainer.fit(zeros({0, 3}), zeros({0}, {.dtype = int64}));
      },
      "there are no samples");
  f.refuses<ValueError>([&] { f.trainer.fit(Tensor(), f.y); }, "x is undefined");
  f.refuses<ValueError>([&] { f.trainer.fit(f.x, Tensor()); },
                        "y is undefined: give a target for each sample");
  f.refuses<ValueError>([&] { f.trainer.fit(data::DataLoader({f.x}), {}); }, "y is undefined");
}

TEST_CASE("fit refuses, before the first step, data that model, loss or metrics do not take") {
  Fixture f;
  f.refuses<ShapeError>([&] { f.trainer.fit(ones({8, 5}), f.y); }, "(8, 5)");
  f.refuses<ShapeError>([&] { f.trainer.fit(f.x, ones({8, 3})); }, "[cross_entropy]");
  f.refuses<IndexError>([&] { f.trainer.fit(f.x, full({8}, 2)); }, "[cross_entropy]");
  f.fit_refuses<ShapeError>({.validation_data = {ones({4, 2}), zeros({4}, {.dtype = int64})}}, "(4, 2)");
  f.fit_refuses<ShapeError>({.validation_data = {ones({4, 3}), zeros({3}, {.dtype = int64})}},
                            "x has 4 samples and y has 3");
}

TEST_CASE("fit refuses, before the first step, a class index that comes in a later batch") {
  Fixture f;
  f.y = tensor({0, 1, 0, 1, 0, 1, 7, 0});
  f.fit_refuses<IndexError>({.batch_size = 2}, "target 7");
  f.y = tensor({0, 1, 0, 1, 0, -3, 1, 0});
  f.fit_refuses<IndexError>({.batch_size = 2, .shuffle = false}, "target -3");
}

TEST_CASE("fit refuses, before the first step, a last batch of one sample that BatchNorm cannot train with") {
  Fixture f;
  f.x = ones({5, 3});
  f.y = zeros({5}, {.dtype = int64});
  f.fit_refuses<ShapeError>({.batch_size = 4}, "one value a feature");
  f.fit_refuses<ShapeError>({.batch_size = 1}, "one value a feature");
  // A loader that leaves the last batch out trains.
  CHECK(f.trainer.fit(data::DataLoader({f.x, f.y}, {.batch_size = 4, .drop_last = true}), {.verbose = 0})
            .epochs() == 1);
}

TEST_CASE("fit refuses callbacks that watch what is not there") {
  Fixture f;
  f.fit_refuses<ValueError>(
      {.callbacks = {early_stopping()}},
      "[early_stopping] there is no column \"val_loss\" to monitor, only loss, accuracy, lr: "
      "give fit .validation_data or .validation_split, or monitor \"loss\"");
  f.fit_refuses<ValueError>({.callbacks = {reduce_lr_on_plateau({.monitor = "auc"})}},
                            "monitor one of these");
  f.fit_refuses<ValueError>({.callbacks = {model_checkpoint("model-{val_loss}.safetensors")}},
                            "[model_checkpoint]");
  f.fit_refuses<IoError>({.callbacks = {csv_logger("/nowhere/at/all.csv")}}, "[csv_logger] cannot write");
}

TEST_CASE("evaluate and predict refuse what they cannot run") {
  Fixture f;
  f.refuses<ValueError>([&] { f.trainer.evaluate(f.x, f.y, {.batch_size = 0}); },
                        "[evaluate] batch_size is 0");
  f.refuses<ShapeError>([&] { f.trainer.evaluate(f.x, f.y(slice(0, 3))); },
                        "[evaluate] shapes (8, 3) and (3,)");
  f.refuses<ValueError>([&] { f.trainer.evaluate(f.x, Tensor()); }, "[evaluate] y is undefined");
  f.refuses<ValueError>([&] { f.trainer.predict(f.x, {.batch_size = -2}); }, "[predict] batch_size is -2");
  f.refuses<ValueError>([&] { f.trainer.predict(Tensor()); }, "[predict] x is undefined");
  f.refuses<ShapeError>([&] { f.trainer.predict(tensor(1.0)); }, "[predict] x has shape ()");
  f.refuses<ShapeError>([&] { f.trainer.predict(ones({8, 5})); }, "(8, 5)");
}

TEST_CASE("predict refuses a model that does not return a row for each sample") {
  Net net;
  nn::Sequential model{nn::Linear{3, 2}, [](const Tensor& h) { return sum(h); }};
  Trainer trainer(model, optim::SGD(nn::parameters(model)), loss::mse);
  CHECK_THROWS_AS(trainer.predict(ones({8, 3})), ShapeError);
  CHECK_THROWS_WITH(trainer.predict(ones({8, 3})), Contains("give its result 8 rows"));
}

TEST_CASE("a loss that is no single number, or takes no weights, is refused with the remedy") {
  nn::Sequential model{nn::Linear{3, 1}};
  Trainer each(model, optim::SGD(nn::parameters(model)), loss::mse({.reduction = Reduction::none}));
  CHECK_THROWS_AS(each.fit(ones({4, 3}), ones({4, 1})), ShapeError);
  CHECK_THROWS_WITH(each.evaluate(ones({4, 3}), ones({4, 1})),
                    Contains("[evaluate] the loss has shape (4, 1)") && Contains("returns a single number"));
  Trainer plain(model, optim::SGD(nn::parameters(model)),
                [](const Tensor& p, const Tensor& t) { return mse(p, t); });
  CHECK_THROWS_WITH(plain.fit(ones({4, 3}), ones({4, 1}), {.sample_weight = ones({4})}),
                    Contains("[fit] this loss takes no sample weights"));
}

TEST_CASE("an optimizer of another model's parameters is refused") {
  nn::Sequential model{nn::Linear{3, 1}}, other = nn::clone(model);
  test::check({is<ValueError>,
               "Trainer",
               [&] { Trainer trainer(model, optim::SGD(nn::parameters(other)), loss::mse); },
               {"none of the optimizer's 2 parameters is among the model's 2", "nn::parameters(model)"}});
}

TEST_CASE("two metrics of one name are refused") {
  nn::Sequential model{nn::Linear{3, 1}};
  const auto twice = [&] {
    Trainer trainer(model, optim::SGD(nn::parameters(model)), loss::mse, {metric::mae(), metric::mae()});
  };
  CHECK_THROWS_AS(twice(), ValueError);
  CHECK_THROWS_WITH(twice(), Contains("two columns of the history would be called \"mae\""));
  Trainer renamed(model, optim::SGD(nn::parameters(model)), loss::mse,
                  {metric::mae(), metric::mae().named("error")});
  CHECK(renamed.evaluate(ones({2, 3}), ones({2, 1})).size() == 3);
}

TEST_CASE("a callback that refuses leaves what those before it would have changed") {
  const test::Folder folder;
  Fixture f;
  const std::string log = folder.file("kept\n"), absent = folder / "new.csv";
  const double lr = f.trainer.optimizer().lr();
  f.fit_refuses<ValueError>({.callbacks = {csv_logger(log), csv_logger(absent),
                                           learning_rate_scheduler(optim::constant({.factor = 0.5})),
                                           early_stopping({.monitor = "auc"})}},
                            "[early_stopping] there is no column \"auc\"");
  CHECK(test::contents(log) == "kept\n");
  CHECK_FALSE(std::filesystem::exists(absent));
  CHECK(f.trainer.optimizer().lr() == lr);
  f.fit_refuses<IoError>({.callbacks = {model_checkpoint(folder / "no/such/{epoch}.safetensors")}},
                         "no/such/1.safetensors: cannot write beside it: No such file or directory");
  f.fit_refuses<ValueError>(
      {.callbacks = {learning_rate_scheduler(optim::Schedule([](std::int64_t) { return -1.0; }))}},
      "[learning_rate_scheduler] option factor = -1 is outside [0, inf)");
}

TEST_CASE("callbacks refuse options outside their domain") {
  // clang-format off
  test::check({
      {is<ValueError>, "early_stopping", [] { early_stopping({.patience = -1}); },
       {"patience is -1", "0 or more"}},
      {is<ValueError>, "early_stopping", [] { early_stopping({.min_delta = NAN}); }, {"min_delta is nan"}},
      {is<ValueError>, "early_stopping", [] { early_stopping({.baseline = NAN}); },
       {"baseline is nan", "finite"}},
      {is<ValueError>, "early_stopping", [] { early_stopping({.start_from_epoch = -1}); },
       {"start_from_epoch is -1"}},
      {is<ValueError>, "reduce_lr_on_plateau", [] { reduce_lr_on_plateau({.factor = 1}); },
       {"factor is 1", "less than 1"}},
      {is<ValueError>, "reduce_lr_on_plateau", [] { reduce_lr_on_plateau({.patience = -1}); },
       {"patience is -1"}},
      {is<ValueError>, "reduce_lr_on_plateau", [] { reduce_lr_on_plateau({.cooldown = -1}); },
       {"cooldown is -1"}},
      {is<ValueError>, "reduce_lr_on_plateau", [] { reduce_lr_on_plateau({.min_lr = NAN}); },
       {"min_lr is nan"}},
      {is<ValueError>, "reduce_lr_on_plateau", [] { reduce_lr_on_plateau({.min_delta = NAN}); },
       {"min_delta is nan"}},
      {is<ValueError>, "csv_logger", [] { csv_logger("log.csv", {.separator = '\n'}); },
       {"end of a line", "as ','"}},
      {is<ValueError>, "learning_rate_scheduler",
       [] { learning_rate_scheduler(Function<double(int, double)>()); }, {"the function is null"}},
      {is<ValueError>, "Callback", [] { Callback(static_cast<CallbackHooks*>(nullptr)); }, {"hooks is null"}},
  });
  // clang-format on
}

TEST_CASE("metrics and histories refuse what they cannot hold") {
  Metric accuracy = metric::accuracy(), mae = metric::mae(), mse = metric::mse();
  History h({"loss", "lr"});
  h.append(std::vector<double>{0.5, 0.1});
  const History untrained({"loss"});
  const std::vector<double> short_row{1};
  const auto update = [](Metric& m, const Tensor& p, const Tensor& t) {
    return [&m, p, t] { m.state().update(p, t); };
  };
  // clang-format off
  test::check({
      {is<ShapeError>, "accuracy", update(accuracy, ones({4, 3}), ones({3})),
       {"(4, 3) and (3,)", "(4,)", "reshape"}},
      {is<ShapeError>, "accuracy", update(accuracy, ones({4, 1}), ones({4})), {"(4, 1) and (4,)", "reshape"}},
      {is<DTypeError>, "accuracy", update(accuracy, tensor({1, 0}), tensor({1, 0})), {"got int64"}},
      {is<ValueError>, "accuracy", update(accuracy, ones({4}), Tensor()), {"input 1 is an undefined"}},
      {is<ValueError>, "accuracy", [] { metric::accuracy({.threshold = NAN}); }, {"threshold is nan"}},
      {is<ShapeError>, "metric mae", update(mae, ones({4, 1}), ones({4})), {"(4, 1) and (4,)", "reshape"}},
      {is<ShapeError>, "metric mse", update(mse, ones({4}), ones({4, 1})), {"(4,) and (4, 1)"}},
      {is<ValueError>, "Metric", [] { Metric("m", static_cast<MetricState*>(nullptr)); }, {"state is null"}},
      {is<ValueError>, "Metric", [] { Metric("m", Function<double(const Tensor&, const Tensor&)>()); },
       {"the function is null"}},
      {is<ValueError>, "History", [] { History({"loss", "loss"}); }, {"two of the columns", "\"loss\""}},
      {is<ValueError>, "History", [&] { h["val_loss"]; },
       {"no column \"val_loss\"", "choose among loss, lr"}},
      {is<ValueError>, "History", [&] { untrained.last("loss"); }, {"no epoch yet", "train for at least one"}},
      {is<IndexError>, "History", [&] { h.row(1); }, {"epoch 1 of 1", "from 0"}},
      {is<ValueError>, "History", [&] { h.append(short_row); }, {"a row of 1 values for 2 columns"}},
      {is<ValueError>, "History::to_csv", [&] { h.to_csv('"'); },
       {"separator is a quote", "as ','"}},
      {is<IoError>, "History::write_csv", [&] { h.write_csv("/no/such/folder/h.csv"); },
       {"/no/such/folder/h.csv: cannot write"}},
  });
  // clang-format on
  CHECK(h.epochs() == 1);
}
