#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/kernels/softmax.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0 {
namespace {

constexpr std::int64_t no_index = -100;  // as in PyTorch

/// Throws unless `target` holds one class in [0, classes), or `ignored`, for each of the rows.
void check_classes(std::string_view op, const Array& logits, const Array& target, std::int64_t ignored) {
  if (logits.rank() != 2)
    throw ShapeError(
        op, fmt::format("predictions of shape {}: they must be (N, C), a row of classes for each sample: "
                        "reshape them",
                        logits.shape().str()));
  const std::int64_t rows = logits.size(0), classes = logits.size(1);
  if (target.shape() != Shape{rows})
    throw ShapeError(
        op, fmt::format("class indices of shape {} for predictions {}: give one index for each row: make "
                        "them ({},)",
                        target.shape().str(), logits.shape().str(), rows));
  const std::int64_t* t = target.data<std::int64_t>();
  for (std::int64_t i = 0; i < rows; ++i)
    if ((t[i] < 0 || t[i] >= classes) && t[i] != ignored)
      throw IndexError(
          op, fmt::format("target {} at position {} is not one of {} classes, for predictions {}: give "
                          "indices from 0 to {}",
                          t[i], i, classes, logits.shape().str(), classes - 1));
}

/// Class indices as int64, row-major.
Array indices_of(std::string_view op, const Tensor& target) {
  if (!is_integer(target.dtype()))
    throw DTypeError(op, fmt::format("class indices of shape {} are {}: convert them with astype(int64)",
                                     target.shape().str(), name(target.dtype())));
  return target.array().astype(DType::int64).contiguous();
}

/// The cross entropy of softmax(x) with class indices, value and reduction in one pass over the logits. A
/// mean is over the rows that count.   dx = dy (softmax(x) - one_hot(t)) / n
struct CrossEntropyOp {
  static constexpr std::string_view name = "cross_entropy";
  static constexpr std::string_view inputs[] = {"logits", "target"};
  static std::vector<Sample> samples() {
    return {
        sample(CrossEntropyOp{}, {5, 3}, {5}).within(0, -3, 3).integers(1, 0, 3),
        sample(CrossEntropyOp{.reduction = Reduction::none}, {5, 3}, {5}).within(0, -3, 3).integers(1, 0, 3),
        sample(CrossEntropyOp{.reduction = Reduction::sum, .ignored = 1}, {5, 3}, {5})
            .within(0, -3, 3)
            .integers(1, 0, 3),
        sample(CrossEntropyOp{}, {2, 40}, {2}).within(0, -3, 3).integers(1, 0, 40),
        sample(CrossEntropyOp{.reduction = Reduction::sum}, {0, 3}, {0}).integers(1, 0, 3),
        sample(CrossEntropyOp{}, {1, 3}, {1}).integers(1, 0, 3),
        sample(CrossEntropyOp{}, {601, 130}, {601}).within(0, -3, 3).integers(1, 0, 130).large()};
  }
  Array reference(const Array& x, const Array& target) const {
    const std::vector<double> v = x.to_vector<double>();
    const std::vector<std::int64_t> t = target.to_vector<std::int64_t>();
    const auto n = static_cast<std::size_t>(x.size(1));
    std::vector<double> losses;
    long double total = 0, count = 0;
    for (std::size_t i = 0; i < t.size(); ++i) {
      long double sum = 0;
      for (std::size_t k = 0; k < n; ++k) sum += std::exp(static_cast<long double>(v[i * n + k]));
      const bool counts = t[i] != ignored;
      const long double loss =
          counts ? std::log(sum) - static_cast<long double>(v[i * n + static_cast<std::size_t>(t[i])]) : 0;
      losses.push_back(static_cast<double>(loss));
      total += loss;
      count += counts;
    }
    if (reduction == Reduction::none) return Array::from<double>(losses, {x.size(0)});
    return Array::scalar(static_cast<double>(reduction == Reduction::mean ? total / count : total));
  }

  Array forward(const Array& x0, const Array& t0, Save& save) const {
    const Array x = x0.contiguous(), t = t0.contiguous();
    check_classes(name, x, t, ignored);
    const std::int64_t rows = x.size(0), n = x.size(1);
    return dispatch_floating(name, x.dtype(), [&]<class T>() {
      Array losses = Array::empty({rows}, x.dtype());
      Array levels = Array::empty({rows}, x.dtype());  // ln Σ eˣ of each row
      kernels::log_sum_exp_rows(x.template data<T>(), levels.mutable_data<T>(), rows, n);
      const std::int64_t* target = t.data<std::int64_t>();
      std::int64_t count = 0;
      double total = 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        const bool counts = target[i] != ignored;
        const T loss = counts ? levels.data<T>()[i] - x.template data<T>()[i * n + target[i]] : T(0);
        losses.mutable_data<T>()[i] = loss;
        total += loss;
        count += counts;
      }
      save(std::move(levels));
      if (reduction == Reduction::none) return losses;
      return Array::scalar(
          static_cast<T>(reduction == Reduction::mean ? total / static_cast<double>(count) : total));
    });
  }

  Grads<2> vjp(const Tensor& dy, const Tensor& x, const Tensor& t) const {
    const Tensor counts = t != ignored;
    Tensor scale = where(counts, dy, 0.0);
    if (reduction == Reduction::mean) scale = scale / sum(astype(counts, x.dtype()));
    return {reshape(scale, {-1, 1}) * (softmax(x, 1) - one_hot_of(t.array(), x)), Tensor()};
  }

  GradArrays<2> vjp_kernel(const Array& dy, const Array& x0, const Array& t0, const Saved& saved) const {
    const Array x = x0.contiguous(), t = t0.contiguous();
    const std::int64_t rows = x.size(0), n = x.size(1);
    Array dx = Array::empty(x.shape(), x.dtype());
    const std::int64_t* target = t.data<std::int64_t>();
    dispatch_floating(name, x.dtype(), [&]<class T>() {
      Array scale = Array::empty({rows}, x.dtype());
      const Array d = dy.broadcast_to({rows});
      const std::int64_t stride = d.stride(0);
      std::int64_t count = 0;
      for (std::int64_t i = 0; i < rows; ++i) count += target[i] != ignored;
      const T factor = reduction == Reduction::mean ? static_cast<T>(1.0 / static_cast<double>(count)) : T(1);
      for (std::int64_t i = 0; i < rows; ++i)
        scale.mutable_data<T>()[i] = target[i] != ignored ? d.data<T>()[i * stride] * factor : T(0);
      kernels::cross_entropy_gradient_rows(x.template data<T>(), saved.array(0).data<T>(), scale.data<T>(),
                                           target, dx.mutable_data<T>(), rows, n, ignored);
    });
    return {dx, Array()};
  }

  /// (N, C) with 1 at each target that counts, as a constant.
  static Tensor one_hot_of(const Array& t0, const Tensor& like) {
    const Array t = t0.contiguous();
    Array hot = Array::full(like.shape(), 0.0, like.dtype());
    dispatch_floating(name, like.dtype(), [&]<class T>() {
      const std::int64_t classes = like.shape()[1];
      for (std::int64_t i = 0; i < t.numel(); ++i) {
        const std::int64_t k = t.data<std::int64_t>()[i];
        if (k >= 0 && k < classes) hot.mutable_data<T>()[i * classes + k] = T(1);
      }
    });
    return Tensor(std::move(hot));
  }

  Reduction reduction = Reduction::mean;
  std::int64_t ignored = no_index;
};

/// Values for each row times their weights, reduced; a mean divides by the sum of class weights, if there are
/// any, else by the number of rows that count.
Tensor reduce_rows(std::string_view op, Tensor each, const Tensor& class_weight_of_row, const Tensor& counts,
                   const Tensor& sample_weight, Reduction reduction) {
  if (sample_weight.defined()) {
    if (sample_weight.shape() != each.shape())
      throw ShapeError(
          op, fmt::format("sample weights of shape {} for losses of shape {}: give one for each sample",
                          sample_weight.shape().str(), each.shape().str()));
    each = each * sample_weight;
  }
  if (reduction == Reduction::none) return each;
  const Tensor total = sum(each);
  if (reduction == Reduction::sum) return total;
  if (class_weight_of_row.defined()) return total / sum(class_weight_of_row);
  return total / sum(astype(counts, each.dtype()));
}

/// The weight of each row's class, 0 for ignored rows; (N).
Tensor weights_of_rows(std::string_view op, const Tensor& class_weights, const Tensor& hot) {
  if (class_weights.shape() != Shape{hot.shape()[1]})
    throw ShapeError(op, fmt::format("class weights of shape {} for {} classes: make them ({},)",
                                     class_weights.shape().str(), hot.shape()[1], hot.shape()[1]));
  return sum(hot * class_weights, 1);
}

/// The losses of log-probabilities l (N, C) with class indices, smoothing, class and sample weights.
Tensor from_log_probabilities(std::string_view op, const Tensor& l, const Array& target,
                              const CrossEntropyOptions& o) {
  const std::int64_t ignored = o.ignore_index;
  check_classes(op, l.array(), target, ignored);
  const Tensor hot =
      where(reshape(Tensor(target) == ignored, {-1, 1}), 0.0, CrossEntropyOp::one_hot_of(target, l));
  const Tensor counts = Tensor(target) != ignored;
  Tensor row_weight;
  if (o.class_weights.defined()) row_weight = weights_of_rows(op, o.class_weights, hot);
  // `where` and not a product: a log-probability of -inf at another class is no part of the loss.
  Tensor each = -sum(where(hot > 0, l, 0.0), 1);
  if (row_weight.defined()) each = each * row_weight;
  if (o.label_smoothing > 0) {
    const Tensor weighted = o.class_weights.defined() ? l * o.class_weights : l;
    const Tensor even = where(counts, -mean(weighted, 1), 0.0);
    each = (1 - o.label_smoothing) * each + o.label_smoothing * even;
  }
  return reduce_rows(op, each, row_weight, counts, o.sample_weight, o.reduction);
}

/// f(predictions, target, options) for predictions (C) or (N, C, d₁, …), classes on axis 1 as in PyTorch, by
/// way of rows (N d₁ …, C).
template <class Options, class F>
Tensor by_rows(std::string_view op, const Tensor& predictions, const Tensor& target, Options o, const F& f) {
  const int rank = predictions.rank(), classes = rank == 1 ? 0 : 1;
  const std::int64_t n = predictions.shape()[classes];
  Shape order, each;  // the axes with the classes last; the shape of a loss for each row
  for (int i = 0; i < rank; ++i) {
    if (i == classes) continue;
    order.push_back(i);
    each.push_back(predictions.shape()[i]);
  }
  order.push_back(classes);
  const auto rows = [&](const Tensor& t) { return reshape(permute(t, order), {each.numel(), n}); };
  const bool indices = !is_floating(target.dtype());
  if (indices && target.shape() != each)
    throw ShapeError(
        op, fmt::format("class indices of shape {} for predictions {}, classes on axis {}: make them "
                        "{}{}",
                        target.shape().str(), predictions.shape().str(), classes, each.str(),
                        rank == 1 ? ", or reshape the predictions to (N, C)" : ""));
  if (!indices && target.shape() != predictions.shape())
    throw ShapeError(op, fmt::format("probabilities of shape {} for predictions {}: make their shapes equal",
                                     target.shape().str(), predictions.shape().str()));
  if (o.sample_weight.defined()) {
    if (o.sample_weight.shape() != each)
      throw ShapeError(op, fmt::format("sample weights of shape {} for losses of shape {}: give one for each",
                                       o.sample_weight.shape().str(), each.str()));
    o.sample_weight = reshape(o.sample_weight, {each.numel()});
  }
  const Tensor loss = f(rows(predictions), indices ? reshape(target, {each.numel()}) : rows(target), o);
  return o.reduction == Reduction::none ? reshape(loss, each) : loss;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& o) {
  constexpr std::string_view op = CrossEntropyOp::name;
  detail::require_defined(op, logits, target);
  if (logits.rank() == 1 || logits.rank() > 2)
    return by_rows(op, logits, target, o,
                   [](const Tensor& l, const Tensor& t, const CrossEntropyOptions& flat) {
                     return cross_entropy(l, t, flat);
                   });
  if (!(o.label_smoothing >= 0 && o.label_smoothing < 1))
    throw ValueError(
        op, fmt::format("label_smoothing is {}: it must lie in [0, 1): pass, say, 0.1", o.label_smoothing));
  detail::require_floating(op, logits);
  if (!is_floating(target.dtype())) {
    const Array t = indices_of(op, target);
    if (o.label_smoothing == 0 && !o.class_weights.defined() && !o.sample_weight.defined())
      return record(CrossEntropyOp{o.reduction, o.ignore_index}, logits, Tensor(t));
    check_classes(op, logits.array(), t, o.ignore_index);
    return from_log_probabilities(op, log_softmax(logits, 1), t, o);
  }
  if (logits.rank() != 2 || target.shape() != logits.shape())
    throw ShapeError(
        op, fmt::format("logits {} and a target {} of dtype {}: a floating target holds probabilities of the "
                        "logits' shape (N, C): for class indices convert it with astype(int64)",
                        logits.shape().str(), target.shape().str(), name(target.dtype())));
  Tensor q = target;
  if (o.label_smoothing > 0)
    q = (1 - o.label_smoothing) * q + o.label_smoothing / static_cast<double>(logits.shape()[1]);
  Tensor l = log_softmax(logits, 1);
  if (o.class_weights.defined()) {
    weights_of_rows(op, o.class_weights, l.detach());  // checks the shape
    l = l * o.class_weights;
  }
  // 0 · -inf is no loss.
  const Tensor each = -sum(where(q == 0, 0.0, q * where(q == 0, 0.0, l)), 1);
  return reduce_rows(op, each, Tensor(), Tensor(Array::full(each.shape(), true, DType::bool_)),
                     o.sample_weight, o.reduction);
}

Tensor nll(const Tensor& log_probabilities, const Tensor& target, const NllOptions& o) {
  detail::require_defined("nll", log_probabilities, target);
  if (log_probabilities.rank() == 1 || log_probabilities.rank() > 2)
    return by_rows("nll", log_probabilities, target, o,
                   [](const Tensor& l, const Tensor& t, const NllOptions& flat) { return nll(l, t, flat); });
  detail::require_floating("nll", log_probabilities);
  return from_log_probabilities("nll", log_probabilities, indices_of("nll", target),
                                {.ignore_index = o.ignore_index,
                                 .class_weights = o.class_weights,
                                 .reduction = o.reduction,
                                 .sample_weight = o.sample_weight});
}

}  // namespace xgrad::inline v0
