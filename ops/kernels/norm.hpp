#pragma once
#include <xgrad/ops/kernels/softmax.hpp>

/// Normalisation of the rows (layer norm) and of the columns (batch norm) of row-major matrices.
namespace xgrad::inline v0::kernels {

namespace detail {

/// The rows that form one chunk where column sums are kept per chunk.
inline std::int64_t norm_chunk(std::int64_t cols) {
  return std::max<std::int64_t>(1, (1 << 15) / std::max<std::int64_t>(1, cols));
}
inline std::int64_t norm_chunks(std::int64_t rows, std::int64_t cols) {
  return (rows + norm_chunk(cols) - 1) / norm_chunk(cols);
}

}  // namespace detail

/// y = (x - mean) r weight + bias for each row of n elements, r = 1 / √(var + eps); mean and r are kept.
template <class T>
void layer_norm_rows(const T* x, const T* weight, const T* bias, T* y, T* means, T* scales, std::int64_t rows,
                     std::int64_t n, T eps) {
  parallel_for(rows, detail::rows_per_chunk(n), [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      constexpr std::int64_t w = P::width;
      for (std::int64_t r = b; r < e; ++r) {
        const T* in = x + r * n;
        T* out = y + r * n;
        const T *next_in = detail::row_after(x, r, rows, n), *next_out = detail::row_after(y, r, rows, n);
        const T mean = detail::row_sum<P>(in, n) / static_cast<T>(n);
        const P m(mean);
        const T var = detail::row_sum<P, 4>(
                          n,
                          [in, m, next_in, next_out](std::int64_t i) XGRAD_SIMD_LAMBDA {
                            detail::prefetch(i, next_in, next_out);
                            return square(P::load(in + i) - m);
                          },
                          [in, m, mean, n](std::int64_t i) XGRAD_SIMD_LAMBDA {
                            return square(detail::load_part<P>(in + i, n - i, mean) - m);
                          }) /
                      static_cast<T>(n);
        const T scale = T(1) / static_cast<T>(__builtin_sqrt(static_cast<double>(var + eps)));
        means[r] = mean;
        scales[r] = scale;
        const P s(scale);
        std::int64_t i = 0;
        for (; i + w <= n; i += w)
          fma((P::load(in + i) - m) * s, P::load(weight + i), P::load(bias + i)).store(out + i);
        if (i < n) {
          const auto part = [i, n](const T* p)
                                XGRAD_SIMD_LAMBDA { return detail::load_part<P>(p + i, n - i, T(0)); };
          detail::store_part(fma((part(in) - m) * s, part(weight), part(bias)), out + i, n - i);
        }
      }
    });
  });
}

/// Elements that lie before each row of the column sums of layer_norm_gradient_rows. Rows are often whole
/// pages: without an offset the six streams of the kernel would meet in the same few lines of the first
/// cache, and loads would wait for stores to other pages.
constexpr std::int64_t column_sums_offset = 32;

/// dx = r (g - mean(g) - x̂ mean(g x̂)), g = dy · weight. With `sums`, of shape (norm_chunks(rows, n), 2,
/// column_sums_offset + n), Σ dy x̂ and Σ dy over the rows of each chunk too, behind the offset.
template <class T>
void layer_norm_gradient_rows(const T* dy, const T* x, const T* weight, const T* means, const T* scales,
                              T* dx, T* sums, std::int64_t rows, std::int64_t n) {
  const std::int64_t chunk = detail::norm_chunk(n);
  parallel_for(rows, chunk, [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      constexpr std::int64_t w = P::width;
      T *dweight = nullptr, *dbias = nullptr;
      if (sums != nullptr) {
        const std::int64_t stride = column_sums_offset + n;
        T* const of_chunk = sums + b / chunk * 2 * stride;
        for (std::int64_t i = 0; i < 2 * stride; ++i) of_chunk[i] = T(0);
        dweight = of_chunk + column_sums_offset;
        dbias = dweight + stride;
      }
      for (std::int64_t r = b; r < e; ++r) {
        const T* d = dy + r * n;
        const T* in = x + r * n;
        T* out = dx + r * n;
        const T *next_d = detail::row_after(dy, r, rows, n), *next_in = detail::row_after(x, r, rows, n),
                *next_out = detail::row_after(dx, r, rows, n);
        const P m(means[r]), s(scales[r]);
        P g0(T(0)), g1(T(0)), h0(T(0)), h1(T(0));  // Σ g and Σ g (x - mean)
        const auto add = [=](const P& dp, const P& xp, const P& wp, P& g, P& h) XGRAD_SIMD_LAMBDA {
          const P gp = dp * wp;
          g = g + gp;
          h = fma(gp, xp - m, h);
        };
        std::int64_t i = 0;
        for (; i + 2 * w <= n; i += 2 * w) {
          add(P::load(d + i), P::load(in + i), P::load(weight + i), g0, h0);
          add(P::load(d + i + w), P::load(in + i + w), P::load(weight + i + w), g1, h1);
        }
        if (i + w <= n) {
          add(P::load(d + i), P::load(in + i), P::load(weight + i), g0, h0);
          i += w;
        }
        const std::int64_t full = i, rest = n - i;
        const auto part = [full, rest](const T* p)
                              XGRAD_SIMD_LAMBDA { return detail::load_part<P>(p + full, rest, T(0)); };
        if (rest > 0) add(part(d), part(in), part(weight), g1, h1);
        const P over_n(T(1) / static_cast<T>(n));
        const P mg = P(sum_lanes(g0 + g1)) * over_n * s, mh = P(sum_lanes(h0 + h1)) * over_n * s * s * s;
        // r g - r mean(g) - (x - mean) r³ mean(g (x - mean))
        const auto gradient = [=](const P& scaled, const P& centred, const P& wp)
                                  XGRAD_SIMD_LAMBDA { return fma(scaled, wp, -fma(centred, mh, mg)); };
        for (i = 0; i < full; i += w) {
          detail::prefetch(i, next_d, next_in, next_out);
          const P dp = P::load(d + i), scaled = dp * s, centred = P::load(in + i) - m;
          if (dweight != nullptr) {
            fma(scaled, centred, P::load(dweight + i)).store(dweight + i);
            (P::load(dbias + i) + dp).store(dbias + i);
          }
          gradient(scaled, centred, P::load(weight + i)).store(out + i);
        }
        if (rest > 0) {
          detail::store_part(gradient(part(d) * s, part(in) - m, part(weight)), out + full, rest);
          if (dweight != nullptr)
            for (i = full; i < n; ++i) {
              dweight[i] += d[i] * ((in[i] - means[r]) * scales[r]);
              dbias[i] += d[i];
            }
        }
      }
    });
  });
}

/// The sums of K numbers that f gives for each element of a (rows, cols) matrix, over each column: f(pack,
/// row, column, count) returns them as simd::Several for `count` lanes from the column on. out is (K, cols);
/// `scratch` holds K cols values for each of norm_chunks(rows, cols) chunks.
template <std::size_t K, class T, class F>
void column_sums(std::int64_t rows, std::int64_t cols, T* scratch, T* out, const F& f) {
  const std::int64_t chunk = detail::norm_chunk(cols), stride = static_cast<std::int64_t>(K) * cols;
  parallel_for(rows, chunk, [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      // Sums of few rows are added to the totals: a long row of additions would lose as many roundings. Rows
      // that are long themselves come four at a time, so that memory is read in long stretches.
      const std::int64_t group = cols < 256 ? 64 : 4;
      T* to = scratch + b / chunk * stride;
      for (std::int64_t i = 0; i < stride; ++i) to[i] = T(0);
      for (std::int64_t r0 = b; r0 < e; r0 += group) {
        const std::int64_t r1 = r0 + group < e ? r0 + group : e;
        for (std::int64_t j = 0; j < cols; j += P::width) {
          const std::int64_t count = cols - j < P::width ? cols - j : P::width;
          P sums[K];
          for (std::size_t k = 0; k < K; ++k) sums[k] = P(T(0));
          for (std::int64_t r = r0; r < r1; ++r) {
            const simd::Several<P, K> v = f(P(T(0)), r, j, count);
            for (std::size_t k = 0; k < K; ++k) sums[k] = sums[k] + v.items[k];
          }
          for (std::size_t k = 0; k < K; ++k) {
            T* total = to + static_cast<std::int64_t>(k) * cols + j;
            if (count == P::width)
              (P::load(total) + sums[k]).store(total);
            else
              detail::store_part(detail::load_part<P>(total, count, T(0)) + sums[k], total, count);
          }
        }
      }
    });
  });
  const std::int64_t chunks = detail::norm_chunks(rows, cols);
  for (std::int64_t j = 0; j < stride; ++j) {
    double total = 0;
    for (std::int64_t c = 0; c < chunks; ++c) total += static_cast<double>(scratch[c * stride + j]);
    out[j] = static_cast<T>(total);
  }
}

namespace detail {
/// `count` elements from p on; the other lanes hold 0.
template <class P, class T>
XGRAD_SIMD_INLINE P load_some(const T* p, std::int64_t count) {
  return count == P::width ? P::load(p) : load_part<P>(p, count, T(0));
}
}  // namespace detail

/// mean and (biased) variance of each column of x, in two passes. stats is (2, cols).
template <class T>
void column_stats(const T* x, std::int64_t rows, std::int64_t cols, T* scratch, T* stats) {
  T* var = stats + cols;
  column_sums<1>(
      rows, cols, scratch, stats,
      [=]<class P>(const P&, std::int64_t r, std::int64_t j, std::int64_t count)
          XGRAD_SIMD_LAMBDA { return simd::several(detail::load_some<P>(x + r * cols + j, count)); });
  for (std::int64_t j = 0; j < cols; ++j) stats[j] /= static_cast<T>(rows);
  column_sums<1>(
      rows, cols, scratch, var,
      [=]<class P>(const P&, std::int64_t r, std::int64_t j, std::int64_t count) XGRAD_SIMD_LAMBDA {
        return simd::several(
            square(detail::load_some<P>(x + r * cols + j, count) - detail::load_some<P>(stats + j, count)));
      });
  for (std::int64_t j = 0; j < cols; ++j) var[j] /= static_cast<T>(rows);
}

}  // namespace xgrad::inline v0::kernels
