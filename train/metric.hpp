#pragma once
#include <optional>
#include <string>

#include <xgrad/core/function.hpp>
#include <xgrad/core/tensor.hpp>

/// Metrics: what is reported beside the loss. They see each batch's predictions and targets and give one
/// number for all of them.
namespace xgrad::inline v0 {

/// What a metric does. Derive from it for one that is no mean over samples, as an area under a curve.
class MetricState {
 public:
  virtual ~MetricState() = default;
  /// Forgets all batches.
  virtual void reset() = 0;
  /// Takes a batch. Throws ShapeError or DTypeError for one that it cannot judge, and is then as it was.
  virtual void update(const Tensor& prediction, const Tensor& target) = 0;
  /// The number for all batches since `reset`.
  virtual double value() const = 0;
  /// The same metric, of no batch yet.
  virtual MetricState* clone() const = 0;
  /// Told once by a Trainer whose loss takes logits: predictions are not probabilities.
  virtual void expect_logits() {}
  /// Whether more is better.
  virtual bool maximize() const { return false; }
};

/// Any metric: one of `metric::`, or a user's own from a function of a batch.
class Metric {
 public:
  /// Takes the state, which must come from `new`. Throws ValueError for a null pointer.
  Metric(std::string name, MetricState* state) : name_(std::move(name)), state_(state) {
    if (state == nullptr) detail::throw_null("Metric", "the pointer to the state");
  }
  /// The mean of f(prediction, target) over the batches, each weighted by its number of samples:
  /// `Metric("max_error", [](const Tensor& p, const Tensor& t) { return max(abs(p - t)).item(); })`.
  Metric(std::string name, Function<double(const Tensor&, const Tensor&)> f, bool maximize = false);
  Metric(const Metric& o) : name_(o.name_), state_(o.state_->clone()) {}
  Metric(Metric&& o) noexcept : name_(std::move(o.name_)), state_(std::exchange(o.state_, nullptr)) {}
  Metric& operator=(Metric o) noexcept {
    name_.swap(o.name_);
    std::swap(state_, o.state_);
    return *this;
  }
  ~Metric() { delete state_; }

  /// Its column in a History.
  const std::string& name() const { return name_; }
  /// The same metric under another name.
  Metric named(std::string name) const {
    Metric m = *this;
    m.name_ = std::move(name);
    return m;
  }
  MetricState& state() { return *state_; }
  const MetricState& state() const { return *state_; }

 private:
  std::string name_;
  MetricState* state_;
};

namespace metric {

struct AccuracyOptions {
  /// Binary predictions above it count as 1. 0.5 for probabilities and 0 after a loss on logits unless given.
  std::optional<double> threshold = {};
};
/// The share of right predictions; what is right follows from the shapes, as in Keras:
/// - predictions with last axis 1, or of one axis: binary; right if (p > threshold) equals the target, which
///   has the same shape;
/// - targets without that axis, or with 1 there: class indices; right if the largest prediction is there;
/// - targets of the predictions' shape: one-hot or probabilities; right if the largest are at one place.
/// Of equal predictions the first counts. Throws ShapeError for other shapes.
Metric accuracy(const AccuracyOptions& options = {});

/// The mean of |p - t| over all elements. Throws ShapeError unless the shapes are equal.
Metric mae();
/// The mean of (p - t)² over all elements. Throws ShapeError unless the shapes are equal.
Metric mse();

}  // namespace metric
}  // namespace xgrad::inline v0
