#pragma once
#include <xgrad/ops/kernels/reduce.hpp>

/// Softmax of rows and its gradient, for rows of n adjacent elements; a row stays in the cache for all its
/// passes.
namespace xgrad::inline v0::kernels {

namespace detail {

/// Rows that one thread takes at a time.
inline std::int64_t rows_per_chunk(std::int64_t n) {
  return std::max<std::int64_t>(1, (1 << 13) / std::max<std::int64_t>(1, n));
}

/// The row that will be read after row r; after the last one, row r again. Processors stop fetching ahead
/// where a page of memory ends, which rows often do: what a pass over row r has time for is to ask for the
/// next.
template <class T>
const T* row_after(const T* x, std::int64_t r, std::int64_t rows, std::int64_t n) {
  return x + (r + 1 < rows ? r + 1 : r) * n;
}
/// Asks the cache for element i of each of the rows, which are those that come next.
template <class... T>
XGRAD_SIMD_INLINE void prefetch(std::int64_t i, const T*... rows) {
  (__builtin_prefetch(rows + i), ...);
}

/// The last `count` elements of a row, fewer than a pack has, as a pack whose other lanes hold `fill`.
template <class P, class T>
XGRAD_SIMD_INLINE P load_part(const T* x, std::int64_t count, T fill) {
  constexpr int item = sizeof(T);
  alignas(64) T part[P::width];
  P(fill).store(part);
  load_bytes<P::width * item, item>(reinterpret_cast<char*>(part), reinterpret_cast<const char*>(x),
                                    count * item);
  return P::load(part);
}

template <class P, class T>
XGRAD_SIMD_INLINE void store_part(const P& p, T* y, std::int64_t count) {
  constexpr int item = sizeof(T);
  alignas(64) T part[P::width];
  p.store(part);
  store_bytes<P::width * item, item>(reinterpret_cast<char*>(y), reinterpret_cast<const char*>(part),
                                     count * item);
}

/// The largest element of a row: four chains, since each maximum waits for the one before.
template <class P, class T>
XGRAD_SIMD_INLINE T row_max(const T* x, std::int64_t n) {
  constexpr T lowest = -std::numeric_limits<T>::infinity();
  constexpr std::int64_t w = P::width;
  P best[4] = {P(lowest), P(lowest), P(lowest), P(lowest)};
  std::int64_t i = 0;
  for (; i + 4 * w <= n; i += 4 * w)
    for (int k = 0; k < 4; ++k) best[k] = maximum(best[k], P::load(x + i + k * w));
  for (; i + w <= n; i += w) best[0] = maximum(best[0], P::load(x + i));
  if (i < n) best[1] = maximum(best[1], load_part<P>(x + i, n - i, lowest));
  const P all = maximum(maximum(best[0], best[1]), maximum(best[2], best[3]));
  return simd::detail::fold(
      all, [](const auto& a, const auto& b) XGRAD_SIMD_LAMBDA { return MaxReducer::combine(a, b); });
}

/// Σ x of a row.
template <class P, class T>
XGRAD_SIMD_INLINE T row_sum(const T* x, std::int64_t n) {
  return row_sum<P, 4>(
      n, [x](std::int64_t i) XGRAD_SIMD_LAMBDA { return P::load(x + i); },
      [x, n](std::int64_t i) XGRAD_SIMD_LAMBDA { return load_part<P>(x + i, n - i, T(0)); });
}
/// Σ eˣ⁻ᵐ of a row, m = top.
template <class P, class T>
XGRAD_SIMD_INLINE T row_sum_exp(const T* x, std::int64_t n, const P& top) {
  constexpr T lowest = -std::numeric_limits<T>::infinity();
  return row_sum<P, 2>(
      n, [=](std::int64_t i) XGRAD_SIMD_LAMBDA { return exp_below_one(P::load(x + i) - top); },
      [=](std::int64_t i)
          XGRAD_SIMD_LAMBDA { return exp_below_one(load_part<P>(x + i, n - i, lowest) - top); });
}

}  // namespace detail

/// y = eˣ⁻ᵐ / Σ eˣ⁻ᵐ for each row, m its largest element. x and y may be the same.
template <class T>
void softmax_rows(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  parallel_for(rows, detail::rows_per_chunk(n), [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      constexpr std::int64_t w = P::width;
      constexpr T lowest = -std::numeric_limits<T>::infinity();
      for (std::int64_t r = b; r < e; ++r) {
        const T* in = x + r * n;
        T* out = y + r * n;
        const T* const next = detail::row_after(x, r, rows, n);
        const P top(detail::row_max<P>(in, n));
        const P scale(T(1) / detail::row_sum<P, 2>(
                                 n,
                                 [=](std::int64_t i) XGRAD_SIMD_LAMBDA {
                                   detail::prefetch(i, next);
                                   const P p = exp_below_one(P::load(in + i) - top);
                                   p.store(out + i);
                                   return p;
                                 },
                                 [=](std::int64_t i) XGRAD_SIMD_LAMBDA {
                                   const P p =
                                       exp_below_one(detail::load_part<P>(in + i, n - i, lowest) - top);
                                   detail::store_part(p, out + i, n - i);
                                   return p;
                                 }));
        std::int64_t i = 0;
        for (; i + w <= n; i += w) (P::load(out + i) * scale).store(out + i);
        if (i < n) detail::store_part(detail::load_part<P>(out + i, n - i, T(0)) * scale, out + i, n - i);
      }
    });
  });
}

/// y = x - m - ln Σ eˣ⁻ᵐ for each row.
template <class T>
void log_softmax_rows(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  parallel_for(rows, detail::rows_per_chunk(n), [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      constexpr std::int64_t w = P::width;
      for (std::int64_t r = b; r < e; ++r) {
        const T* in = x + r * n;
        T* out = y + r * n;
        const T *next_in = detail::row_after(x, r, rows, n), *next_out = detail::row_after(y, r, rows, n);
        const P top(detail::row_max<P>(in, n));
        const P rest(log(P(detail::row_sum_exp<P>(in, n, top))));
        std::int64_t i = 0;
        for (; i + w <= n; i += w) {
          detail::prefetch(i, next_in, next_out);
          ((P::load(in + i) - top) - rest).store(out + i);
        }
        if (i < n)
          detail::store_part((detail::load_part<P>(in + i, n - i, T(0)) - top) - rest, out + i, n - i);
      }
    });
  });
}

/// dx = y (dy - Σ dy y) for each row of a softmax's result y.
template <class T>
void softmax_gradient_rows(const T* dy, const T* y, T* dx, std::int64_t rows, std::int64_t n) {
  parallel_for(rows, detail::rows_per_chunk(n), [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      constexpr std::int64_t w = P::width;
      for (std::int64_t r = b; r < e; ++r) {
        const T *d = dy + r * n, *p = y + r * n;
        T* out = dx + r * n;
        const T *next_d = detail::row_after(dy, r, rows, n), *next_p = detail::row_after(y, r, rows, n),
                *next_out = detail::row_after(dx, r, rows, n);
        const P dot(detail::row_sum<P, 4>(
            n, [=](std::int64_t i) XGRAD_SIMD_LAMBDA { return P::load(d + i) * P::load(p + i); },
            [=](std::int64_t i) XGRAD_SIMD_LAMBDA {
              return detail::load_part<P>(d + i, n - i, T(0)) * detail::load_part<P>(p + i, n - i, T(0));
            }));
        std::int64_t i = 0;
        for (; i + w <= n; i += w) {
          detail::prefetch(i, next_d, next_p, next_out);
          (P::load(p + i) * (P::load(d + i) - dot)).store(out + i);
        }
        if (i < n)
          detail::store_part(
              detail::load_part<P>(p + i, n - i, T(0)) * (detail::load_part<P>(d + i, n - i, T(0)) - dot),
              out + i, n - i);
      }
    });
  });
}

/// dx = dy - eʸ Σ dy for each row of a log_softmax's result y.
template <class T>
void log_softmax_gradient_rows(const T* dy, const T* y, T* dx, std::int64_t rows, std::int64_t n) {
  parallel_for(rows, detail::rows_per_chunk(n), [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      constexpr std::int64_t w = P::width;
      for (std::int64_t r = b; r < e; ++r) {
        const T *d = dy + r * n, *p = y + r * n;
        T* out = dx + r * n;
        const T *next_d = detail::row_after(dy, r, rows, n), *next_p = detail::row_after(y, r, rows, n),
                *next_out = detail::row_after(dx, r, rows, n);
        const P total(detail::row_sum<P>(d, n));
        std::int64_t i = 0;
        for (; i + w <= n; i += w) {
          detail::prefetch(i, next_d, next_p, next_out);
          (P::load(d + i) - exp_below_one(P::load(p + i)) * total).store(out + i);
        }
        if (i < n)
          detail::store_part(detail::load_part<P>(d + i, n - i, T(0)) -
                                 exp_below_one(detail::load_part<P>(p + i, n - i, T(0))) * total,
                             out + i, n - i);
      }
    });
  });
}

/// y[r] = ln Σ eˣ of each row.
template <class T>
void log_sum_exp_rows(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  parallel_for(rows, detail::rows_per_chunk(n), [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      for (std::int64_t r = b; r < e; ++r) {
        const T* in = x + r * n;
        const P top(detail::row_max<P>(in, n));
        y[r] = top[0] + log(P(detail::row_sum_exp<P>(in, n, top)))[0];
      }
    });
  });
}

/// dx = scale[r] (eˣ⁻ˡ - [i = target[r]]) for each row, l = level[r] its ln Σ eˣ; a target `ignored` is
/// nowhere.
template <class T>
void cross_entropy_gradient_rows(const T* x, const T* level, const T* scale, const std::int64_t* target,
                                 T* dx, std::int64_t rows, std::int64_t n, std::int64_t ignored) {
  parallel_for(rows, detail::rows_per_chunk(n), [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      constexpr std::int64_t w = P::width;
      for (std::int64_t r = b; r < e; ++r) {
        const T* in = x + r * n;
        T* out = dx + r * n;
        const P l(level[r]), s(scale[r]);
        std::int64_t i = 0;
        for (; i + w <= n; i += w) (exp_below_one(P::load(in + i) - l) * s).store(out + i);
        if (i < n)
          detail::store_part(exp_below_one(detail::load_part<P>(in + i, n - i, T(0)) - l) * s, out + i,
                             n - i);
        if (target[r] != ignored) out[target[r]] -= scale[r];
      }
    });
  });
}

}  // namespace xgrad::inline v0::kernels
