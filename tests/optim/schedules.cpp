#include <cmath>
#include <xgrad/core/create.hpp>
#include <xgrad/optim/schedule.hpp>
#include <xgrad/optim/sgd.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

struct Trace {
  const char* name;
  std::vector<std::vector<double>> float64, float32;
};
struct Rates {
  const char* name;
  std::vector<double> lr;
};
#include "tests/optim/traces.inc"

optim::SGD sgd() { return optim::SGD({ones({1}, {.requires_grad = true})}, {.lr = 0.5}); }

const std::vector<double>& expected(std::string_view name) {
  for (const Rates& r : rates)
    if (r.name == name) return r.lr;
  FAIL("no rates for " << name);
  return rates[0].lr;
}

void check(std::string_view name, const optim::Schedule& schedule) {
  optim::SGD optimizer = sgd();
  optim::Scheduler scheduler(optimizer, schedule);
  for (const double lr : expected(name)) {
    CAPTURE(name, scheduler.time());
    CHECK(optimizer.lr() == Approx(lr).epsilon(1e-12).margin(1e-15));
    scheduler.step();
  }
}

void check_plateau(std::string_view name, const optim::PlateauOptions& options, double sign = 1) {
  optim::SGD optimizer = sgd();
  optim::ReduceOnPlateau plateau(optimizer, options);
  for (std::size_t t = 0; t < losses.size(); ++t) {
    plateau.step(sign * losses[t]);
    CAPTURE(name, t);
    CHECK(optimizer.lr() == Approx(expected(name)[t]).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE("schedules give PyTorch's learning rates") {
  using namespace optim;
  check("constant", constant({.factor = 0.25, .steps = 5}));
  check("step_decay", step_decay({.every = 7, .factor = 0.3}));
  check("exponential", exponential({.factor = 0.9}));
  check("linear_up", linear({.from = 0.1, .steps = 12}));
  check("linear_down", linear({.to = 0, .steps = 20}));
  check("cosine", cosine({.steps = 29, .to = 0.1}));
}

TEST_CASE("schedules compose one after the other and as products") {
  using namespace optim;
  check("warmup_cosine", linear({.from = 0.2, .steps = 5}).then(5, cosine({.steps = 25})));
  check("product", constant({.factor = 0.1, .steps = 5}) * exponential({.factor = 0.9}));
  const Schedule own([](std::int64_t t) { return 1 / std::sqrt(1.0 + static_cast<double>(t)); });
  CHECK((own * constant({.factor = 0.5}))(3) == 0.25);
}

TEST_CASE("reduce on plateau follows PyTorch's") {
  check_plateau("plateau", {.factor = 0.5, .patience = 2});
  check_plateau("plateau_cooldown", {.patience = 1, .cooldown = 3, .min_lr = 0.001});
  check_plateau(
      "plateau_absolute_higher",
      {.factor = 0.5, .patience = 1, .threshold = 0.05, .relative = false, .higher_is_better = true}, -1);
}

TEST_CASE("NaN is no progress") {
  optim::SGD optimizer = sgd();
  optim::ReduceOnPlateau plateau(optimizer, {.patience = 0});
  CHECK_FALSE(plateau.step(1));
  CHECK(plateau.step(NAN));
  CHECK(plateau.state().best == 1);
}

TEST_CASE("a schedule scales the rate of every group and resumes at any time") {
  const Tensor x = ones({1}, {.requires_grad = true}), y = ones({1}, {.requires_grad = true});
  optim::SGD optimizer({x}, {.lr = 1});
  optimizer.group({y}, {.lr = 0.5});
  optim::Scheduler schedule(optimizer, optim::exponential({.factor = 0.5}));
  schedule.step();
  CHECK(optimizer.lr(0) == 0.5);
  CHECK(optimizer.lr(1) == 0.25);
  schedule.set_time(3);
  CHECK(schedule.time() == 3);
  CHECK(optimizer.lr(0) == 0.125);
}

TEST_CASE("bad options of schedules are refused with a reason") {
  using Catch::Contains;
  CHECK_THROWS_WITH(optim::step_decay({.every = 0}),
                    Contains("[step_decay] option every = 0: give at least 1"));
  CHECK_THROWS_WITH(optim::exponential({.factor = -1}),
                    Contains("[exponential] option factor = -1 is outside"));
  CHECK_THROWS_WITH(optim::linear({.from = NAN}), Contains("[linear] option from = nan"));
  CHECK_THROWS_WITH(optim::linear({.steps = 0}), Contains("[linear] option steps = 0"));
  CHECK_THROWS_WITH(optim::cosine({.steps = -3}), Contains("[cosine] option steps = -3"));
  CHECK_THROWS_WITH(optim::constant({.steps = -1}), Contains("[constant] option steps = -1"));
  CHECK_THROWS_WITH(optim::constant().then(-1, optim::constant()), Contains("[then] at = -1"));
  optim::SGD optimizer = sgd();
  CHECK_THROWS_WITH(optim::ReduceOnPlateau(optimizer, {.factor = 1}),
                    Contains("[reduce_on_plateau] option factor = 1"));
  optim::Scheduler schedule(optimizer, optim::constant());
  CHECK_THROWS_WITH(schedule.set_time(-1), Contains("[set_time] t = -1"));
  CHECK(optimizer.lr() == 0.5);
}
