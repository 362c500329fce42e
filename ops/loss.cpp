#include <fmt/core.h>

#include <cmath>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/kernels/reduce.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0 {
namespace {

/// Loss values of any shape, reduced.
Array reduce_losses(const Array& values, Reduction reduction) {
  if (reduction == Reduction::none) return values;
  return dispatch_floating("loss", values.dtype(), [&]<class T>() {
    if (values.numel() == 1) return Array::scalar(*values.data<T>());  // is its own sum and mean
    const Array v = values.contiguous();
    T total = 0;
    kernels::reduce_rows<kernels::SumReducer>(v.data<T>(), 1, v.numel(), v.numel(), &total);
    return Array::scalar(reduction == Reduction::mean ? static_cast<T>(total / static_cast<T>(v.numel()))
                                                      : total);
  });
}

/// The cotangent of each loss value, as a 0-d array or one of their shape.
Array spread(const Array& dy, std::int64_t count, Reduction reduction) {
  if (reduction != Reduction::mean || count == 1) return dy;
  return dispatch_floating("loss", dy.dtype(), [&]<class T>() {
    return Array::scalar(static_cast<T>(dy.value<T>() / static_cast<T>(count)));  // a mean is 0-d
  });
}
Tensor spread(const Tensor& dy, std::int64_t count, Reduction reduction) {
  return reduction == Reduction::mean ? dy / static_cast<double>(count) : dy;
}

Array reference_reduced(std::vector<double> values, const Shape& shape, Reduction reduction) {
  if (reduction == Reduction::none) return Array::from<double>(values, shape);
  long double total = 0;
  for (double v : values) total += v;
  if (reduction == Reduction::mean) total /= static_cast<long double>(values.size());
  return Array::scalar(static_cast<double>(total));
}

/// A loss of pairs (p, t), value and reduction in one op. The rule gives
///   value(), slope()    lambdas on packs: the loss, and its derivative in p
///   slope_p, slope_t    the derivatives in p and t, differentiable
///   loss                the value once more, for the reference
template <class Rule>
struct PairLoss {
  static constexpr std::string_view name = Rule::name;
  static constexpr std::string_view inputs[] = {"prediction", "target"};
  static std::vector<Sample> samples() {
    std::vector<Sample> all;
    for (Reduction r : {Reduction::none, Reduction::mean, Reduction::sum})
      for (const Rule& rule : Rule::variants())
        for (const Shape& s :
             {Shape{3, 4}, Shape{}, Shape{1}, Shape{2, 3, 2, 2}, Shape{0, 3}, Shape{331, 257}}) {
          if (s.numel() == 0 && r == Reduction::mean) continue;  // 0 / 0
          Sample pair = Rule::ranges(sample(PairLoss{rule, r}, s, s));
          all.push_back(s.numel() > 1000 ? std::move(pair).large() : std::move(pair));
        }
    return all;
  }
  Array reference(const Array& p, const Array& t) const {
    const std::vector<double> ps = p.to_vector<double>(), ts = t.to_vector<double>();
    std::vector<double> values;
    for (std::size_t i = 0; i < ps.size(); ++i)
      values.push_back(static_cast<double>(rule.loss(ps[i], ts[i])));
    return reference_reduced(values, p.shape(), reduction);
  }

  Array forward(const Array& p, const Array& t) const {
    return reduce_losses(map_floating(name, rule.value(), p, t), reduction);
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& p, const Tensor& t, Needs needs) const {
    const Tensor d = spread(dy, p.numel(), reduction);
    return {needs[0] ? d * rule.slope_p(p, t) : Tensor(), needs[1] ? d * rule.slope_t(p, t) : Tensor()};
  }
  GradArrays<2> vjp_kernel(const Array& dy, const Array& p, const Array& t, Needs needs) const {
    const Array d = spread(dy, p.numel(), reduction);
    GradArrays<2> g;
    if (needs[0]) {
      const auto slope = rule.slope();
      g[0] = map_floating(
          name, [slope](auto a, auto b, auto c) { return c * slope(a, b); }, p, t, d);
    }
    if (needs[1]) g[1] = (Tensor(d) * rule.slope_t(Tensor(p), Tensor(t))).array();
    return g;
  }

  Rule rule;
  Reduction reduction = Reduction::mean;
};

struct SquaredError {
  static constexpr std::string_view name = "mse";
  static std::vector<SquaredError> variants() { return {{}}; }
  static Sample ranges(Sample s) { return s; }
  static long double loss(long double p, long double t) { return (p - t) * (p - t); }
  static auto value() {
    return [](auto p, auto t) { return (p - t) * (p - t); };
  }
  static auto slope() {
    return [](auto p, auto t) { return 2 * (p - t); };
  }
  static Tensor slope_p(const Tensor& p, const Tensor& t) { return 2 * (p - t); }
  static Tensor slope_t(const Tensor& p, const Tensor& t) { return 2 * (t - p); }
};

struct AbsoluteError {
  static constexpr std::string_view name = "mae";
  static std::vector<AbsoluteError> variants() { return {{}}; }
  static Sample ranges(Sample s) { return std::move(s).within(0, 0.2, 1).within(1, -1, -0.2); }
  static long double loss(long double p, long double t) { return std::fabs(p - t); }
  static auto value() {
    return [](auto p, auto t) { return abs(p - t); };
  }
  static auto slope() {
    return
        [](auto p, auto t) { return select(p > t, decltype(p)(1), select(p < t, decltype(p)(-1), p - t)); };
  }
  static Tensor slope_p(const Tensor& p, const Tensor& t) { return sign(p - t); }
  static Tensor slope_t(const Tensor& p, const Tensor& t) { return sign(t - p); }
};

struct HuberRule {
  static constexpr std::string_view name = "huber";
  static std::vector<HuberRule> variants() { return {{0.5}, {3.0}}; }
  static Sample ranges(Sample s) { return std::move(s).within(0, 0.3, 1).within(1, -1, -0.3); }
  long double loss(long double p, long double t) const {
    const long double e = std::fabs(p - t), d = delta;
    return e <= d ? e * e / 2 : d * (e - d / 2);
  }
  auto value() const {
    return [d = delta](auto p, auto t) {
      const auto e = abs(p - t);
      return select(e <= d, 0.5 * (e * e), d * (e - 0.5 * d));
    };
  }
  auto slope() const {
    return [d = delta](auto p, auto t) {
      const auto e = p - t;
      return select(e < -d, decltype(p)(-d), select(e > d, decltype(p)(d), e));
    };
  }
  Tensor slope_p(const Tensor& p, const Tensor& t) const { return clip(p - t, -delta, delta); }
  Tensor slope_t(const Tensor& p, const Tensor& t) const { return clip(t - p, -delta, delta); }

  double delta = 1.0;
};

struct BinaryRule {
  static constexpr std::string_view name = "binary_cross_entropy";
  static std::vector<BinaryRule> variants() { return {{0.0}, {1e-7}}; }
  static Sample ranges(Sample s) { return std::move(s).within(0, 0.1, 0.9).within(1, 0.1, 0.9); }
  long double loss(long double p, long double t) const {
    if (eps > 0) p = std::fmin(std::fmax(p, eps), 1 - static_cast<long double>(eps));
    return -(t * std::fmax(std::log(p), -100) + (1 - t) * std::fmax(std::log1p(-p), -100));
  }
  auto value() const {
    return [e = eps](auto p0, auto t) {
      using P = decltype(p0);
      const P p = e > 0 ? P(select(p0 < e, P(e), select(p0 > 1 - e, P(1 - e), p0))) : p0;
      const P lp = maximum(log(p), -100), lq = maximum(log1p(-p), -100);
      return -(t * lp + (1 - t) * lq);
    };
  }
  auto slope() const {
    return [e = eps](auto p, auto t) {
      using P = decltype(p);
      const P g = (p - t) / maximum(p * (1 - p), 1e-12);
      return e > 0 ? P(select((p < e) | (p > 1 - e), P(0), g)) : g;
    };
  }
  Tensor slope_p(const Tensor& p, const Tensor& t) const {
    const Tensor g = (p - t) / maximum(p * (1 - p), 1e-12);
    return eps > 0 ? where(logical_or(p<eps, p> 1 - eps), 0.0, g) : g;
  }
  Tensor slope_t(const Tensor& p0, const Tensor&) const {
    const Tensor p = eps > 0 ? clip(p0, eps, 1 - eps) : p0;
    return maximum(log1p(-p), -100.0) - maximum(log(p), -100.0);
  }

  double eps = 0.0;
};

struct BinaryLogitsRule {
  static constexpr std::string_view name = "binary_cross_entropy_with_logits";
  static std::vector<BinaryLogitsRule> variants() { return {{}}; }
  static Sample ranges(Sample s) { return std::move(s).within(0, -3, 3).within(1, 0, 1); }
  static long double loss(long double x, long double t) {
    return std::fmax(x, 0) - x * t + std::log1p(std::exp(-std::fabs(x)));
  }
  static auto value() {
    return [](auto x, auto t) { return softplus(x) - x * t; };
  }
  static auto slope() {
    return [](auto x, auto t) { return sigmoid(x) - t; };
  }
  static Tensor slope_p(const Tensor& x, const Tensor& t) { return sigmoid(x) - t; }
  static Tensor slope_t(const Tensor& x, const Tensor&) { return -x; }
};

struct KlRule {
  static constexpr std::string_view name = "kl_div";
  static std::vector<KlRule> variants() { return {{false}, {true}}; }
  static Sample ranges(Sample s) { return std::move(s).within(0, -3, 0).within(1, 0.1, 0.9); }
  long double loss(long double l, long double t) const {
    if (log_target) return std::exp(t) * (t - l);
    return t > 0 ? t * (std::log(t) - l) : 0;
  }
  auto value() const {
    return [logs = log_target](auto l, auto t) {
      using P = decltype(l);
      if (logs) return P(exp(t) * (t - l));
      return P(select(t > 0, t * (log(t) - l), P(0)));
    };
  }
  auto slope() const {
    return [logs = log_target](auto, auto t) {
      using P = decltype(t);
      return logs ? P(-exp(t)) : P(-t);
    };
  }
  Tensor slope_p(const Tensor& l, const Tensor& t) const {
    return (log_target ? -exp(t) : -t) + zeros_like_shape(l);
  }
  Tensor slope_t(const Tensor& l, const Tensor& t) const {
    if (log_target) return exp(t) * (t - l + 1);
    return where(t > 0, log(where(t > 0, t, 1.0)) - l + 1, 0.0);
  }
  static Tensor zeros_like_shape(const Tensor& l) { return Tensor(Array::scalar(0.0, l.dtype())); }

  bool log_target = false;
};

void require_same_shape(std::string_view op, const Tensor& p, const Tensor& t) {
  if (p.shape() != t.shape())
    throw ShapeError(
        op, fmt::format("prediction {} and target {} differ in shape, and losses do not broadcast: reshape "
                        "the target to {}",
                        p.shape().str(), t.shape().str(), p.shape().str()));
}

/// Sample weights beside loss values of `shape`: as they are, or with axes of size 1 behind the first.
Tensor fit_weights(std::string_view op, const Tensor& weights, const Shape& shape) {
  if (weights.shape() == shape) return weights;
  if (weights.rank() == 1 && shape.rank() > 1 && weights.shape()[0] == shape[0]) {
    Shape wide = Shape::filled(shape.rank(), 1);
    wide[0] = shape[0];
    return reshape(weights, wide);
  }
  throw ShapeError(
      op,
      fmt::format("sample weights of shape {} for losses of shape {}: give one for each sample, ({},), or "
                  "for each loss",
                  weights.shape().str(), shape.str(), shape.rank() > 0 ? shape[0] : 1));
}

/// Unreduced losses, weighted and reduced; a mean divides by `count`.
Tensor reduce_weighted(const Tensor& weighted, Reduction reduction, double count) {
  if (reduction == Reduction::none) return weighted;
  const Tensor total = sum(weighted);
  return reduction == Reduction::mean ? total / count : total;
}

template <class Rule, class Options>
Tensor pair_loss(const Tensor& p, const Tensor& t0, const Rule& rule, const Options& options) {
  detail::require_defined(Rule::name, p, t0);
  require_same_shape(Rule::name, p, t0);
  detail::require_floating(Rule::name, p);
  const Tensor t = t0.dtype() == p.dtype() ? t0 : astype(t0, p.dtype());
  if (!options.sample_weight.defined()) return record(PairLoss<Rule>{rule, options.reduction}, p, t);
  const Tensor each = record(PairLoss<Rule>{rule, Reduction::none}, p, t);
  return reduce_weighted(each * fit_weights(Rule::name, options.sample_weight, each.shape()),
                         options.reduction, static_cast<double>(each.numel()));
}

}  // namespace

Tensor mse(const Tensor& p, const Tensor& t, const LossOptions& o) {
  return pair_loss(p, t, SquaredError{}, o);
}
Tensor mae(const Tensor& p, const Tensor& t, const LossOptions& o) {
  return pair_loss(p, t, AbsoluteError{}, o);
}

Tensor huber(const Tensor& p, const Tensor& t, const HuberOptions& o) {
  if (!(o.delta > 0))
    throw ValueError("huber", fmt::format("delta is {}: it must be positive: pass, say, 1.0", o.delta));
  return pair_loss(p, t, HuberRule{o.delta}, o);
}

Tensor binary_cross_entropy(const Tensor& p, const Tensor& t, const BinaryCrossEntropyOptions& o) {
  if (!(o.eps >= 0 && o.eps < 0.5))
    throw ValueError("binary_cross_entropy",
                     fmt::format("eps is {}: it must lie in [0, 0.5): Keras takes 1e-7", o.eps));
  return pair_loss(p, t, BinaryRule{o.eps}, o);
}

Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& t, const LossOptions& o) {
  return pair_loss(x, t, BinaryLogitsRule{}, o);
}

Tensor kl_div(const Tensor& l, const Tensor& t, const KlDivOptions& o) {
  return pair_loss(l, t, KlRule{o.log_target}, o);
}

}  // namespace xgrad::inline v0
