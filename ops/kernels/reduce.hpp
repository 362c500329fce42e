#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <xgrad/ops/kernels/map.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

/// Reductions of rows and of columns of a row-major matrix. Sums are formed in short blocks, whose totals are
/// added in double and with what that rounds off: the error stays within a few units of the last place of the
/// sum of magnitudes, whatever the size. The order of additions depends on sizes alone.
namespace xgrad::inline v0::kernels {

/// What a reduction does with two values; `block` bounds how many are combined in the element type.
struct SumReducer {
  static constexpr bool exact = false;
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class P>
  XGRAD_SIMD_INLINE static P combine(const P& a, const P& b) {
    return a + b;
  }
};
struct ProductReducer {
  static constexpr bool exact = false;
  template <class T>
  static constexpr T identity() {
    return T(1);
  }
  template <class P>
  XGRAD_SIMD_INLINE static P combine(const P& a, const P& b) {
    return a * b;
  }
};
/// NaN if any value is.
struct MaxReducer {
  static constexpr bool exact = true;
  template <class T>
  static constexpr T identity() {
    return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                : std::numeric_limits<T>::lowest();
  }
  template <class P>
  XGRAD_SIMD_INLINE static P combine(const P& a, const P& b) {
    return maximum(a, b);
  }
};
struct MinReducer {
  static constexpr bool exact = true;
  template <class T>
  static constexpr T identity() {
    return std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                : std::numeric_limits<T>::max();
  }
  template <class P>
  XGRAD_SIMD_INLINE static P combine(const P& a, const P& b) {
    return minimum(a, b);
  }
};

namespace detail {

constexpr std::int64_t reduce_grain = 1 << 15;  // elements that one thread reduces by itself

/// The type in which partial results are kept.
template <class R, class T>
using Partial = std::conditional_t<!R::exact && std::is_floating_point_v<T>, double, T>;

/// A sum that keeps what rounding loses (Neumaier 1974): however many values are added, the error is that of
/// one addition.
template <class V>
class RunningSum {
 public:
  XGRAD_SIMD_INLINE void add(V v) {
    const V s = sum_ + v, as_added = s - sum_;
    lost_ += (sum_ - (s - as_added)) + (v - as_added);
    sum_ = s;
  }
  /// An infinite sum has lost NaN.
  XGRAD_SIMD_INLINE V value() const { return lost_ == lost_ ? sum_ + lost_ : sum_; }

 private:
  V sum_ = V(0), lost_ = V(0);
};

template <class R, class V>
V combine_scalars(V a, V b) {
  if constexpr (std::is_same_v<R, MaxReducer>) {
    return a != a || a > b ? a : b;
  } else if constexpr (std::is_same_v<R, MinReducer>) {
    return a != a || a < b ? a : b;
  } else {
    return static_cast<V>(R::combine(a, b));
  }
}

/// What is combined one by one: a RunningSum for sums of floating numbers, else the plain reduction.
template <class R, class V>
class Running {
 public:
  XGRAD_SIMD_INLINE void add(V v) { total_ = combine_scalars<R>(total_, v); }
  XGRAD_SIMD_INLINE V value() const { return total_; }

 private:
  V total_ = R::template identity<V>();
};
template <>
class Running<SumReducer, double> : public RunningSum<double> {};

/// Σ f(pack at i) over a row of n elements, i going up; the lanes of the last pack beyond n must give 0, by
/// `part`. `ways` sums run side by side; each is added to the total after 16 additions, whatever the pack's
/// width.
template <class P, int ways, class F, class G>
XGRAD_SIMD_INLINE typename P::Scalar row_sum(std::int64_t n, const F& f, const G& part) {
  using T = typename P::Scalar;
  constexpr std::int64_t w = P::width, block = 16 * ways * w;
  RunningSum<double> total;
  for (std::int64_t begin = 0; begin < n; begin += block) {
    const std::int64_t end = begin + block < n ? begin + block : n;
    P sums[ways];
    for (int k = 0; k < ways; ++k) sums[k] = P(T(0));
    std::int64_t i = begin;
    for (; i + ways * w <= end; i += ways * w)
      for (int k = 0; k < ways; ++k) sums[k] = sums[k] + f(i + k * w);
    for (; i + w <= end; i += w) sums[0] = sums[0] + f(i);
    if (i < end) sums[ways - 1] = sums[ways - 1] + part(i);
    for (int k = ways / 2; k > 0; k /= 2)
      for (int j = 0; j < k; ++j) sums[j] = sums[j] + sums[j + k];
    total.add(static_cast<double>(sum_lanes(sums[0])));
  }
  return static_cast<T>(total.value());
}

/// n adjacent elements. Sums of floats go over to double after 16 additions in a lane, whatever the pack's
/// width.
template <class R, class T>
Partial<R, T> reduce_line(const T* x, std::int64_t n) {
  using V = Partial<R, T>;
  if constexpr (std::is_floating_point_v<T>) {
    return vectorized([x, n](auto bytes) XGRAD_SIMD_LAMBDA -> V {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      constexpr std::int64_t w = P::width, block = 64 * w;
      Running<R, V> total;
      std::int64_t i = 0;
      while (i + 4 * w <= n) {
        const std::int64_t end = i + block < n ? i + block : n;
        P a = P::load(x + i), b = P::load(x + i + w), c = P::load(x + i + 2 * w), d = P::load(x + i + 3 * w);
        for (i += 4 * w; i + 4 * w <= end; i += 4 * w) {
          a = R::combine(a, P::load(x + i));
          b = R::combine(b, P::load(x + i + w));
          c = R::combine(c, P::load(x + i + 2 * w));
          d = R::combine(d, P::load(x + i + 3 * w));
        }
        const P all = R::combine(R::combine(a, b), R::combine(c, d));
        if constexpr (std::is_same_v<R, SumReducer>) {
          total.add(static_cast<V>(sum_lanes(all)));
        } else {
          for (int k = 0; k < w; ++k) total.add(static_cast<V>(all[k]));
        }
      }
      for (; i < n; ++i) total.add(static_cast<V>(x[i]));
      return total.value();
    });
  } else {
    V total = R::template identity<V>();
    for (std::int64_t i = 0; i < n; ++i) total = combine_scalars<R>(total, static_cast<V>(x[i]));
    return total;
  }
}

}  // namespace detail

/// y[r] = the reduction of x[r, 0 … cols - 1], for rows of adjacent elements `row_stride` apart.
template <class R, class T>
void reduce_rows(const T* x, std::int64_t rows, std::int64_t cols, std::int64_t row_stride, T* y) {
  using V = detail::Partial<R, T>;
  if (cols > 2 * detail::reduce_grain && rows < 64) {
    // Few long rows: chunks of a row, whose totals are combined in order.
    const std::int64_t chunks = (cols + detail::reduce_grain - 1) / detail::reduce_grain;
    static thread_local std::vector<V> partial;  // kept: a training step allocates nothing
    partial.resize(static_cast<std::size_t>(chunks));
    V* const parts = partial.data();
    for (std::int64_t r = 0; r < rows; ++r) {
      const T* row = x + r * row_stride;
      parallel_for(cols, detail::reduce_grain, [&](std::int64_t b, std::int64_t e) {
        parts[b / detail::reduce_grain] = detail::reduce_line<R>(row + b, e - b);
      });
      detail::Running<R, V> total;
      for (const V& v : partial) total.add(v);
      y[r] = static_cast<T>(total.value());
    }
    return;
  }
  parallel_for(rows, std::max<std::int64_t>(1, detail::reduce_grain / std::max<std::int64_t>(1, cols)),
               [&](std::int64_t b, std::int64_t e) {
                 for (std::int64_t r = b; r < e; ++r)
                   y[r] = static_cast<T>(detail::reduce_line<R>(x + r * row_stride, cols));
               });
}

namespace detail {

/// The totals of a pack of columns: as Running, lane by lane.
template <class R, class P>
class RunningPack {
 public:
  XGRAD_SIMD_INLINE void add(const P& v) { total_ = R::combine(total_, v); }
  XGRAD_SIMD_INLINE P value() const { return total_; }

 private:
  P total_ = P(R::template identity<typename P::Scalar>());
};
template <int W>
class RunningPack<SumReducer, simd::Pack<double, W>> {
  using P = simd::Pack<double, W>;

 public:
  XGRAD_SIMD_INLINE void add(const P& v) {
    const P s = sum_ + v;
    lost_ = lost_ + simd::detail::sum_error(sum_, v, s);
    sum_ = s;
  }
  XGRAD_SIMD_INLINE P value() const { return select(lost_ == lost_, sum_ + lost_, sum_); }

 private:
  P sum_ = P(0.0), lost_ = P(0.0);
};
template <int W>
class RunningPack<SumReducer, simd::Pack<float, W>> {
 public:
  XGRAD_SIMD_INLINE void add(const simd::Pack<float, W>& v) {
    const auto wide = simd::detail::widen(v);
    sums_.low = sums_.low + wide.low;
    sums_.high = sums_.high + wide.high;
  }
  XGRAD_SIMD_INLINE simd::Pack<float, W> value() const { return simd::detail::narrow(sums_); }

 private:
  simd::detail::Doubles<W> sums_{0.0, 0.0};
};

/// y[j] = the reduction of x[0 … rows - 1, j] for n adjacent columns.
template <class R, class T>
void reduce_column_tile(const T* x, std::int64_t rows, std::int64_t n, std::int64_t row_stride, T* y) {
  constexpr std::int64_t block = 32;  // rows that are combined before their total joins the others
  vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
    using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
    constexpr std::int64_t w = P::width;
    std::int64_t j = 0;
    for (; j + 2 * w <= n; j += 2 * w) {
      RunningPack<R, P> total0, total1;
      for (std::int64_t i0 = 0; i0 < rows; i0 += block) {
        const std::int64_t i1 = i0 + block < rows ? i0 + block : rows;
        P a(R::template identity<T>()), b = a;
        for (std::int64_t i = i0; i < i1; ++i) {
          a = R::combine(a, P::load(x + i * row_stride + j));
          b = R::combine(b, P::load(x + i * row_stride + j + w));
        }
        total0.add(a);
        total1.add(b);
      }
      total0.value().store(y + j);
      total1.value().store(y + j + w);
    }
    for (; j < n; ++j) {
      Running<R, Partial<R, T>> total;
      for (std::int64_t i = 0; i < rows; ++i) total.add(static_cast<Partial<R, T>>(x[i * row_stride + j]));
      y[j] = static_cast<T>(total.value());
    }
  });
}

}  // namespace detail

/// y[j] = the reduction of x[0 … rows - 1, j], for rows of adjacent elements `row_stride` apart.
template <class R, class T>
void reduce_columns(const T* x, std::int64_t rows, std::int64_t cols, std::int64_t row_stride, T* y) {
  constexpr std::int64_t tile = 256;
  const std::int64_t chunk =
      std::max<std::int64_t>(1, 2 * detail::reduce_grain / std::max<std::int64_t>(1, cols));
  if (rows <= 2 * chunk) {
    parallel_for(cols, std::max<std::int64_t>(tile, detail::reduce_grain / std::max<std::int64_t>(1, rows)),
                 [&](std::int64_t b, std::int64_t e) {
                   for (std::int64_t j = b; j < e; j += tile)
                     detail::reduce_column_tile<R>(x + j, rows, std::min(tile, e - j), row_stride, y + j);
                 });
    return;
  }
  // Tall: chunks of rows, whose totals are combined like rows.
  const std::int64_t chunks = (rows + chunk - 1) / chunk;
  static thread_local std::vector<T> partial;  // kept: a training step allocates nothing
  partial.resize(static_cast<std::size_t>(chunks * cols));
  T* const parts = partial.data();
  parallel_for(rows, chunk, [&](std::int64_t b, std::int64_t e) {
    detail::reduce_column_tile<R>(x + b * row_stride, e - b, cols, row_stride, parts + b / chunk * cols);
  });
  detail::reduce_column_tile<R>(parts, chunks, cols, cols, y);
}

}  // namespace xgrad::inline v0::kernels
