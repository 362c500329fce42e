#include <fmt/core.h>

#include <cmath>
#include <vector>
#include <xgrad/core/create.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/kernels/norm.hpp>
#include <xgrad/ops/norm.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0 {
namespace {

/// The gradient of normalisation in x, given g = dy · weight, whatever the axes of the statistics.
Tensor normalization_gradient(const Tensor& g, const Tensor& normalized, const Tensor& scale,
                              const Axes& axes) {
  const ReduceOptions keep{.keepdims = true};
  return scale * (g - mean(g, axes, keep) - normalized * mean(g * normalized, axes, keep));
}

/// The reference of both: the statistics of element i are those of all j with group(j) = group(i).
template <class Group>
std::vector<Array> reference_normalization(const Array& x, const Array& weight, const Array& bias, double eps,
                                           std::size_t groups, Group group, std::size_t parameters,
                                           std::size_t inner) {
  const std::vector<double> v = x.to_vector<double>(), w = weight.to_vector<double>(),
                            b = bias.to_vector<double>();
  std::vector<long double> count(groups), mean(groups), var(groups);
  for (std::size_t i = 0; i < v.size(); ++i) ++count[group(i)], mean[group(i)] += v[i];
  for (std::size_t k = 0; k < groups; ++k) mean[k] /= count[k];
  for (std::size_t i = 0; i < v.size(); ++i)
    var[group(i)] += (v[i] - mean[group(i)]) * (v[i] - mean[group(i)]);
  for (std::size_t k = 0; k < groups; ++k) var[k] /= count[k];
  std::vector<double> y(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    const std::size_t k = group(i), p = i / inner % parameters;
    y[i] = static_cast<double>((v[i] - mean[k]) / std::sqrt(var[k] + eps) * w[p] + b[p]);
  }
  const Shape one{static_cast<std::int64_t>(groups)};
  return {Array::from<double>(y, x.shape()),
          Array::from<double>(std::vector<double>(mean.begin(), mean.end()), one),
          Array::from<double>(std::vector<double>(var.begin(), var.end()), one)};
}

/// Normalisation over the last axes, all inputs of one dtype, weight and bias of the axes' shape.
struct LayerNorm {
  static constexpr std::string_view name = "layer_norm";
  static constexpr std::string_view inputs[] = {"x", "weight", "bias"};
  static std::vector<Sample> samples() {
    return {sample(LayerNorm{1, 1e-5}, {3, 4}, {4}, {4}),
            sample(LayerNorm{2, 1e-5}, {2, 3, 5}, {3, 5}, {3, 5}),
            sample(LayerNorm{1, 1e-3}, {2, 3, 40}, {40}, {40}),
            sample(LayerNorm{1, 1e-5}, {6}, {6}, {6}),
            sample(LayerNorm{1, 1e-5}, {0, 3}, {3}, {3}),
            sample(LayerNorm{1, 1e-5}, {2, 3, 2, 4}, {4}, {4}),
            sample(LayerNorm{1, 1e-5}, {601, 130}, {130}, {130}).large()};
  }
  Array reference(const Array& x, const Array& weight, const Array& bias) const {
    const auto n = static_cast<std::size_t>(weight.numel());
    const std::size_t rows = n == 0 ? 0 : static_cast<std::size_t>(x.numel()) / n;
    return reference_normalization(
        x, weight, bias, eps, rows, [n](std::size_t i) { return i / n; }, n, 1)[0];
  }

  Array forward(const Array& x, const Array& weight, const Array& bias, Save& save) const {
    const Array in = x.contiguous(), w = weight.contiguous(), b = bias.contiguous();
    Array y = Array::empty(x.shape(), x.dtype());
    const std::int64_t n = w.numel(), rows = n == 0 ? 0 : x.numel() / n;
    Array stats = Array::empty({2, rows}, x.dtype());  // mean, then 1 / √(var + eps)
    dispatch_floating(name, x.dtype(), [&]<class T>() {
      T* s = stats.mutable_data<T>();
      kernels::layer_norm_rows(in.data<T>(), w.data<T>(), b.data<T>(), y.mutable_data<T>(), s, s + rows, rows,
                               n, static_cast<T>(eps));
    });
    save(std::move(stats));
    return y;
  }
  Grads<3> vjp(const Tensor& dy, const Tensor& x, const Tensor& weight, Needs needs) const {
    const Axes over = last_axes(x.rank());
    const Tensor centred = x - mean(x, over, {.keepdims = true});
    const Tensor scale = rsqrt(mean(square(centred), over, {.keepdims = true}) + eps);
    const Tensor normalized = centred * scale;
    return {needs[0] ? normalization_gradient(dy * weight, normalized, scale, over) : Tensor(),
            needs[1] ? dy * normalized : Tensor(), dy};
  }
  GradArrays<3> vjp_kernel(const Array& dy, const Array& x, const Array& weight, const Saved& saved,
                           Needs needs) const {
    const Array d = dy.contiguous(), in = x.contiguous(), w = weight.contiguous();
    const Array& stats = saved.array(0);
    const std::int64_t n = w.numel(), rows = stats.size(1), chunks = kernels::detail::norm_chunks(rows, n);
    constexpr std::int64_t offset = kernels::column_sums_offset;
    const std::int64_t stride = offset + n;
    Array dx = Array::empty(x.shape(), x.dtype()), dweight, dbias;
    Array sums = needs[1] || needs[2] ? Array::empty({chunks, 2, stride}, x.dtype()) : Array();
    dispatch_floating(name, x.dtype(), [&]<class T>() {
      const T* s = stats.data<T>();
      T* partial = sums.defined() ? sums.mutable_data<T>() : nullptr;
      kernels::layer_norm_gradient_rows(d.data<T>(), in.data<T>(), w.data<T>(), s, s + rows,
                                        dx.mutable_data<T>(), partial, rows, n);
      if (partial == nullptr) return;
      Array totals = Array::empty({2, stride}, x.dtype());
      kernels::reduce_columns<kernels::SumReducer>(partial, chunks, 2 * stride, 2 * stride,
                                                   totals.mutable_data<T>());
      dweight = totals.slice(0, 0, 1).slice(1, offset, n).reshape(weight.shape());
      dbias = totals.slice(0, 1, 1).slice(1, offset, n).reshape(weight.shape());
    });
    return {std::move(dx), std::move(dweight), std::move(dbias)};
  }

  int axes = 1;
  double eps = 1e-5;

 private:
  Axes last_axes(int rank) const {
    Shape list;
    for (int i = rank - axes; i < rank; ++i) list.push_back(i);
    return Axes(list);
  }
};

/// Normalisation of each channel (axis 1), which returns the batch's mean and variance too. The kernels see
/// rows of channels: what lies channels-last is not copied.
struct BatchNorm {
  static constexpr std::string_view name = "batch_norm";
  static constexpr std::string_view inputs[] = {"x", "weight", "bias"};
  static std::vector<Sample> samples() {
    return {sample(BatchNorm{1e-5}, {6, 3}, {3}, {3}),
            sample(BatchNorm{1e-3}, {3, 2, 5}, {2}, {2}),
            sample(BatchNorm{1e-5}, {4, 19}, {19}, {19}),
            sample(BatchNorm{1e-5}, {2, 3, 2, 3}, {3}, {3}),
            sample(BatchNorm{1e-5}, {601, 130}, {130}, {130}).large(),
            sample(BatchNorm{1e-5}, {40, 5, 19, 20}, {5}, {5}).large()};
  }
  std::vector<Array> reference(const Array& x, const Array& weight, const Array& bias) const {
    const auto c = static_cast<std::size_t>(x.size(1));
    std::size_t inner = 1;
    for (int i = 2; i < x.rank(); ++i) inner *= static_cast<std::size_t>(x.size(i));
    return reference_normalization(
        x, weight, bias, eps, c, [=](std::size_t i) { return i / inner % c; }, c, inner);
  }

  std::array<Array, 3> forward(const Array& x, const Array& weight, const Array& bias, Save& save) const {
    const Array in = rows_of(x), w = weight.contiguous(), b = bias.contiguous();
    const std::int64_t c = x.size(1), rows = x.numel() / c;
    Array y = Array::empty(in.shape(), x.dtype()), stats = Array::empty({2, c}, x.dtype());
    dispatch_floating(name, x.dtype(), [&]<class T>() {
      statistics<T>(in, rows, c, stats);
      const T* m = stats.data<T>();
      Array scales = Array::empty({c}, x.dtype());
      T* scale = scales.mutable_data<T>();
      for (std::int64_t j = 0; j < c; ++j)
        scale[j] = w.data<T>()[j] / std::sqrt(m[c + j] + static_cast<T>(eps));
      each_row<T>(rows, c,
                  [](auto v, auto mu, auto s, auto bi) XGRAD_SIMD_LAMBDA { return fma(v - mu, s, bi); }, y,
                  {in.data<T>()}, {m, scale, b.data<T>()});
    });
    save(stats);
    return {back(y), stats.slice(0, 0, 1).reshape({c}), stats.slice(0, 1, 1).reshape({c})};
  }
  Grads<3> vjp(std::span<const Tensor> dys, const Tensor& x, const Tensor& weight, Needs needs) const {
    Shape over{0}, channel = Shape::filled(x.rank(), 1);
    for (int i = 2; i < x.rank(); ++i) over.push_back(i);
    const std::int64_t c = x.size(1);
    channel[1] = c;
    const double n = static_cast<double>(x.numel() / c);
    const Tensor centred = x - mean(x, over, {.keepdims = true});
    Grads<3> grads;
    if (dys[0].defined()) {
      const Tensor scale = rsqrt(mean(square(centred), over, {.keepdims = true}) + eps);
      const Tensor normalized = centred * scale;
      if (needs[0])
        grads[0] = normalization_gradient(dys[0] * weight.reshape(channel), normalized, scale, over);
      if (needs[1]) grads[1] = sum(dys[0] * normalized, over);
      if (needs[2]) grads[2] = sum(dys[0], over);
    }
    const auto add_to_x = [&](const Tensor& t) { grads[0] = grads[0].defined() ? grads[0] + t : t; };
    if (dys[1].defined() && needs[0]) add_to_x(broadcast_to(dys[1].reshape(channel) / n, x.shape()));
    if (dys[2].defined() && needs[0]) add_to_x(centred * (dys[2].reshape(channel) * (2 / n)));
    return grads;
  }
  /// dx = a dy + b (x - mean) + c for each channel.
  GradArrays<3> vjp_kernel(std::span<const Array> dys, const Array& x, const Array& weight,
                           const Saved& saved) const {
    const Array in = rows_of(x), w = weight.contiguous();
    const std::int64_t c = x.size(1), rows = x.numel() / c;
    const DType t = x.dtype();
    const Array dy = dys[0].defined() ? rows_of(dys[0]) : Array::full(in.shape(), 0, t);
    const auto of_channels = [&](const Array& a) {
      return a.defined() ? a.contiguous() : Array::full({c}, 0, t);
    };
    const Array dmean = of_channels(dys[1]), dvar = of_channels(dys[2]);
    Array dx = Array::empty(in.shape(), t), dparameters = Array::empty({2, c}, t);
    dispatch_floating(name, t, [&]<class T>() {
      Array factors = Array::empty({3, c}, t);
      const T* m = saved.array(0).data<T>();
      T* sums = dparameters.mutable_data<T>();  // Σ dy (x - mean), Σ dy
      const T *dp = dy.data<T>(), *xp = in.data<T>();
      Array scratch = Array::empty({kernels::detail::norm_chunks(rows, c), 2, c}, t);
      kernels::column_sums<2>(rows, c, scratch.mutable_data<T>(), sums,
                              [=]<class P>(const P&, std::int64_t r, std::int64_t j, std::int64_t count)
                                  XGRAD_SIMD_LAMBDA {
                                    const P d = kernels::detail::load_some<P>(dp + r * c + j, count);
                                    const P centred = kernels::detail::load_some<P>(xp + r * c + j, count) -
                                                      kernels::detail::load_some<P>(m + j, count);
                                    return simd::several(d * centred, d);
                                  });
      T* f = factors.mutable_data<T>();
      const T n = static_cast<T>(rows);
      for (std::int64_t j = 0; j < c; ++j) {
        const T scale = T(1) / std::sqrt(m[c + j] + static_cast<T>(eps));
        const T g = w.data<T>()[j] * scale;
        f[j] = g;
        f[c + j] = -g * scale * scale * sums[j] / n + 2 * dvar.data<T>()[j] / n;
        f[2 * c + j] = -g * sums[c + j] / n + dmean.data<T>()[j] / n;
        sums[j] *= scale;
      }
      each_row<T>(
          rows, c,
          [](auto d, auto v, auto mu, auto a, auto b, auto constant)
              XGRAD_SIMD_LAMBDA { return fma(a, d, fma(b, v - mu, constant)); },
          dx, {dp, xp},
          {m, static_cast<const T*>(f), static_cast<const T*>(f + c), static_cast<const T*>(f + 2 * c)});
    });
    return {back(dx), dparameters.slice(0, 0, 1).reshape({c}), dparameters.slice(0, 1, 1).reshape({c})};
  }

  double eps = 1e-5;

 private:
  /// (N, C, …) as (N, …, C), row-major.
  static Array rows_of(const Array& x) {
    Shape order{0};
    for (int i = 2; i < x.rank(); ++i) order.push_back(i);
    order.push_back(1);
    return x.permute(order).contiguous();
  }
  /// (N, …, C) as (N, C, …), a view.
  static Array back(const Array& y) {
    Shape order{0, y.rank() - 1};
    for (int i = 1; i + 1 < y.rank(); ++i) order.push_back(i);
    return y.permute(order);
  }
  template <class T>
  static void statistics(const Array& in, std::int64_t rows, std::int64_t c, Array& stats) {
    Array scratch = Array::empty({kernels::detail::norm_chunks(rows, c), c}, in.dtype());
    kernels::column_stats(in.data<T>(), rows, c, scratch.mutable_data<T>(), stats.mutable_data<T>());
  }
  /// y = f(matrices…, vectors…): the vectors are the same for each row.
  template <class T, std::size_t M, std::size_t V, class F>
  static void each_row(std::int64_t rows, std::int64_t c, const F& f, Array& y, const T* const (&matrices)[M],
                       const T* const (&vectors)[V]) {
    T* out = y.mutable_data<T>();
    kernels::parallel_for(rows, kernels::detail::norm_chunk(c), [&](std::int64_t b, std::int64_t e) {
      [&]<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
        kernels::map_rows(f, e - b, c, kernels::out(out + b * c, 1, c),
                          kernels::in(matrices[I] + b * c, 1, c)..., kernels::in(vectors[J], 1, 0)...);
      }
      (std::make_index_sequence<M>{}, std::make_index_sequence<V>{});
    });
  }
};

// ---- what is checked before an op runs ------------------------------------------------------------------

void check_floating(std::string_view op, const Tensor& x, double eps) {
  detail::require_defined(op, x);
  detail::require_floating(op, x);
  if (!(eps >= 0 && eps < INFINITY))
    throw ValueError(op,
                     fmt::format("eps = {} is no small number: give one that is 0 or more, as 1e-5", eps));
}

/// `t`, or `value` everywhere if it is undefined.
Tensor or_filled(std::string_view op, std::string_view what, const Tensor& t, const Shape& shape,
                 const Tensor& x, double value) {
  if (!t.defined()) return Tensor(Array::full(shape, value, x.dtype()));
  if (t.shape() != shape)
    throw ShapeError(op, fmt::format("x of shape {} and {} of shape {}: {} must have shape {}: reshape it",
                                     x.shape().str(), what, t.shape().str(), what, shape.str()));
  if (t.dtype() != x.dtype())
    throw DTypeError(op, fmt::format("x is {} and {} is {}: convert one with astype", name(x.dtype()), what,
                                     name(t.dtype())));
  return t;
}

/// The shape (C) of per-channel values.
Shape channels_of(std::string_view op, const Tensor& x) {
  if (x.rank() < 2)
    throw ShapeError(op,
                     fmt::format("x has shape {}: it needs a batch axis and a channel axis: reshape it to "
                                 "(N, C)",
                                 x.shape().str()));
  return {x.size(1)};
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                  double eps) {
  constexpr std::string_view op = LayerNorm::name;
  check_floating(op, x, eps);
  const int axes = normalized_shape.rank();
  bool fits = axes > 0 && axes <= x.rank();
  for (int i = 0; fits && i < axes; ++i) fits = x.shape()[x.rank() - axes + i] == normalized_shape[i];
  if (!fits)
    throw ShapeError(
        op, fmt::format("x of shape {} does not end in the normalized shape {}: give the sizes of its "
                        "last axes",
                        x.shape().str(), normalized_shape.str()));
  return record(LayerNorm{axes, eps}, x, or_filled(op, "weight", weight, normalized_shape, x, 1),
                or_filled(op, "bias", bias, normalized_shape, x, 0));
}

BatchNormResult batch_norm_train(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  constexpr std::string_view op = BatchNorm::name;
  check_floating(op, x, eps);
  const Shape channels = channels_of(op, x);
  if (x.numel() == 0)
    throw ShapeError(
        op, fmt::format("x of shape {} has no values to take statistics of: give a batch that is not "
                        "empty",
                        x.shape().str()));
  auto [y, mean, var] = record(BatchNorm{eps}, x, or_filled(op, "weight", weight, channels, x, 1),
                               or_filled(op, "bias", bias, channels, x, 0));
  return {std::move(y), std::move(mean), std::move(var)};
}

Tensor batch_norm(const Tensor& x, const Tensor& mean, const Tensor& var, const Tensor& weight,
                  const Tensor& bias, double eps) {
  constexpr std::string_view op = BatchNorm::name;
  check_floating(op, x, eps);
  const Shape channels = channels_of(op, x);
  if (!mean.defined() || !var.defined())
    throw ValueError(op,
                     fmt::format("the {} for x of shape {} is undefined: give it a value, or normalize by "
                                 "the batch's own with batch_norm_train",
                                 mean.defined() ? "variance" : "mean", x.shape().str()));
  const Tensor m = or_filled(op, "mean", mean, channels, x, 0), v = or_filled(op, "var", var, channels, x, 1);
  const Tensor scale = rsqrt(v + eps) * or_filled(op, "weight", weight, channels, x, 1);
  const Tensor shift = or_filled(op, "bias", bias, channels, x, 0) - m * scale;
  Shape channel = Shape::filled(x.rank(), 1);
  channel[1] = x.size(1);
  return x * scale.reshape(channel) + shift.reshape(channel);
}

}  // namespace xgrad::inline v0
