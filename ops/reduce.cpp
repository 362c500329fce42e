#include <fmt/core.h>

#include <cmath>
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/kernels/reduce.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0 {
namespace {

/// `shape` with the axes in `mask` of size 1.
Shape kept_shape(const Shape& shape, unsigned mask) {
  Shape kept = shape;
  for (int i = 0; i < kept.rank(); ++i)
    if (mask >> i & 1) kept[i] = 1;
  return kept;
}

Shape reduced_shape(const Shape& shape, unsigned mask, bool keepdims) {
  if (keepdims) return kept_shape(shape, mask);
  Shape out;
  for (int i = 0; i < shape.rank(); ++i)
    if (!(mask >> i & 1)) out.push_back(shape[i]);
  return out;
}

std::int64_t reduced_count(const Shape& shape, unsigned mask) {
  std::int64_t n = 1;
  for (int i = 0; i < shape.rank(); ++i)
    if (mask >> i & 1) n *= shape[i];
  return n;
}

Shape axes_in_order(int rank, unsigned mask, bool reduced_first) {
  Shape order;
  for (int pass = 0; pass < 2; ++pass)
    for (int i = 0; i < rank; ++i)
      if (((mask >> i & 1) != 0) == (reduced_first == (pass == 0))) order.push_back(i);
  return order;
}

/// The reduction R of x over the axes in `mask`, in x's dtype.
template <class R>
Array reduce(std::string_view op, const Array& x, unsigned mask, bool keepdims) {
  const std::int64_t n = reduced_count(x.shape(), mask);
  Array y = Array::empty(reduced_shape(x.shape(), mask, keepdims), x.dtype());
  const std::int64_t kept = y.numel();
  if (kept == 0) return y;
  dispatch_numeric(op, x.dtype(), [&]<class T>() {
    T* out = y.mutable_data<T>();
    if (n == 0) {
      std::fill_n(out, kept, R::template identity<T>());
      return;
    }
    const Array columns = x.permute(axes_in_order(x.rank(), mask, true));
    if (kept > 1 && n > 1 && columns.is_contiguous()) {
      kernels::reduce_columns<R>(columns.data<T>(), n, kept, kept, out);
    } else {
      const Array rows = x.permute(axes_in_order(x.rank(), mask, false)).contiguous();
      kernels::reduce_rows<R>(rows.data<T>(), kept, n, n, out);
    }
  });
  return y;
}

/// A reduction as a plain loop over float64, for references: f(values of one group) for each kept element.
template <class F>
Array reference_reduce(const Array& x, const Axes& axes, bool keepdims, F f) {
  const unsigned mask = axes.mask("reference", x.shape());
  const std::vector<double> values = x.permute(axes_in_order(x.rank(), mask, false)).to_vector<double>();
  Array y = Array::empty(reduced_shape(x.shape(), mask, keepdims), DType::float64);
  const std::int64_t n = reduced_count(x.shape(), mask);
  for (std::int64_t i = 0; i < y.numel(); ++i)
    y.mutable_data<double>()[i] = static_cast<double>(
        f(std::span(values).subspan(static_cast<std::size_t>(i * n), static_cast<std::size_t>(n))));
  return y;
}

long double sum_of(std::span<const double> v) {
  long double total = 0;
  for (double x : v) total += x;
  return total;
}

/// A cotangent or result of a reduction with its reduced axes back, of size 1.
Tensor keep(const Tensor& y, const Shape& x, const Axes& axes) {
  return reshape(y, kept_shape(x, axes.mask("reduce", x)));
}

template <class Op>
std::vector<Sample> reduce_samples() {
  return {sample(Op{}, {3, 4}),
          sample(Op{.axes = {1}}, {3, 4}),
          sample(Op{.axes = {0}}, {3, 4}),
          sample(Op{.axes = {-1}, .keepdims = true}, {2, 3, 4}),
          sample(Op{.axes = {0, 2}}, {2, 3, 4}),
          sample(Op{.axes = {1}}, {2, 3, 4}),
          sample(Op{.axes = {0, 1}, .keepdims = true}, {3, 2}),
          sample(Op{}, {}),
          sample(Op{}, {1}),
          sample(Op{.axes = {1}}, {0, 3}),
          sample(Op{.axes = {2}}, {2, 3, 2, 2}),
          sample(Op{}, {70'001}).large(),
          sample(Op{.axes = {0}}, {2001, 130}).large(),  // chunks of rows
          sample(Op{.axes = {0}}, {70, 1100}).large(),   // and of columns
          sample(Op{.axes = {1}}, {601, 130}).large()};
}

Array as_floating(const Array& x) { return is_floating(x.dtype()) ? x : x.astype(default_dtype()); }

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

void require_elements(std::string_view op, const Array& x, unsigned mask) {
  if (reduced_count(x.shape(), mask) == 0 && reduced_shape(x.shape(), mask, false).numel() > 0)
    throw ValueError(op,
                     fmt::format("shape {} has no elements along the reduced axes, so none is the largest or "
                                 "smallest: check that it is not empty first",
                                 x.shape().str()));
}

/// The cotangent of an extreme, shared equally by the elements that reach it.
Tensor share_ties(const Tensor& dy, const Tensor& x, const Tensor& y, const Axes& axes) {
  const Tensor ties = astype(x == keep(y, x.shape(), axes), x.dtype());
  return keep(dy, x.shape(), axes) * (ties / sum(ties, axes, {.keepdims = true}));
}

/// max x.   dx = dy, shared equally by ties
struct Max {
  static constexpr std::string_view name = "max";
  static std::vector<Sample> samples() {
    std::vector<Sample> all;
    for (Sample& s : reduce_samples<Max>()) all.push_back(std::move(s).distinct());
    return all;
  }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      double best = v[0];
      for (double d : v) best = d > best ? d : best;
      return best;
    });
  }

  Array forward(const Array& x) const {
    const unsigned mask = axes.mask(name, x.shape());
    require_elements(name, x, mask);
    return reduce<kernels::MaxReducer>(name, x, mask, keepdims);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x, Output y) const { return share_ties(dy, x, y, axes); }

  Axes axes = {};
  bool keepdims = false;
};

/// min x.   dx = dy, shared equally by ties
struct Min {
  static constexpr std::string_view name = "min";
  static std::vector<Sample> samples() {
    std::vector<Sample> all;
    for (Sample& s : reduce_samples<Min>()) all.push_back(std::move(s).distinct());
    return all;
  }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      double best = v[0];
      for (double d : v) best = d < best ? d : best;
      return best;
    });
  }

  Array forward(const Array& x) const {
    const unsigned mask = axes.mask(name, x.shape());
    require_elements(name, x, mask);
    return reduce<kernels::MinReducer>(name, x, mask, keepdims);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x, Output y) const { return share_ties(dy, x, y, axes); }

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
    if (reduced_count(x.shape(), mask) == 0) return reduce<kernels::SumReducer>(name, x, mask, keepdims);
    // Scaled by the largest magnitude: squares stay within the dtype's range.
    const Array size = map_floating(
        name, [](auto v) { return abs(v); }, x);
    const Array largest = reduce<kernels::MaxReducer>(name, size, mask, true);
    const Array scaled = map_floating(
        name,
        [](auto v, auto m) {
          const auto r = select(m > 0, v / m, decltype(v)(0));
          return r * r;
        },
        x, largest);
    const Array total = reduce<kernels::SumReducer>(name, scaled, mask, keepdims);
    // A largest magnitude of infinity or NaN is the norm.
    return map_floating(
        name, [](auto t, auto m) { return select(isfinite(m), sqrt(t) * m, m); }, total,
        largest.reshape(total.shape()));
  }
  Tensor vjp(const Tensor& dy, const Tensor& x, Output y) const {
    const Tensor length = keep(y, x.shape(), axes);
    return keep(dy, x.shape(), axes) * (x / where(length == 0, 1.0, length));
  }

  Axes axes = {};
  bool keepdims = false;
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

/// The position of the first element for which `better` says so against all before it.
template <class Better>
Array arg_extreme(std::string_view op, const Array& x, const std::optional<std::int64_t>& axis, bool keepdims,
                  Better better) {
  const unsigned mask = axis ? 1u << normalize_axis(op, *axis, x.shape()) : (1u << x.rank()) - 1;
  require_elements(op, x, mask);
  Array y = Array::empty(reduced_shape(x.shape(), mask, keepdims), DType::int64);
  const Array rows = x.permute(axes_in_order(x.rank(), mask, false)).contiguous();
  const std::int64_t n = reduced_count(x.shape(), mask);
  dispatch(x.dtype(), [&]<class T>() {
    kernels::parallel_for(y.numel(), std::max<std::int64_t>(1, (1 << 14) / std::max<std::int64_t>(1, n)),
                          [&](std::int64_t b, std::int64_t e) {
                            for (std::int64_t r = b; r < e; ++r) {
                              const T* p = rows.data<T>() + r * n;
                              std::int64_t best = 0;
                              for (std::int64_t i = 1; i < n; ++i)
                                if (better(p[i], p[best])) best = i;
                              y.mutable_data<std::int64_t>()[r] = best;
                            }
                          });
  });
  return y;
}

template <class Op>
std::vector<Sample> arg_samples() {
  return {sample(Op{}, {3, 4}).distinct(),
          sample(Op{.axis = 1}, {3, 4}).distinct(),
          sample(Op{.axis = 0, .keepdims = true}, {3, 4}).distinct(),
          sample(Op{}, {}),
          sample(Op{}, {1}),
          sample(Op{.axis = 1}, {0, 3}),
          sample(Op{.axis = 1}, {2, 3, 2, 2}).distinct(),
          sample(Op{}, {70'001}).distinct().large(),
          sample(Op{.axis = 0}, {601, 130}).distinct().large()};
}

template <class Better>
Array reference_arg(const Array& x, const std::optional<std::int64_t>& axis, bool keepdims, Better better) {
  return reference_reduce(x, axis ? Axes(*axis) : Axes(), keepdims, [&](std::span<const double> v) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < v.size(); ++i) best = better(v[i], v[best]) ? i : best;
    return static_cast<double>(best);
  });
}

struct ArgMax {
  static constexpr std::string_view name = "argmax";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return arg_samples<ArgMax>(); }
  Array reference(const Array& x) const {
    return reference_arg(x, axis, keepdims, [](double a, double b) { return a > b; });
  }
  Array forward(const Array& x) const {
    return arg_extreme(name, x, axis, keepdims, [](auto a, auto b) { return a > b || (a != a && b == b); });
  }

  std::optional<std::int64_t> axis = {};
  bool keepdims = false;
};

struct ArgMin {
  static constexpr std::string_view name = "argmin";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return arg_samples<ArgMin>(); }
  Array reference(const Array& x) const {
    return reference_arg(x, axis, keepdims, [](double a, double b) { return a < b; });
  }
  Array forward(const Array& x) const {
    return arg_extreme(name, x, axis, keepdims, [](auto a, auto b) { return a < b || (a != a && b == b); });
  }

  std::optional<std::int64_t> axis = {};
  bool keepdims = false;
};

Array truth(std::string_view op, const Array& x) {
  return map_to_bool(
             op, [](auto v) { return v != 0; }, x)
      .astype(DType::uint8);
}

struct Any {
  static constexpr std::string_view name = "any";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() {
    return {sample(Any{}, {3, 4}).booleans(0),
            sample(Any{.axes = {1}}, {3, 2}).integers(0, 0, 2),
            sample(Any{.axes = {0}, .keepdims = true}, {3, 2}).booleans(0),
            sample(Any{}, {}).booleans(0),
            sample(Any{}, {1}).booleans(0),
            sample(Any{.axes = {0}}, {0, 3}).booleans(0),
            sample(Any{.axes = {1}}, {2, 3, 2, 2}).booleans(0),
            sample(Any{.axes = {1}}, {601, 130}).booleans(0).large()};
  }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      bool found = false;
      for (double d : v) found = found || d != 0;
      return found;
    });
  }
  Array forward(const Array& x) const {
    return reduce<kernels::MaxReducer>(name, truth(name, x), axes.mask(name, x.shape()), keepdims)
        .astype(DType::bool_);
  }

  Axes axes = {};
  bool keepdims = false;
};

struct All {
  static constexpr std::string_view name = "all";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() {
    return {sample(All{}, {3, 4}).booleans(0),
            sample(All{.axes = {1}}, {3, 2}).integers(0, 0, 2),
            sample(All{.axes = {0}, .keepdims = true}, {3, 2}).booleans(0),
            sample(All{}, {}).booleans(0),
            sample(All{}, {1}).booleans(0),
            sample(All{.axes = {0}}, {0, 3}).booleans(0),
            sample(All{.axes = {1}}, {2, 3, 2, 2}).booleans(0),
            sample(All{.axes = {1}}, {601, 130}).booleans(0).large()};
  }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      bool every = true;
      for (double d : v) every = every && d != 0;
      return every;
    });
  }
  Array forward(const Array& x) const {
    const Array lowest =
        reduce<kernels::MinReducer>(name, truth(name, x), axes.mask(name, x.shape()), keepdims);
    return map_to_bool(
        name, [](auto v) { return v != 0; }, lowest);
  }

  Axes axes = {};
  bool keepdims = false;
};

struct CountNonzero {
  static constexpr std::string_view name = "count_nonzero";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() {
    return {sample(CountNonzero{}, {3, 4}).booleans(0),
            sample(CountNonzero{.axes = {1}}, {3, 4}).integers(0, 0, 3),
            sample(CountNonzero{}, {}).booleans(0),
            sample(CountNonzero{}, {1}).booleans(0),
            sample(CountNonzero{.axes = {0}}, {0, 3}).booleans(0),
            sample(CountNonzero{.axes = {1}}, {2, 3, 2, 2}).booleans(0),
            sample(CountNonzero{}, {601, 130}).booleans(0).large()};
  }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      int n = 0;
      for (double d : v) n += d != 0;
      return n;
    });
  }
  Array forward(const Array& x) const {
    return reduce<kernels::SumReducer>(name, truth(name, x).astype(DType::int64), axes.mask(name, x.shape()),
                                       keepdims);
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
    const bool floating = is_floating(x.dtype());
    return reduce<kernels::ProductReducer>(name, x.astype(floating ? DType::float64 : DType::int64),
                                           axes.mask(name, x.shape()), keepdims)
        .astype(floating ? x.dtype() : DType::int64);
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
Tensor max(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Max{axes, options.keepdims}, x);
}
Tensor min(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Min{axes, options.keepdims}, x);
}
Tensor norm(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Norm{axes, options.keepdims}, x);
}
Tensor logsumexp(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(LogSumExp{axes, options.keepdims}, x);
}
Tensor argmax(const Tensor& x, std::optional<std::int64_t> axis, ReduceOptions options) {
  return record(ArgMax{axis, options.keepdims}, x);
}
Tensor argmin(const Tensor& x, std::optional<std::int64_t> axis, ReduceOptions options) {
  return record(ArgMin{axis, options.keepdims}, x);
}
Tensor any(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Any{axes, options.keepdims}, x);
}
Tensor all(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(All{axes, options.keepdims}, x);
}
Tensor count_nonzero(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(CountNonzero{axes, options.keepdims}, x);
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
Tensor Tensor::max(const Axes& axes, ReduceOptions options) const { return xgrad::max(*this, axes, options); }
Tensor Tensor::min(const Axes& axes, ReduceOptions options) const { return xgrad::min(*this, axes, options); }
Tensor Tensor::argmax(std::optional<std::int64_t> axis, ReduceOptions options) const {
  return xgrad::argmax(*this, axis, options);
}
Tensor Tensor::argmin(std::optional<std::int64_t> axis, ReduceOptions options) const {
  return xgrad::argmin(*this, axis, options);
}

}  // namespace xgrad::inline v0
