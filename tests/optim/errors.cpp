#include <cmath>
#include <xgrad/core/create.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/optim/adam.hpp>
#include <xgrad/optim/clip.hpp>
#include <xgrad/optim/rmsprop.hpp>
#include <xgrad/optim/schedule.hpp>
#include <xgrad/optim/sgd.hpp>

#include "tests/support/refusals.hpp"

using namespace xgrad;
using test::is;

namespace {

Tensor leaf(const char* name, const Shape& shape = {2}) {
  const Tensor t = ones(shape, {.requires_grad = true});
  t.set_name(name);
  return t;
}

}  // namespace

TEST_CASE("optimizers refuse parameters that they cannot step") {
  const Tensor w = leaf("w"), other = leaf("w", {3});
  // clang-format off
  test::check({
      {is<ValueError>, "sgd", [] { optim::SGD(std::vector<Tensor>{}); },
       {"list of parameters is empty", "nn::parameters(model)"}},
      {is<ValueError>, "adam", [] { optim::Adam({Tensor()}); }, {"parameter \"0\" is undefined", "value"}},
      {is<DTypeError>, "sgd", [] { optim::SGD({tensor({1, 2})}); },
       {"\"0\" of shape (2,) is int64", "leave it out"}},
      {is<GraphError>, "adamw", [&] { optim::AdamW({w * 2}); },
       {"(2,) is the result of mul", "pass the leaves"}},
      {is<ShapeError>, "rmsprop", [] { optim::RMSprop({Tensor(ones({3, 4}).array().slice(1, 0, 2))}); },
       {"(3, 2) with strides (4, 1)", "a copy of its own"}},
      {is<ValueError>, "sgd", [&] { optim::SGD({w, other}); },
       {"shape (3,), are called \"w\"", "different ones"}},
  });
  // clang-format on
}

TEST_CASE("optimizers refuse options outside their domain") {
  const Tensor w = leaf("w");
  // clang-format off
  test::check({
      {is<ValueError>, "sgd", [&] { optim::SGD({w}, {.lr = -1}); },
       {"lr = -1 is outside [0, inf)", "within"}},
      {is<ValueError>, "sgd", [&] { optim::SGD({w}, {.lr = NAN}); }, {"lr = nan"}},
      {is<ValueError>, "sgd", [&] { optim::SGD({w}, {.momentum = -0.1}); }, {"momentum = -0.1"}},
      {is<ValueError>, "sgd", [&] { optim::SGD({w}, {.dampening = NAN}); }, {"dampening = nan"}},
      {is<ValueError>, "sgd", [&] { optim::SGD({w}, {.nesterov = true}); },
       {"nesterov needs momentum", ".momentum = 0.9"}},
      {is<ValueError>, "sgd", [&] { optim::SGD({w}, {.weight_decay = INFINITY}); }, {"weight_decay = inf"}},
      {is<ValueError>, "sgd", [&] { optim::SGD({w}, {.clip_norm = 0}); },
       {"clip_norm = 0 would stop", "positive"}},
      {is<ValueError>, "sgd", [&] { optim::SGD({w}, {.clip_value = NAN}); }, {"clip_value = nan"}},
      {is<ValueError>, "adam", [&] { optim::Adam({w}, {.betas = {1, 0.999}}); },
       {"betas[0] = 1 is outside [0, 1)"}},
      {is<ValueError>, "adam", [&] { optim::Adam({w}, {.betas = {0.9, -1}}); }, {"betas[1] = -1"}},
      {is<ValueError>, "adam", [&] { optim::Adam({w}, {.eps = -1}); }, {"eps = -1"}},
      {is<ValueError>, "adamw", [&] { optim::AdamW({w}, {.weight_decay = -1}); }, {"weight_decay = -1"}},
      {is<ValueError>, "rmsprop", [&] { optim::RMSprop({w}, {.alpha = 1}); }, {"alpha = 1"}},
      {is<ValueError>, "rmsprop", [&] { optim::RMSprop({w}, {.eps = NAN}); }, {"eps = nan"}},
      {is<ValueError>, "rmsprop", [&] { optim::RMSprop({w}, {.momentum = INFINITY}); }, {"momentum = inf"}},
  });
  // clang-format on
}

TEST_CASE("misuse of an optimizer is refused, and it goes on as it would have") {
  const Tensor w = leaf("w"), b = leaf("b", {3});
  optim::Adam adam({w, b}, {.lr = 0.1});
  sum(w * w).backward();
  adam.step();
  const StateDict before = adam.state_dict();
  const auto changed = [&](const char* name, const Tensor& t) {
    StateDict s = before;
    for (NamedTensor& e : s)
      if (e.name == name) e.tensor = t;
    return s;
  };
  StateDict missing = before, more = before, twice = before;
  missing.erase(missing.begin() + 1);
  more.push_back({"c.step", tensor(1)});
  twice.push_back(before.front());
  const auto load = [&](const StateDict& s) { adam.load_state_dict(s); };
  // clang-format off
  test::check({
      {is<IndexError>, "adam", [&] { adam.lr(1); }, {"group 1 of 1", "use 0 to 0"}},
      {is<ValueError>, "adam", [&] { adam.set_lr(NAN); }, {"lr = nan"}},
      {is<IndexError>, "adam", [&] { adam.set_lr(0.1, -1); }, {"group -1"}},
      {is<IndexError>, "adam", [&] { adam.parameters(2); }, {"group 2"}},
      {is<IndexError>, "adam", [&] { adam.options(1); }, {"group 1"}},
      {is<ValueError>, "adam", [&] { adam.set_options({.lr = -1}); }, {"lr = -1"}},
      {is<IndexError>, "adam", [&] { adam.set_options({.lr = 1}, 3); }, {"group 3"}},
      {is<ValueError>, "adam", [&] { adam.group({w}, {.lr = 1}); },
       {"\"w\" belongs to another group", "group(pattern"}},
      {is<ValueError>, "adam", [&] { adam.group("*.bias", {.lr = 1}); },
       {"no parameter's name matches \"*.bias\""}},
      {is<ValueError>, "load_state_dict", [&] { load(missing); },
       {"adam needs \"w.exp_avg\"", "same optimizer"}},
      {is<ValueError>, "load_state_dict", [&] { load(more); }, {"no place for 1", "\"c.step\""}},
      {is<ValueError>, "load_state_dict", [&] { load(twice); }, {"two entries are called \"w.step\""}},
      {is<ValueError>, "load_state_dict", [&] { load(changed("w.exp_avg", {})); },
       {"\"w.exp_avg\" is undefined"}},
      {is<ShapeError>, "load_state_dict", [&] { load(changed("w.exp_avg", ones({3}))); },
       {"shape (3,), and (2,) here"}},
      {is<DTypeError>, "load_state_dict", [&] { load(changed("w.step", tensor(1.0))); },
       {"float32, and int64 here"}},
      {is<ValueError>, "load_state_dict", [&] { load(changed("w.step", tensor(-1))); }, {"\"w.step\" is -1"}},
  });
  // clang-format on
  CHECK(adam.groups() == 1);
  CHECK(adam.lr() == 0.1);
  const StateDict after = adam.state_dict();
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < after.size(); ++i)
    CHECK(after[i].tensor.to_vector<double>() == before[i].tensor.to_vector<double>());
}

TEST_CASE("wrong clipping is refused, and the gradients stay") {
  const Tensor w = leaf("w");
  w.set_grad(tensor({3.0, 4.0}));
  // clang-format off
  test::check({
      {is<ValueError>, "clip_grad_norm", [&] { optim::clip_grad_norm({w}, 0); },
       {"max_norm = 0", "positive"}},
      {is<ValueError>, "clip_grad_norm", [&] { optim::clip_grad_norm({w, Tensor()}, 1); }, {"undefined"}},
      {is<ValueError>, "clip_grad_value", [&] { optim::clip_grad_value({w}, NAN); }, {"limit = nan"}},
      {is<ValueError>, "clip_grad_value", [&] { optim::clip_grad_value({w, Tensor()}, 1); }, {"undefined"}},
  });
  // clang-format on
  CHECK(w.grad().to_vector<double>() == std::vector<double>{3, 4});
}

TEST_CASE("wrong schedules are refused, and the learning rate stays") {
  using namespace optim;
  SGD sgd({leaf("w")}, {.lr = 0.5});
  Scheduler scheduler(sgd, constant());
  ReduceOnPlateau plateau(sgd);
  // clang-format off
  test::check({
      {is<ValueError>, "Schedule", [] { Schedule(nullptr); }, {"the function is null", "can be called"}},
      {is<ValueError>, "then", [] { constant().then(-1, constant()); }, {"at = -1", "at least 0"}},
      {is<ValueError>, "constant", [] { constant({.factor = -1}); }, {"factor = -1"}},
      {is<ValueError>, "constant", [] { constant({.steps = -1}); }, {"steps = -1", "at least 0"}},
      {is<ValueError>, "step_decay", [] { step_decay({.every = 0}); }, {"every = 0", "at least 1"}},
      {is<ValueError>, "step_decay", [] { step_decay({.factor = NAN}); }, {"factor = nan"}},
      {is<ValueError>, "exponential", [] { exponential({.factor = -0.5}); }, {"factor = -0.5"}},
      {is<ValueError>, "linear", [] { linear({.from = -1}); }, {"from = -1"}},
      {is<ValueError>, "linear", [] { linear({.to = INFINITY}); }, {"to = inf"}},
      {is<ValueError>, "linear", [] { linear({.steps = 0}); }, {"steps = 0"}},
      {is<ValueError>, "cosine", [] { cosine({.steps = 0}); }, {"steps = 0"}},
      {is<ValueError>, "cosine", [] { cosine({.steps = 1, .to = NAN}); }, {"to = nan"}},
      {is<ValueError>, "set_time", [&] { scheduler.set_time(-1); }, {"t = -1", "at least 0"}},
      {is<ValueError>, "schedule", [&] { Scheduler bad(sgd, Schedule([](std::int64_t) { return NAN; })); },
       {"factor = nan", "within"}},
      {is<ValueError>, "reduce_on_plateau", [&] { ReduceOnPlateau(sgd, {.factor = 1}); },
       {"factor = 1", "[0, 1)"}},
      {is<ValueError>, "reduce_on_plateau", [&] { ReduceOnPlateau(sgd, {.patience = -1}); },
       {"patience = -1"}},
      {is<ValueError>, "reduce_on_plateau", [&] { ReduceOnPlateau(sgd, {.threshold = NAN}); },
       {"threshold = nan"}},
      {is<ValueError>, "reduce_on_plateau", [&] { ReduceOnPlateau(sgd, {.cooldown = -1}); },
       {"cooldown = -1"}},
      {is<ValueError>, "reduce_on_plateau", [&] { ReduceOnPlateau(sgd, {.min_lr = -1}); }, {"min_lr = -1"}},
      {is<ValueError>, "ReduceOnPlateau::set_state", [&] { plateau.set_state({.best = NAN}); },
       {"best is NaN"}},
      {is<ValueError>, "ReduceOnPlateau::set_state", [&] { plateau.set_state({.bad_steps = -1}); },
       {"bad_steps = -1"}},
  });
  // clang-format on
  CHECK(sgd.lr() == 0.5);
  CHECK(scheduler.time() == 0);
  CHECK(plateau.state().bad_steps == 0);
}
