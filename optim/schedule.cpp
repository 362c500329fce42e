#include <fmt/core.h>

#include <algorithm>
#include <numbers>
#include <xgrad/optim/schedule.hpp>

namespace xgrad::inline v0::optim {
namespace {

void check_steps(std::string_view op, std::string_view option, std::int64_t value, std::int64_t least) {
  if (value < least) throw ValueError(op, fmt::format("{} = {}: give at least {}", option, value, least));
}

/// How far t is on the way to `steps`, from 0 to 1.
double progress(std::int64_t t, std::int64_t steps) {
  return static_cast<double>(std::min(t, steps)) / static_cast<double>(steps);
}

}  // namespace

Schedule Schedule::then(std::int64_t at, Schedule next) const {
  check_steps("then", "at", at, 0);
  return Schedule([at, first = *this, next = std::move(next)](std::int64_t t) {
    return t < at ? first(t) : next(t - at);
  });
}

Schedule operator*(Schedule a, Schedule b) {
  return Schedule([a = std::move(a), b = std::move(b)](std::int64_t t) { return a(t) * b(t); });
}

Schedule constant(const ConstantOptions& o) {
  check_option("constant", "factor", o.factor, 0);
  check_steps("constant", "option steps", o.steps, 0);
  return Schedule([o](std::int64_t t) { return t < o.steps ? o.factor : 1.0; });
}

Schedule step_decay(const StepDecayOptions& o) {
  check_option("step_decay", "factor", o.factor, 0);
  check_steps("step_decay", "option every", o.every, 1);
  return Schedule([o](std::int64_t t) { return std::pow(o.factor, static_cast<double>(t / o.every)); });
}

Schedule exponential(const ExponentialOptions& o) {
  check_option("exponential", "factor", o.factor, 0);
  return Schedule([o](std::int64_t t) { return std::pow(o.factor, static_cast<double>(t)); });
}

Schedule linear(const LinearOptions& o) {
  check_option("linear", "from", o.from, 0);
  check_option("linear", "to", o.to, 0);
  check_steps("linear", "option steps", o.steps, 1);
  return Schedule([o](std::int64_t t) { return o.from + (o.to - o.from) * progress(t, o.steps); });
}

Schedule cosine(const CosineOptions& o) {
  check_option("cosine", "to", o.to, 0);
  check_steps("cosine", "option steps", o.steps, 1);
  return Schedule([o](std::int64_t t) {
    return o.to + (1 - o.to) * (1 + std::cos(std::numbers::pi * progress(t, o.steps))) / 2;
  });
}

Scheduler::Scheduler(Optimizer& optimizer, Schedule schedule)
    : optimizer_(optimizer), schedule_(std::move(schedule)) {
  set_time(0);
}

void Scheduler::set_time(std::int64_t t) {
  check_steps("set_time", "t", t, 0);
  // A group that was added later starts from the rate it has now.
  for (int k = static_cast<int>(initial_.size()); k < optimizer_.groups(); ++k)
    initial_.push_back(optimizer_.lr(k));
  const double factor = schedule_(t);
  check_option("schedule", "factor", factor, 0);
  for (int k = 0; k < optimizer_.groups(); ++k)
    optimizer_.set_lr(initial_[static_cast<std::size_t>(k)] * factor, k);
  time_ = t;
}

ReduceOnPlateau::ReduceOnPlateau(Optimizer& optimizer, const PlateauOptions& o)
    : optimizer_(optimizer), options_(o) {
  constexpr std::string_view op = "reduce_on_plateau";
  check_option(op, "factor", o.factor, 0, 1);
  check_option(op, "threshold", o.threshold, 0);
  check_option(op, "min_lr", o.min_lr, 0);
  check_steps(op, "option patience", o.patience, 0);
  check_steps(op, "option cooldown", o.cooldown, 0);
  if (o.higher_is_better) state_.best = -INFINITY;
}

void ReduceOnPlateau::set_state(const State& state) {
  constexpr std::string_view op = "ReduceOnPlateau::set_state";
  check_steps(op, "bad_steps", state.bad_steps, 0);
  check_steps(op, "cooldown", state.cooldown, 0);
  if (std::isnan(state.best))
    throw ValueError(op, "best is NaN: give the best value so far, or infinity for none");
  state_ = state;
}

bool ReduceOnPlateau::better(double value) const {
  const double best = state_.best, t = options_.threshold;
  if (options_.higher_is_better) return value > (options_.relative ? best * (1 + t) : best + t);
  return value < (options_.relative ? best * (1 - t) : best - t);
}

bool ReduceOnPlateau::step(double value) {
  if (better(value)) {
    state_.best = value;
    state_.bad_steps = 0;
  } else {
    ++state_.bad_steps;
  }
  if (state_.cooldown > 0) {
    --state_.cooldown;
    state_.bad_steps = 0;
  }
  if (state_.bad_steps <= options_.patience) return false;
  for (int k = 0; k < optimizer_.groups(); ++k) {
    const double lr = optimizer_.lr(k), reduced = std::max(lr * options_.factor, options_.min_lr);
    if (lr - reduced > 1e-8) optimizer_.set_lr(reduced, k);  // as PyTorch: smaller changes are not worth it
  }
  state_.cooldown = options_.cooldown;
  state_.bad_steps = 0;
  return true;
}

}  // namespace xgrad::inline v0::optim
