#pragma once
#include <xgrad/core/op.hpp>
#include <xgrad/ops/kernels/reduce.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

/// What reductions over any axes share: shapes, the order in which elements are read, references and samples.
namespace xgrad::inline v0::detail {

/// `shape` with the axes in `mask` of size 1.
inline Shape kept_shape(const Shape& shape, unsigned mask) {
  Shape kept = shape;
  for (int i = 0; i < kept.rank(); ++i)
    if (mask >> i & 1) kept[i] = 1;
  return kept;
}

inline Shape reduced_shape(const Shape& shape, unsigned mask, bool keepdims) {
  if (keepdims) return kept_shape(shape, mask);
  Shape out;
  for (int i = 0; i < shape.rank(); ++i)
    if (!(mask >> i & 1)) out.push_back(shape[i]);
  return out;
}

inline std::int64_t reduced_count(const Shape& shape, unsigned mask) {
  std::int64_t n = 1;
  for (int i = 0; i < shape.rank(); ++i)
    if (mask >> i & 1) n *= shape[i];
  return n;
}

inline Shape axes_in_order(int rank, unsigned mask, bool reduced_first) {
  Shape order;
  for (int pass = 0; pass < 2; ++pass)
    for (int i = 0; i < rank; ++i)
      if (((mask >> i & 1) != 0) == (reduced_first == (pass == 0))) order.push_back(i);
  return order;
}

/// Calls by_columns(x as rows × columns) where the reduced axes come first in memory and there are `few` kept
/// elements at least, else by_rows(x with the reduced axes last), for a result of `kept` elements out of n
/// each.
template <class Rows, class Columns>
void reduce_in_order(const Array& x, unsigned mask, std::int64_t n, std::int64_t kept, std::int64_t few,
                     const Rows& by_rows, const Columns& by_columns) {
  const Array columns = x.permute(axes_in_order(x.rank(), mask, true));
  if (kept >= few && n > 1 && columns.is_contiguous())
    by_columns(columns);
  else
    by_rows(x.permute(axes_in_order(x.rank(), mask, false)).contiguous());
}

/// The reduction R of x over the axes in `mask`, in x's dtype.
template <class R>
Array reduce(std::string_view op, const Array& x, unsigned mask, bool keepdims) {
  const std::int64_t n = reduced_count(x.shape(), mask);
  Array y = Array::empty(reduced_shape(x.shape(), mask, keepdims), x.dtype());
  const std::int64_t kept = y.numel();
  if (kept == 0) return y;
  const auto run = [&]<class T>() {
    T* out = y.mutable_data<T>();
    if (n == 0) {
      std::fill_n(out, kept, R::template identity<T>());
      return;
    }
    reduce_in_order(
        x, mask, n, kept, 2,
        [&](const Array& rows) { kernels::reduce_rows<R>(rows.data<T>(), kept, n, n, out); },
        [&](const Array& columns) { kernels::reduce_columns<R>(columns.data<T>(), n, kept, kept, out); });
  };
  if constexpr (std::is_same_v<R, kernels::NormReducer>)
    dispatch_floating(op, x.dtype(), run);
  else
    dispatch_numeric(op, x.dtype(), run);
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

inline long double sum_of(std::span<const double> v) {
  long double total = 0;
  for (double x : v) total += x;
  return total;
}

/// A cotangent or result of a reduction with its reduced axes back, of size 1.
inline Tensor keep(const Tensor& y, const Shape& x, const Axes& axes) {
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

inline Array as_floating(const Array& x) { return is_floating(x.dtype()) ? x : x.astype(default_dtype()); }

}  // namespace xgrad::inline v0::detail
