#pragma once
#include <xgrad/ops/kernels/reduce.hpp>

/// Running sums and products. Each is formed in order, element by element, so that an overflow is where a
/// plain loop has it; the lanes of a pack are rows or columns that run side by side. Floats are kept in
/// double and rounded only when they are stored.
namespace xgrad::inline v0::kernels {

namespace detail {

// Of two rows of a matrix in packs: the lanes that have bit D of their number set in the upper one change
// places with those that have it clear in the lower one. For the wide registers in a function of their level,
// as the conversions in basic.hpp.
#define XGRAD_SIMD_EXCHANGE(level, attribute)                                                  \
  template <std::size_t D, class V, std::size_t... I>                                          \
  attribute void exchange_##level(V& a, V& b, std::index_sequence<I...>) {                     \
    constexpr std::size_t w = sizeof...(I);                                                    \
    const V upper = __builtin_shufflevector(a, b, static_cast<int>(I & D ? I - D + w : I)...); \
    b = __builtin_shufflevector(a, b, static_cast<int>(I & D ? I + w : I + D)...);             \
    a = upper;                                                                                 \
  }
XGRAD_SIMD_EXCHANGE(portable, XGRAD_SIMD_INLINE)
#if XGRAD_SIMD_X86
XGRAD_SIMD_EXCHANGE(v3, [[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline)
XGRAD_SIMD_EXCHANGE(v4, [[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline)
#endif
#undef XGRAD_SIMD_EXCHANGE

/// Transposes a square of packs, by exchanging ever smaller blocks.
template <class P, int D = P::width / 2>
XGRAD_SIMD_INLINE void transpose(P* rows) {
  constexpr std::make_index_sequence<static_cast<std::size_t>(P::width)> lanes{};
  for (int r = 0; r < P::width; ++r) {
    if (r & D) continue;
#if XGRAD_SIMD_X86
    if constexpr (sizeof(rows->v) == 64)
      exchange_v4<D>(rows[r].v, rows[r + D].v, lanes);
    else if constexpr (sizeof(rows->v) == 32)
      exchange_v3<D>(rows[r].v, rows[r + D].v, lanes);
    else
#endif
      exchange_portable<D>(rows[r].v, rows[r + D].v, lanes);
  }
  if constexpr (D > 1) transpose<P, D / 2>(rows);
}

/// As many running totals as P has lanes.
template <class R, class P>
class RunningLanes {
 public:
  XGRAD_SIMD_INLINE P next(const P& x) { return total_ = R::step(total_, x); }
  XGRAD_SIMD_INLINE void store(typename P::Scalar* to) const { total_.store(to); }

 private:
  P total_ = P(R::template identity<typename P::Scalar>());
};
template <class R, int W>
class RunningLanes<R, simd::Pack<float, W>> {
 public:
  XGRAD_SIMD_INLINE simd::Pack<float, W> next(const simd::Pack<float, W>& x) {
    const auto wide = simd::detail::widen(x);
    totals_.low = R::step(totals_.low, wide.low);
    totals_.high = R::step(totals_.high, wide.high);
    return simd::detail::narrow(totals_);
  }
  XGRAD_SIMD_INLINE void store(double* to) const {
    totals_.low.store(to);
    totals_.high.store(to + W / 2);
  }

 private:
  simd::detail::Doubles<W> totals_{R::template identity<double>(), R::template identity<double>()};
};

/// Goes on with a row at x[i], in steps of 1 or -1, for `count` elements.
template <class R, class T, class V>
XGRAD_SIMD_INLINE void scan_line(const T* x, T* y, std::int64_t i, std::int64_t step, std::int64_t count,
                                 V total) {
  for (; count > 0; --count, i += step) {
    total = R::step(total, static_cast<V>(x[i]));
    y[i] = static_cast<T>(total);
  }
}

template <class R, class T>
void scan_some_rows(const T* x, T* y, std::int64_t rows, std::int64_t n, bool backwards) {
  vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
    using V = Partial<R, T>;
    using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
    constexpr std::int64_t w = P::width;
    const std::int64_t step = backwards ? -1 : 1, first = backwards ? n - 1 : 0;
    std::int64_t r = 0;
    for (; n >= w && r + w <= rows; r += w) {
      const T* in = x + r * n;
      T* out = y + r * n;
      RunningLanes<R, P> totals;
      std::int64_t done = 0;
      for (; done + w <= n; done += w) {
        const std::int64_t at = backwards ? n - done - w : done;
        P square[w];
        for (int k = 0; k < w; ++k) square[k] = P::load(in + k * n + at);
        transpose(square);
        if (backwards)
          for (int k = w - 1; k >= 0; --k) square[k] = totals.next(square[k]);
        else
          for (int k = 0; k < w; ++k) square[k] = totals.next(square[k]);
        transpose(square);
        for (int k = 0; k < w; ++k) square[k].store(out + k * n + at);
      }
      V so_far[w];
      totals.store(so_far);
      for (int k = 0; k < w; ++k)
        scan_line<R>(in + k * n, out + k * n, first + step * done, step, n - done, so_far[k]);
    }
    for (; r < rows; ++r) scan_line<R>(x + r * n, y + r * n, first, step, n, R::template identity<V>());
  });
}

constexpr std::int64_t scan_tile = 256;

/// n ≤ scan_tile adjacent columns, from row to row.
template <class R, class T>
void scan_some_columns(const T* x, T* y, std::int64_t rows, std::int64_t n, std::int64_t row_stride,
                       bool backwards) {
  vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
    using V = Partial<R, T>;
    using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
    constexpr std::int64_t w = P::width;
    const std::int64_t packs = n / w;
    RunningLanes<R, P> totals[scan_tile / w];
    V rest[w];
    for (int k = 0; k < w; ++k) rest[k] = R::template identity<V>();
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t at = (backwards ? rows - 1 - i : i) * row_stride;
      for (std::int64_t k = 0; k < packs; ++k) totals[k].next(P::load(x + at + k * w)).store(y + at + k * w);
      for (std::int64_t j = packs * w; j < n; ++j) {
        V& total = rest[j - packs * w];
        total = R::step(total, static_cast<V>(x[at + j]));
        y[at + j] = static_cast<T>(total);
      }
    }
  });
}

}  // namespace detail

/// y[o, i, j] = x[o, 0, j] ∘ … ∘ x[o, i, j], or x[o, i, j] ∘ … ∘ x[o, n - 1, j] backwards, where ∘ is R's;
/// both are (outer, n, inner) in row-major order.
template <class R, class T>
void scan(const T* x, T* y, std::int64_t outer, std::int64_t n, std::int64_t inner, bool backwards) {
  if (inner == 1) {
    const std::int64_t grain =
        16 * std::max<std::int64_t>(1, detail::reduce_grain / 16 / std::max<std::int64_t>(1, n));
    parallel_for(outer, grain, [=](std::int64_t b, std::int64_t e) {
      detail::scan_some_rows<R>(x + b * n, y + b * n, e - b, n, backwards);
    });
    return;
  }
  const std::int64_t tiles = (inner + detail::scan_tile - 1) / detail::scan_tile;
  const std::int64_t work = std::max<std::int64_t>(1, n * std::min(inner, detail::scan_tile));
  parallel_for(outer * tiles, std::max<std::int64_t>(1, detail::reduce_grain / work),
               [=](std::int64_t b, std::int64_t e) {
                 for (std::int64_t t = b; t < e; ++t) {
                   const std::int64_t j = t % tiles * detail::scan_tile, at = t / tiles * n * inner + j;
                   detail::scan_some_columns<R>(x + at, y + at, n, std::min(detail::scan_tile, inner - j),
                                                inner, backwards);
                 }
               });
}

}  // namespace xgrad::inline v0::kernels
