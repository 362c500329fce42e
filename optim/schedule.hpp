#pragma once
#include <cstdint>
#include <vector>

#include <xgrad/core/function.hpp>
#include <xgrad/optim/optimizer.hpp>

/// Learning rates that change. A Schedule is a value, the factor as a function of time, and composes; a
/// Scheduler applies one to an optimizer. Time is counted in calls of `step()`: epochs or batches, as one
/// likes.
///
///     // up to the full rate within 500 steps, then down along a cosine to a tenth of it
///     optim::Scheduler schedule(adam, optim::linear({.from = 0.01, .steps = 500})
///                                         .then(500, optim::cosine({.steps = 9500, .to = 0.1})));
///     for (…) { …; adam.step({.zero_grad = true}); schedule.step(); }
namespace xgrad::inline v0::optim {

/// The learning rate as a multiple of the initial one, at t = 0, 1, 2, …
class Schedule {
 public:
  /// Any function of t: `Schedule([](std::int64_t t) { return 1 / std::sqrt(1.0 + t); })`.
  /// Throws ValueError for an empty one.
  Schedule(Function<double(std::int64_t)> factor) : factor_(std::move(factor)) {
    if (!factor_) xgrad::detail::throw_null("Schedule", "the function");
  }

  double operator()(std::int64_t t) const { return factor_(t); }
  /// This one while t < at, then `next`, whose time starts there. Throws ValueError for at < 0.
  Schedule then(std::int64_t at, Schedule next) const;
  /// The product of both factors.
  friend Schedule operator*(Schedule a, Schedule b);

 private:
  Function<double(std::int64_t)> factor_;
};

struct ConstantOptions {
  double factor = 1;
  std::int64_t steps = INT64_MAX;  ///< from here on the factor is 1
};
struct StepDecayOptions {
  std::int64_t every = 1;
  double factor = 0.1;
};
struct ExponentialOptions {
  double factor = 0.95;
};
struct LinearOptions {
  double from = 1;
  double to = 1;
  std::int64_t steps = 1;
};
struct CosineOptions {
  std::int64_t steps = 1;
  double to = 0;
};

/// `factor` while t < steps, then 1.
Schedule constant(const ConstantOptions& options = {});
/// factor^⌊t / every⌋
Schedule step_decay(const StepDecayOptions& options);
/// factorᵗ
Schedule exponential(const ExponentialOptions& options);
/// from + (to - from) · min(t, steps) / steps: up for a warm-up, or down.
Schedule linear(const LinearOptions& options);
/// to + (1 - to) · (1 + cos(π · min(t, steps) / steps)) / 2: from 1 down to `to`, where it stays.
/// Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5.
Schedule cosine(const CosineOptions& options);

/// Applies a Schedule to the learning rates that the optimizer's groups had when it was made. The optimizer
/// must stay where it is.
class Scheduler {
 public:
  /// Sets the rates for t = 0.
  Scheduler(Optimizer& optimizer, Schedule schedule);

  /// Moves on to the next t and sets the rates.
  void step() { set_time(time_ + 1); }
  /// t: how many steps were taken. This is what to save of a scheduler.
  std::int64_t time() const { return time_; }
  /// Jumps to t and sets the rates. Throws ValueError for t < 0.
  void set_time(std::int64_t t);

 private:
  Optimizer& optimizer_;
  Schedule schedule_;
  std::vector<double> initial_;  // rates of the groups
  std::int64_t time_ = 0;
};

struct PlateauOptions {
  double factor = 0.1;         ///< in [0, 1)
  std::int64_t patience = 10;  ///< how many steps without progress are borne
  double threshold = 1e-4;     ///< progress is more than this
  bool relative = true;        ///< … times the best value so far
  bool higher_is_better = false;
  std::int64_t cooldown = 0;  ///< steps after a reduction that do not count
  double min_lr = 0;
};

/// Reduces the learning rates when a value stops improving, as PyTorch's ReduceLROnPlateau.
class ReduceOnPlateau {
 public:
  /// What has been seen; save and restore it with `state` and `set_state`.
  struct State {
    double best = INFINITY;
    std::int64_t bad_steps = 0;
    std::int64_t cooldown = 0;
  };

  /// Throws ValueError for options outside their domain.
  explicit ReduceOnPlateau(Optimizer& optimizer, const PlateauOptions& options = {});

  /// Takes note of the value; multiplies every group's rate by `factor` after more than `patience` steps
  /// without progress. Returns whether it did. NaN is no progress.
  bool step(double value);

  const State& state() const { return state_; }
  /// Throws ValueError for counts that are negative and a best value that is NaN.
  void set_state(const State& state);

 private:
  bool better(double value) const;
  Optimizer& optimizer_;
  PlateauOptions options_;
  State state_;
};

}  // namespace xgrad::inline v0::optim
