#include <fmt/core.h>

#include <cmath>
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/reduction.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::as_floating;
using detail::axes_in_order;
using detail::keep;
using detail::reduce;
using detail::reduce_samples;
using detail::reduced_count;
using detail::reduced_shape;
using detail::reference_reduce;
using detail::sum_of;

/// Σ x.   dx = dy
struct Sum {
  static constexpr std::string_view name = "sum";
  static std::vector<Sample> samples() {
    std::vector<Sample> all = reduce_samples<Sum>();
    all.push_back(sample(Sum{.axes = {0}}, {0, 3}));
    return all;
  }
  Array reference(const Array& x) const { return reference_reduce(x, axes, keepdims, sum_of); }

  Array forward(const Array& x) const {
    const Array v = is_floating(x.dtype()) ? x : x.astype(DType::int64);
    return reduce<kernels::SumReducer>(name, v, axes.mask(name, x.shape()), keepdims);
  }
  Tensor vjp(const Tensor& dy, Skip x) const { return broadcast_to(keep(dy, x.shape, axes), x.shape); }

  Axes axes = {};
  bool keepdims = false;
};

/// Σ x / n.   dx = dy / n
struct Mean {
  static constexpr std::string_view name = "mean";
  static std::vector<Sample> samples() { return reduce_samples<Mean>(); }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      return sum_of(v) / static_cast<long double>(v.size());
    });
  }

  Array forward(const Array& x) const {
    const unsigned mask = axes.mask(name, x.shape());
    const Array total = reduce<kernels::SumReducer>(name, as_floating(x), mask, keepdims);
    const double n = static_cast<double>(reduced_count(x.shape(), mask));
    return map_floating(
        name, [n](auto v) { return v / n; }, total);
  }
  Tensor vjp(const Tensor& dy, Skip x) const {
    const double n = static_cast<double>(reduced_count(x.shape, axes.mask(name, x.shape)));
    return broadcast_to(keep(dy / n, x.shape, axes), x.shape);
  }

  Axes axes = {};
  bool keepdims = false;
};

/// √Σ x².   dx = dy x / y
struct Norm {
  static constexpr std::string_view name = "norm";
  static std::vector<Sample> samples() { return reduce_samples<Norm>(); }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      long double total = 0;
      for (double d : v) total += static_cast<long double>(d) * d;
      return std::sqrt(total);
    });
  }

  Array forward(const Array& x0) const {
    const Array x = as_floating(x0);
    const unsigned mask = axes.mask(name, x.shape());
    const Array y = reduce<kernels::NormReducer>(name, x, mask, keepdims);
    return x.dtype() == DType::float32 || squares_fit(y) ? y : scaled(x, mask);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x, Output y) const {
    const Tensor length = keep(y, x.shape(), axes);
    return keep(dy, x.shape(), axes) * (x / where(length == 0, 1.0, length));
  }

  Axes axes = {};
  bool keepdims = false;

 private:
  /// Whether Σ x² of float64 has neither overflowed nor lost what is below the smallest normal number.
  static bool squares_fit(const Array& y) {
    return std::all_of(y.data<double>(), y.data<double>() + y.numel(),
                       [](double norm) { return norm > 0x1p-450 && norm < 0x1p511; });
  }
  /// Of x divided by its largest magnitude, which is the norm if it is 0, infinite or NaN.
  Array scaled(const Array& x, unsigned mask) const {
    if (reduced_count(x.shape(), mask) == 0)
      return Array::full(reduced_shape(x.shape(), mask, keepdims), 0, x.dtype());
    const Array size = map_floating(
        name, [](auto v) { return abs(v); }, x);
    const Array largest = reduce<kernels::MaxReducer>(name, size, mask, true);
    const Array ratio = map_floating(
        name, [](auto v, auto m) { return select(m > 0, v / m, decltype(v)(0)); }, x, largest);
    const Array norm = reduce<kernels::NormReducer>(name, ratio, mask, keepdims);
    return map_floating(
        name, [](auto r, auto m) { return select(isfinite(m), r * m, m); }, norm,
        largest.reshape(norm.shape()));
  }
};

/// ln Σ eˣ.   dx = dy e^(x - y)
struct LogSumExp {
  static constexpr std::string_view name = "logsumexp";
  static std::vector<Sample> samples() { return reduce_samples<LogSumExp>(); }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      long double total = 0;
      for (double d : v) total += std::exp(static_cast<long double>(d));
      return std::log(total);
    });
  }

  Array forward(const Array& x0) const {
    const Array x = as_floating(x0);
    const unsigned mask = axes.mask(name, x.shape());
    if (reduced_count(x.shape(), mask) == 0)
      return Array::full(reduced_shape(x.shape(), mask, keepdims), -std::numeric_limits<double>::infinity(),
                         x.dtype());
    const Array largest = reduce<kernels::MaxReducer>(name, x, mask, true);
    const Array terms = map_floating(
        name, [](auto v, auto m) { return exp(v - select(isfinite(m), m, decltype(m)(0))); }, x, largest);
    const Array total = reduce<kernels::SumReducer>(name, terms, mask, keepdims);
    return map_floating(
        name, [](auto t, auto m) { return log(t) + select(isfinite(m), m, decltype(m)(0)); }, total,
        largest.reshape(total.shape()));
  }
  Tensor vjp(const Tensor& dy, const Tensor& x, Output y) const {
    const Tensor level = keep(y, x.shape(), axes);
    // -inf - -inf is NaN: where every term is 0 so is every share.
    return keep(dy, x.shape(), axes) * exp(x - where(isfinite(level), level, 0.0));
  }

  Axes axes = {};
  bool keepdims = false;
};

/// Π x over the axes in `mask`, as a tree of products whose derivatives hold where elements are 0.
Tensor product_tree(const Tensor& x, unsigned mask, bool keepdims) {
  const Shape shape = reduced_shape(x.shape(), mask, keepdims);
  // Halves multiplied until one row is left, (n, kept); rows left over are gathered in `rest`.
  Tensor y = reshape(permute(x, axes_in_order(x.rank(), mask, true)),
                     {reduced_count(x.shape(), mask), shape.numel()});
  Tensor rest;
  while (y.shape()[0] > 1) {
    const std::int64_t n = y.shape()[0], half = n / 2;
    if (n % 2 == 1) rest = rest.defined() ? rest * y(slice(n - 1, n)) : y(slice(n - 1, n));
    y = y(slice(0, half)) * y(slice(half, 2 * half));
  }
  return reshape(rest.defined() ? y * rest : y, shape);
}

/// Π x, multiplied in float64.   dx: of a tree of products
struct Prod {
  static constexpr std::string_view name = "prod";
  static std::vector<Sample> samples() {
    std::vector<Sample> all = reduce_samples<Prod>();
    for (Sample& s : all) s = std::move(s).within(0.95, 1.05);
    all.push_back(sample(Prod{.axes = {0}}, {0, 3}));
    all.push_back(sample(Prod{.axes = {1}}, {3, 5}));  // of both signs
    return all;
  }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      long double product = 1;
      for (double d : v) product *= d;
      return product;
    });
  }

  Array forward(const Array& x) const {
    const Array v = is_floating(x.dtype()) ? x : x.astype(DType::int64);
    return reduce<kernels::ProductReducer>(name, v, axes.mask(name, x.shape()), keepdims);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    const unsigned mask = axes.mask(name, x.shape());
    if (reduced_count(x.shape(), mask) == 0) return {};
    return detail::local_grad(product_tree(x, mask, keepdims), {x}, dy)[0];
  }
  /// dx = dy · Π of those before · Π of those behind, in float64.
  Array vjp_kernel(const Array& dy, const Array& x) const {
    const unsigned mask = axes.mask(name, x.shape());
    const Shape order = axes_in_order(x.rank(), mask, false);
    const Array rows = x.astype(DType::float64).permute(order).contiguous();
    const Array d = dy.astype(DType::float64).contiguous();
    Array g = Array::empty(rows.shape(), DType::float64);
    const std::int64_t n = reduced_count(x.shape(), mask);
    const double *factors = rows.data<double>(), *cotangents = d.data<double>();
    double* const out = g.mutable_data<double>();
    constexpr std::int64_t grain = 1 << 15;
    kernels::parallel_for(n == 0 ? 0 : d.numel(),
                          std::max<std::int64_t>(1, grain / std::max<std::int64_t>(1, n)),
                          [=](std::int64_t b, std::int64_t e) {
                            for (std::int64_t r = b; r < e; ++r) {
                              const double* v = factors + r * n;
                              double* to = out + r * n;
                              double before = 1, behind = cotangents[r];
                              for (std::int64_t i = 0; i < n; before *= v[i++]) to[i] = before;
                              for (std::int64_t i = n; i-- > 0; behind *= v[i]) to[i] *= behind;
                            }
                          });
    Shape back = order;
    for (int i = 0; i < order.rank(); ++i) back[static_cast<int>(order[i])] = i;
    return g.permute(back).astype(x.dtype());
  }

  Axes axes;
  bool keepdims = false;
};

// Functions composed of ops, for the generic tests.
using Inputs = std::span<const Tensor>;
std::vector<Sample> matrix_sample() {
  return {Sample({Shape{3, 5}}), Sample({Shape{0, 5}}), Sample({Shape{2, 5, 3, 2}}),
          Sample({Shape{601, 130}}).within(0.5, 1.5).large()};
}

[[maybe_unused]] const bool functions_registered = [] {
  const auto variance = [](const void*, std::span<const Array> in) {
    return std::vector<Array>{reference_reduce(in[0], 1, false, [](std::span<const double> v) {
      const long double mean = sum_of(v) / static_cast<long double>(v.size());
      long double total = 0;
      for (double d : v) total += (d - mean) * (d - mean);
      return total / static_cast<long double>(v.size() - 1);
    })};
  };
  register_function(
      "var", matrix_sample, [](Inputs in) { return var(in[0], 1, {.ddof = 1}); }, variance);
  register_function("std", matrix_sample, [](Inputs in) { return xgrad::std(in[0], 1); });
  return true;
}();

}  // namespace

Tensor sum(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Sum{axes, options.keepdims}, x);
}
Tensor mean(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Mean{axes, options.keepdims}, x);
}
Tensor norm(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Norm{axes, options.keepdims}, x);
}
Tensor logsumexp(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(LogSumExp{axes, options.keepdims}, x);
}

Tensor prod(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Prod{axes, options.keepdims}, x);
}

namespace {

/// By what a sum of squares is divided: the number of values less ddof.
std::int64_t values_beyond_ddof(std::string_view op, const Tensor& x, const Axes& axes, std::int64_t ddof) {
  detail::require_defined(op, x);
  const std::int64_t n = reduced_count(x.shape(), axes.mask(op, x.shape()));
  if (n <= ddof && x.numel() > 0)
    throw ValueError(op,
                     fmt::format("{} values of shape {} along the reduced axes and ddof = {}: more values "
                                 "than ddof are needed: lower ddof",
                                 n, x.shape().str(), ddof));
  return n - ddof;
}

}  // namespace

Tensor var(const Tensor& x, const Axes& axes, VarOptions options) {
  const std::int64_t n = values_beyond_ddof("var", x, axes, options.ddof);
  const Tensor spread = x - mean(x, axes, {.keepdims = true});
  return sum(square(spread), axes, {.keepdims = options.keepdims}) / static_cast<double>(n);
}

Tensor std(const Tensor& x, const Axes& axes, VarOptions options) {
  const std::int64_t n = values_beyond_ddof("std", x, axes, options.ddof);
  const Tensor spread = x - mean(x, axes, {.keepdims = true});
  return norm(spread, axes, {.keepdims = options.keepdims}) / std::sqrt(static_cast<double>(n));
}

Tensor Tensor::sum(const Axes& axes, ReduceOptions options) const { return xgrad::sum(*this, axes, options); }
Tensor Tensor::mean(const Axes& axes, ReduceOptions options) const {
  return xgrad::mean(*this, axes, options);
}

}  // namespace xgrad::inline v0
