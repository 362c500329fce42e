#pragma once
#include <algorithm>
#include <array>
#include <xgrad/core/loops.hpp>
#include <xgrad/ops/kernels/dual.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

/// Elementwise functions of arrays: what stands between an op's lambda and the SIMD loops of
/// ops/kernels/map.hpp. Broadcasts, promotes, keeps the dense order of axes, cuts large work into chunks.
namespace xgrad::inline v0 {

namespace detail {

inline constexpr std::int64_t map_grain = 1 << 15;  // elements that one thread computes by itself

/// The result array: the broadcast shape, in the dense order of the first input that has that shape.
template <class... A>
Array map_result([[maybe_unused]] std::string_view op, DType t, const Array& first, const A&... rest) {
  if (((rest.rank() == 0 || rest.shape() == first.shape()) && ...))
    return Array::empty_like(first, first.shape(), t);
  Shape shape = first.shape();
  ((shape = broadcast_shapes(op, shape, rest.shape())), ...);
  const Array* like = &first;
  ((like->shape() != shape && rest.shape() == shape ? void(like = &rest) : void()), ...);
  return Array::empty_like(*like, shape, t);
}

/// A kernel's view of ys, `offset` elements on.
template <class R, std::size_t N>
kernels::Out<R, N> map_out(Array* ys, std::int64_t offset, std::int64_t row_stride) {
  kernels::Out<R, N> out{{}, 1, row_stride};
  for (std::size_t k = 0; k < N; ++k) out.data[k] = ys[k].template mutable_data<R>() + offset;
  return out;
}

/// map_into for much work, or for strides: apart from it, so that what small models run through stays short
/// and in the cache.
template <class R, std::size_t N, class... T, class F, std::size_t... I>
[[gnu::noinline]] void map_into_any(const F& f, Array* ys, std::index_sequence<I...>, const Array* const* in,
                                    bool flat) {
  const Array& y = ys[0];
  const std::int64_t n = y.numel();
  if (flat) {
    kernels::parallel_for(n, map_grain, [&](std::int64_t b, std::int64_t e) {
      kernels::map(f, e - b, map_out<R, N>(ys, b, 0),
                   kernels::in(in[I]->data<T>() + (in[I]->numel() == 1 ? 0 : b),
                               in[I]->numel() == 1 && n > 1 ? 0 : 1)...);
    });
    return;
  }
  const Array* operands[] = {&y, in[I]...};
  const LoopPlan plan = plan_loops(y.shape(), operands, 1 + static_cast<int>(sizeof...(I)));
  const std::int64_t cols = plan.inner_size();
  if (plan.rank == 1) {
    kernels::parallel_for(cols, map_grain, [&](std::int64_t b, std::int64_t e) {
      kernels::map(f, e - b, map_out<R, N>(ys, b, 0),
                   kernels::in(in[I]->data<T>() + b * plan.inner_stride(static_cast<int>(I) + 1),
                               plan.inner_stride(static_cast<int>(I) + 1))...);
    });
    return;
  }
  // Blocks of rows × cols over the two innermost axes.
  const int axis = plan.rank - 2;
  const std::int64_t rows = plan.sizes[axis], blocks = plan.rows() / rows;
  const auto run = [&](std::int64_t block, std::int64_t b, std::int64_t e) {
    std::int64_t at[max_operands];
    plan.row_offsets(block * rows + b, at);
    kernels::map_rows(f, e - b, cols, map_out<R, N>(ys, at[0], plan.strides[0][axis]),
                      kernels::in(in[I]->data<T>() + at[I + 1], plan.inner_stride(static_cast<int>(I) + 1),
                                  plan.strides[I + 1][axis])...);
  };
  if (blocks == 1) {
    kernels::parallel_for(rows, std::max<std::int64_t>(1, map_grain / cols),
                          [&](std::int64_t b, std::int64_t e) { run(0, b, e); });
  } else {
    kernels::parallel_for(blocks, std::max<std::int64_t>(1, map_grain / (rows * cols)),
                          [&](std::int64_t b, std::int64_t e) {
                            for (std::int64_t k = b; k < e; ++k) run(k, 0, rows);
                          });
  }
}

/// ys[…] = f(a[…]…), where the element types are R and T…; all ys have one shape and layout, to which the
/// inputs broadcast.
template <class R, std::size_t N, class... T, class F, std::size_t... I>
void map_into(const F& f, Array* ys, std::index_sequence<I...> indices, const Array* const* in) {
  const std::int64_t n = ys[0].numel();
  if (n == 0) return;
  const bool flat = ys[0].is_contiguous() &&
                    ((in[I]->numel() == 1 || (in[I]->is_contiguous() && in[I]->numel() == n)) && ...);
  if (!flat || n > map_grain) return map_into_any<R, N, T...>(f, ys, indices, in, flat);
  kernels::map(f, n, map_out<R, N>(ys, 0, 0),
               kernels::in(in[I]->data<T>(), in[I]->numel() == 1 && n > 1 ? 0 : 1)...);
}

}  // namespace detail

/// f elementwise over arrays whose dtypes are those of T…, giving dtype_of<R>.
template <class R, class... T, class F, class... A>
Array map_elements(std::string_view op, const F& f, const A&... a) {
  Array y = detail::map_result(op, dtype_of<R>, a...);
  const Array* const in[] = {&a...};
  detail::map_into<R, 1, T...>(f, &y, std::index_sequence_for<A...>{}, in);
  return y;
}

/// The dtype to which arrays promote.
inline DType promote(const Array& a) { return a.dtype(); }
template <class... A>
DType promote(const Array& a, const Array& b, const A&... rest) {
  DType t = promote(a.dtype(), b.dtype());
  ((t = promote(t, rest.dtype())), ...);
  return t;
}

/// f elementwise on floating numbers; integers and bools are converted to the default dtype.
template <class F, class... A>
Array map_floating(std::string_view op, const F& f, const A&... a) {
  DType t = promote(a...);
  if (!is_floating(t)) t = default_dtype();
  if (((a.dtype() != t) || ...)) return map_floating(op, f, a.astype(t)...);
  if (t == DType::float32) return map_elements<float, std::conditional_t<true, float, A>...>(op, f, a...);
  return map_elements<double, std::conditional_t<true, double, A>...>(op, f, a...);
}

/// x = f(x, …) as map_floating gives it for a floating x, in the memory of x if nobody else holds that and
/// the result fits.
template <class F, class... A>
void map_onto(std::string_view op, const F& f, Array& x, const A&... rest) {
  const bool fits =
      x.unique() && x.is_dense() && ((rest.dtype() == x.dtype() && rest.shape() == x.shape()) && ...);
  if (!fits) {
    x = map_floating(op, f, x, rest...);
    return;
  }
  const Array* const in[] = {&x, &rest...};
  constexpr auto indices = std::make_index_sequence<1 + sizeof...(A)>{};
  if (x.dtype() == DType::float32)
    detail::map_into<float, 1, float, std::conditional_t<true, float, A>...>(f, &x, indices, in);
  else
    detail::map_into<double, 1, double, std::conditional_t<true, double, A>...>(f, &x, indices, in);
}
/// The same for an x that the caller gives away.
template <class F, class... A>
Array map_in_place(std::string_view op, const F& f, Array x, const A&... rest) {
  map_onto(op, f, x, rest...);
  return x;
}

/// f elementwise on numbers of any dtype but bool, which is a DTypeError naming `op`.
template <class F, class... A>
Array map_numeric(std::string_view op, const F& f, const A&... a) {
  const DType t = promote(a...);
  if (((a.dtype() != t) || ...)) return map_numeric(op, f, a.astype(t)...);
  return dispatch_numeric(
      op, t, [&]<class T>() { return map_elements<T, std::conditional_t<true, T, A>...>(op, f, a...); });
}

/// f elementwise on any dtype, giving bool; bools are compared as 0 and 1.
template <class F, class... A>
Array map_to_bool(std::string_view op, const F& f, const A&... a) {
  DType t = promote(a...);
  if (t == DType::bool_) t = DType::uint8;
  if (((a.dtype() != t) || ...)) return map_to_bool(op, f, a.astype(t)...);
  return dispatch_numeric(
      op, t, [&]<class T>() { return map_elements<bool, std::conditional_t<true, T, A>...>(op, f, a...); });
}

/// f elementwise on floating numbers, as map_floating, and its derivative, in one pass.
template <class F>
std::array<Array, 2> map_with_slope(std::string_view op, const F& f, const Array& x) {
  const DType t = is_floating(x.dtype()) ? x.dtype() : default_dtype();
  if (x.dtype() != t) return map_with_slope(op, f, x.astype(t));
  Array ys[2] = {detail::map_result(op, t, x), detail::map_result(op, t, x)};
  const Array* const in[] = {&x};
  const auto run = [&]<class T>() {
    detail::map_into<T, 2, T>(simd::detail::ValueAndSlope<F>{f}, ys, std::index_sequence<0>{}, in);
  };
  if (t == DType::float32)
    run.template operator()<float>();
  else
    run.template operator()<double>();
  return {std::move(ys[0]), std::move(ys[1])};
}

/// The gradients of an elementwise floating f in one pass: dy · ∂f/∂x_k for each input, in dy's shape and
/// dtype.
template <class F, class... A>
std::array<Array, sizeof...(A)> map_gradient(const F& f, const Array& dy, const A&... a) {
  constexpr std::size_t n = sizeof...(A);
  const DType t = dy.dtype();
  if (((a.dtype() != t) || ...)) return map_gradient(f, dy, a.astype(t)...);
  Array grads[n];
  for (Array& g : grads) g = Array::empty_like(dy, dy.shape(), t);
  const Array* const in[] = {&dy, &a...};
  const auto run = [&]<class T>() {
    detail::map_into<T, n, T, std::conditional_t<true, T, A>...>(simd::detail::Gradient<F>{f}, grads,
                                                                 std::make_index_sequence<n + 1>{}, in);
  };
  if (t == DType::float32)
    run.template operator()<float>();
  else
    run.template operator()<double>();
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<Array, n>{std::move(grads[I])...};
  }
  (std::make_index_sequence<n>{});
}

}  // namespace xgrad::inline v0
