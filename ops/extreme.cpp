#include <fmt/core.h>

#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/kernels/search.hpp>
#include <xgrad/ops/reduction.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::keep;
using detail::reduce;
using detail::reduce_in_order;
using detail::reduce_samples;
using detail::reduced_count;
using detail::reduced_shape;
using detail::reference_reduce;

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

/// The extreme by R; of bools it is found among 0 and 1.
template <class R>
Array extreme(std::string_view op, const Array& x, const Axes& axes, bool keepdims) {
  const unsigned mask = axes.mask(op, x.shape());
  require_elements(op, x, mask);
  if (x.dtype() == DType::bool_)
    return reduce<R>(op, x.astype(DType::uint8), mask, keepdims).astype(DType::bool_);
  return reduce<R>(op, x, mask, keepdims);
}

/// Without ties, whose finite differences are one-sided.
template <class Op>
std::vector<Sample> distinct_samples() {
  std::vector<Sample> all = reduce_samples<Op>();
  for (Sample& s : all) s = std::move(s).distinct();
  return all;
}

/// max x.   dx = dy, shared equally by ties
struct Max {
  static constexpr std::string_view name = "max";
  static std::vector<Sample> samples() { return distinct_samples<Max>(); }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      double best = v[0];
      for (double d : v) best = d > best ? d : best;
      return best;
    });
  }

  Array forward(const Array& x) const { return extreme<kernels::MaxReducer>(name, x, axes, keepdims); }
  Tensor vjp(const Tensor& dy, const Tensor& x, Output y) const { return share_ties(dy, x, y, axes); }

  Axes axes = {};
  bool keepdims = false;
};

/// min x.   dx = dy, shared equally by ties
struct Min {
  static constexpr std::string_view name = "min";
  static std::vector<Sample> samples() { return distinct_samples<Min>(); }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      double best = v[0];
      for (double d : v) best = d < best ? d : best;
      return best;
    });
  }

  Array forward(const Array& x) const { return extreme<kernels::MinReducer>(name, x, axes, keepdims); }
  Tensor vjp(const Tensor& dy, const Tensor& x, Output y) const { return share_ties(dy, x, y, axes); }

  Axes axes = {};
  bool keepdims = false;
};

/// The first position of the extreme by R along `axis`, or in all of x.
template <class R>
Array arg_extreme(std::string_view op, const Array& x, const std::optional<std::int64_t>& axis,
                  bool keepdims) {
  const unsigned mask = axis ? 1u << normalize_axis(op, *axis, x.shape()) : (1u << x.rank()) - 1;
  require_elements(op, x, mask);
  Array y = Array::empty(reduced_shape(x.shape(), mask, keepdims), DType::int64);
  const std::int64_t n = reduced_count(x.shape(), mask), kept = y.numel();
  if (kept == 0) return y;
  std::int64_t* const out = y.mutable_data<std::int64_t>();
  dispatch(x.dtype(), [&]<class T>() {
    using Number = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
    const auto data = [](const Array& a) { return reinterpret_cast<const Number*>(a.data<T>()); };
    reduce_in_order(
        x, mask, n, kept, n <= INT32_MAX ? 16 : INT64_MAX,
        [&](const Array& rows) { kernels::arg_rows<R>(data(rows), kept, n, out); },
        [&](const Array& columns) { kernels::arg_columns<R>(data(columns), n, kept, out); });
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
  Array forward(const Array& x) const { return arg_extreme<kernels::MaxReducer>(name, x, axis, keepdims); }

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
  Array forward(const Array& x) const { return arg_extreme<kernels::MinReducer>(name, x, axis, keepdims); }

  std::optional<std::int64_t> axis = {};
  bool keepdims = false;
};

}  // namespace

Tensor max(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Max{axes, options.keepdims}, x);
}
Tensor min(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Min{axes, options.keepdims}, x);
}
Tensor argmax(const Tensor& x, std::optional<std::int64_t> axis, ReduceOptions options) {
  return record(ArgMax{axis, options.keepdims}, x);
}
Tensor argmin(const Tensor& x, std::optional<std::int64_t> axis, ReduceOptions options) {
  return record(ArgMin{axis, options.keepdims}, x);
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
