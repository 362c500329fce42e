#include <fmt/core.h>

#include <cmath>
#include <xgrad/core/require.hpp>
#include <xgrad/train/metric.hpp>

namespace xgrad::inline v0 {

namespace {

/// A mean over everything seen: what nearly all metrics are.
class MeanState : public MetricState {
 public:
  void reset() override { total_ = count_ = 0; }
  double value() const override { return total_ / count_; }

 protected:
  void add(double total, std::int64_t count) {
    total_ += total;
    count_ += static_cast<double>(count);
  }

 private:
  double total_ = 0, count_ = 0;
};

/// A batch with both sides row-major; the usual case holds no more than two pointers.
class Rows {
 public:
  Rows(const Tensor& prediction, const Tensor& target)
      : p_(&prediction.array()), t_(&target.array()), copied_p_(), copied_t_() {
    if (!p_->is_contiguous()) copied_p_ = p_->contiguous(), p_ = &copied_p_;
    if (!t_->is_contiguous()) copied_t_ = t_->contiguous(), t_ = &copied_t_;
  }
  /// f(pointer to predictions, pointer to targets) with the dtypes' types.
  template <class F>
  double reduce(std::string_view op, F&& f) const {
    return dispatch_floating(op, p_->dtype(), [&]<class P>() {
      return dispatch(t_->dtype(), [&]<class T>() { return f(p_->data<P>(), t_->data<T>()); });
    });
  }

 private:
  const Array* p_;
  const Array* t_;
  Array copied_p_, copied_t_;
};

[[noreturn]] void throw_shapes(std::string_view op, const Tensor& p, const Tensor& t,
                               std::string_view problem) {
  throw ShapeError(op, fmt::format("shapes {} and {}: {}", p.shape().str(), t.shape().str(), problem));
}

template <class T>
std::int64_t first_largest(const T* v, std::int64_t n) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < n; ++i)
    if (v[i] > v[best]) best = i;
  return best;
}

class Accuracy final : public MeanState {
 public:
  explicit Accuracy(std::optional<double> threshold) : threshold_(threshold) {}
  MetricState* clone() const override {
    auto* a = new Accuracy(threshold_);
    a->logits_ = logits_;
    return a;
  }
  void expect_logits() override { logits_ = true; }
  bool maximize() const override { return true; }

  void update(const Tensor& p, const Tensor& t) override {
    detail::require_defined("accuracy", p, t);
    const Shape &ps = p.shape(), &ts = t.shape();
    const std::int64_t classes = ps.rank() < 2 ? 1 : ps.back();
    if (classes == 1) return binary(p, t);
    const std::int64_t samples = p.numel() / std::max<std::int64_t>(classes, 1);
    if (ps == ts) return categorical(p, t, samples, classes);
    bool sparse = ts.rank() == ps.rank() - 1 || (ts.rank() == ps.rank() && ts.back() == 1);
    for (int i = 0; sparse && i + 1 < ps.rank(); ++i) sparse = ts[i] == ps[i];
    if (!sparse)
      throw_shapes(
          "accuracy", p, t,
          fmt::format("predictions of {} classes take class indices {} or probabilities {}: reshape the "
                      "targets",
                      classes, without_last(ps).str(), ps.str()));
    indices(p, t, samples, classes);
  }

 private:
  static Shape without_last(Shape s) {
    s.erase(s.rank() - 1);
    return s;
  }

  void binary(const Tensor& p, const Tensor& t) {
    if (p.shape() != t.shape())
      throw_shapes(
          "accuracy", p, t,
          fmt::format("binary predictions take targets of their own shape: reshape the targets to {}",
                      p.shape().str()));
    const std::int64_t n = p.numel();
    const double threshold = threshold_.value_or(logits_ ? 0.0 : 0.5);
    add(Rows(p, t).reduce("accuracy",
                          [&]<class P, class T>(const P* a, const T* b) {
                            std::int64_t right = 0;
                            for (std::int64_t i = 0; i < n; ++i)
                              right += static_cast<double>(b[i]) == (a[i] > threshold ? 1.0 : 0.0) ? 1 : 0;
                            return static_cast<double>(right);
                          }),
        n);
  }

  void categorical(const Tensor& p, const Tensor& t, std::int64_t samples, std::int64_t classes) {
    add(Rows(p, t).reduce("accuracy",
                          [&]<class P, class T>(const P* a, const T* b) {
                            std::int64_t right = 0;
                            for (std::int64_t i = 0; i < samples; ++i, a += classes, b += classes)
                              right += first_largest(a, classes) == first_largest(b, classes) ? 1 : 0;
                            return static_cast<double>(right);
                          }),
        samples);
  }

  void indices(const Tensor& p, const Tensor& t, std::int64_t samples, std::int64_t classes) {
    add(Rows(p, t).reduce(
            "accuracy",
            [&]<class P, class T>(const P* a, const T* b) {
              std::int64_t right = 0;
              for (std::int64_t i = 0; i < samples; ++i, a += classes)
                right += static_cast<double>(first_largest(a, classes)) == static_cast<double>(b[i]) ? 1 : 0;
              return static_cast<double>(right);
            }),
        samples);
  }

  std::optional<double> threshold_;
  bool logits_ = false;
};

/// The mean of a function of the difference.
template <bool squared>
class Difference final : public MeanState {
 public:
  MetricState* clone() const override { return new Difference; }
  void update(const Tensor& p, const Tensor& t) override {
    constexpr std::string_view name = squared ? "metric mse" : "metric mae";
    detail::require_defined(name, p, t);
    if (p.shape() != t.shape())
      throw_shapes(name, p, t,
                   fmt::format("an error needs targets of the predictions' shape: reshape the targets to {}",
                               p.shape().str()));
    const std::int64_t n = p.numel();
    add(Rows(p, t).reduce(name,
                          [n]<class P, class T>(const P* a, const T* b) {
                            double total = 0;
                            for (std::int64_t i = 0; i < n; ++i) {
                              const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
                              total += squared ? d * d : std::fabs(d);
                            }
                            return total;
                          }),
        n);
  }
};

/// A user's function of a batch.
class MeanOfBatches final : public MeanState {
 public:
  using F = Function<double(const Tensor&, const Tensor&)>;
  MeanOfBatches(F f, bool maximize) : f_(std::move(f)), maximize_(maximize) {}
  MetricState* clone() const override { return new MeanOfBatches(f_, maximize_); }
  bool maximize() const override { return maximize_; }
  void update(const Tensor& p, const Tensor& t) override {
    const std::int64_t n = t.rank() > 0 ? t.size(0) : 1;
    add(f_(p, t) * static_cast<double>(n), n);
  }

 private:
  F f_;
  bool maximize_;
};

}  // namespace

Metric::Metric(std::string name, Function<double(const Tensor&, const Tensor&)> f, bool maximize)
    : Metric(std::move(name), [&]() -> MetricState* {
        if (!f) detail::throw_null("Metric", "the function");
        return new MeanOfBatches(std::move(f), maximize);
      }()) {}

namespace metric {
Metric accuracy(const AccuracyOptions& options) {
  if (options.threshold) detail::require_finite("accuracy", "threshold", *options.threshold);
  return Metric("accuracy", new Accuracy(options.threshold));
}
Metric mae() { return Metric("mae", new Difference<false>); }
Metric mse() { return Metric("mse", new Difference<true>); }
}  // namespace metric

}  // namespace xgrad::inline v0
