#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <xgrad/ops/kernels/map.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

/// Reductions of rows and of columns of a row-major matrix. Sums of floats are formed in short blocks, whose
/// totals are added in double and with what that rounds off: the error stays within a few units of the last
/// place of the sum of magnitudes, whatever the size. The order of additions depends on sizes alone.
namespace xgrad::inline v0::kernels {

/// What a reduction does: `step` takes an element into what has been combined so far, `combine` joins two
/// such results, `finish` makes the result of the last of them. One that is not `wide` forms floats in packs
/// of their own type; one that is, as double. Most are plain: an element is combined like a result.
template <class R>
struct PlainReducer {
  template <class P>
  XGRAD_SIMD_INLINE static P step(const P& a, const P& x) {
    return R::combine(a, x);
  }
  template <class P>
  XGRAD_SIMD_INLINE static P finish(const P& a) {
    return a;
  }
};
struct SumReducer : PlainReducer<SumReducer> {
  static constexpr bool exact = false, wide = false;
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class P>
  XGRAD_SIMD_INLINE static P combine(const P& a, const P& b) {
    return a + b;
  }
};
/// The Euclidean norm. The squares of floats are exact in double and stay far within its range; those of
/// doubles may leave it.
struct NormReducer : SumReducer {
  static constexpr bool wide = true;
  template <class P>
  XGRAD_SIMD_INLINE static P step(const P& a, const P& x) {
    if constexpr (simd::is_pack<P>)
      return fma(x, x, a);
    else
      return a + x * x;
  }
  template <class P>
  XGRAD_SIMD_INLINE static P finish(const P& a) {
    using std::sqrt;
    return sqrt(a);
  }
};
struct ProductReducer : PlainReducer<ProductReducer> {
  static constexpr bool exact = false, wide = true;
  template <class T>
  static constexpr T identity() {
    return T(1);
  }
  template <class P>
  XGRAD_SIMD_INLINE static P combine(const P& a, const P& b) {
    return a * b;
  }
};
/// The larger or the smaller of two; NaN if either is.
struct MaxReducer : PlainReducer<MaxReducer> {
  static constexpr bool exact = true, wide = false;
  template <class T>
  static constexpr T identity() {
    return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                : std::numeric_limits<T>::lowest();
  }
  template <class P>
  XGRAD_SIMD_INLINE static P combine(const P& a, const P& b) {
    if constexpr (simd::is_pack<P>)
      return maximum(a, b);
    else
      return a != a || a > b ? a : b;
  }
};
struct MinReducer : PlainReducer<MinReducer> {
  static constexpr bool exact = true, wide = false;
  template <class T>
  static constexpr T identity() {
    return std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                : std::numeric_limits<T>::max();
  }
  template <class P>
  XGRAD_SIMD_INLINE static P combine(const P& a, const P& b) {
    if constexpr (simd::is_pack<P>)
      return minimum(a, b);
    else
      return a != a || a < b ? a : b;
  }
};

namespace detail {

constexpr std::int64_t reduce_grain = 1 << 15;  // elements that one thread reduces by itself

/// The type in which partial results are kept.
template <class R, class T>
using Partial = std::conditional_t<!R::exact && std::is_floating_point_v<T>, double, T>;
/// The type of the lanes in which elements of T are combined.
template <class R, class T>
using Lane = std::conditional_t<R::wide, Partial<R, T>, T>;
/// Whether lanes take part in a total kept more exactly, after 16 additions each.
template <class R, class T>
inline constexpr bool in_blocks =
    std::is_base_of_v<SumReducer, R>&& std::is_floating_point_v<T>&& std::is_same_v<Lane<R, T>, T>;

/// P::width adjacent elements, converted to the lanes of P.
template <class P, class T>
XGRAD_SIMD_INLINE P load_as(const T* x) {
  return simd::cast<typename P::Scalar>(simd::Pack<T, P::width>::load(x));
}

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

/// What is combined one by one: a RunningSum for sums of floating numbers, else the plain reduction.
template <class R, class V>
class Running {
 public:
  XGRAD_SIMD_INLINE void add(V v) { total_ = R::combine(total_, v); }
  XGRAD_SIMD_INLINE V value() const { return total_; }

 private:
  V total_ = R::template identity<V>();
};
template <class R>
requires std::is_base_of_v<SumReducer, R>
class Running<R, double> : public RunningSum<double> {
};

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

/// The total of n adjacent elements, on the level whose registers have `bytes`.
template <class R, class T, class Bytes>
XGRAD_SIMD_INLINE Partial<R, T> line_total(const T* x, std::int64_t n, Bytes bytes) {
  using V = Partial<R, T>;
  using L = Lane<R, T>;
  using P = simd::Pack<L, static_cast<int>(bytes) / static_cast<int>(sizeof(L))>;
  constexpr std::int64_t w = P::width;
  constexpr int ways = R::wide ? 8 : 4;  // as many side by side as hide the time of one
  const std::int64_t block = in_blocks<R, T> ? 16 * ways * w : n;
  Running<R, V> total;
  std::int64_t i = 0;
  while (i + ways * w <= n) {
    const std::int64_t end = i + block < n ? i + block : n;
    P parts[ways];
    for (int k = 0; k < ways; ++k) parts[k] = P(R::template identity<L>());
    for (; i + ways * w <= end; i += ways * w)
      for (int k = 0; k < ways; ++k) parts[k] = R::step(parts[k], load_as<P>(x + i + k * w));
    for (int k = ways / 2; k > 0; k /= 2)
      for (int j = 0; j < k; ++j) parts[j] = R::combine(parts[j], parts[j + k]);
    const auto combine = [](const auto& a, const auto& b) XGRAD_SIMD_LAMBDA { return R::combine(a, b); };
    total.add(static_cast<V>(simd::detail::fold(parts[0], combine)));
  }
  for (; i < n; ++i) total.add(R::step(R::template identity<V>(), static_cast<V>(x[i])));
  return total.value();
}
template <class R, class T>
Partial<R, T> reduce_line(const T* x, std::int64_t n) {
  return vectorized([x, n](auto bytes) XGRAD_SIMD_LAMBDA { return line_total<R>(x, n, bytes); });
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
      y[r] = static_cast<T>(R::finish(total.value()));
    }
    return;
  }
  parallel_for(rows, std::max<std::int64_t>(1, detail::reduce_grain / std::max<std::int64_t>(1, cols)),
               [&](std::int64_t b, std::int64_t e) {
                 vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
                   for (std::int64_t r = b; r < e; ++r)
                     y[r] = static_cast<T>(R::finish(detail::line_total<R>(x + r * row_stride, cols, bytes)));
                 });
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
template <class R, int W>
requires std::is_base_of_v<SumReducer, R>
class RunningPack<R, simd::Pack<double, W>> {
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

/// What is reduced by columns: all elements; a chunk of them, whose totals are left as they are; or the
/// totals of such chunks.
enum class Of { all, chunk, totals };
/// `of`, or `all` where that is the same.
template <class R, class T, Of of>
inline constexpr Of distinct =
    std::is_same_v<R, NormReducer> || !std::is_same_v<Lane<R, T>, T> ? of : Of::all;

/// y[j] = the reduction of x[0 … rows - 1, j] for n ≤ column_tile adjacent columns. Rows are read from end to
/// end, four at a time; what they combine to stays in the cache.
template <class T>
constexpr std::int64_t column_tile = 4096 / sizeof(T);
template <class R, Of of, class T, class U>
void reduce_column_tile(const T* x, std::int64_t rows, std::int64_t n, std::int64_t row_stride, U* y) {
  constexpr std::int64_t block = 16;  // rows that are combined before their total joins the others
  constexpr std::int64_t few = 2;     // packs that are reduced one after the other
  using L = std::conditional_t<of == Of::totals, T, Lane<R, T>>;
  using V = Partial<R, L>;
  vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
    using P = simd::Pack<L, static_cast<int>(bytes) / static_cast<int>(sizeof(L))>;
    constexpr std::int64_t w = P::width;
    const auto step = [](const auto& a, const auto& b) XGRAD_SIMD_LAMBDA {
      if constexpr (of == Of::totals)
        return R::combine(a, b);
      else
        return R::step(a, b);
    };
    const auto result = [](const auto& a) XGRAD_SIMD_LAMBDA {
      if constexpr (of == Of::chunk)
        return a;
      else
        return R::finish(a);
    };
    // One pack of columns, in registers.
    const auto reduce_pack = [=](std::int64_t j) XGRAD_SIMD_LAMBDA {
      RunningPack<R, P> total;
      for (std::int64_t i0 = 0; i0 < rows; i0 += block) {
        const std::int64_t i1 = i0 + block < rows ? i0 + block : rows;
        P sum(R::template identity<L>());
        std::int64_t i = i0;
        for (; i + 4 <= i1; i += 4)
          for (int k = 0; k < 4; ++k) sum = step(sum, load_as<P>(x + (i + k) * row_stride + j));
        for (; i < i1; ++i) sum = step(sum, load_as<P>(x + i * row_stride + j));
        total.add(sum);
      }
      simd::cast<U>(result(total.value())).store(y + j);
    };
    const std::int64_t packs = n / w;
    if (packs <= few) {
      for (std::int64_t k = 0; k < packs; ++k) reduce_pack(k * w);
    } else {
      P sums[column_tile<T> / w];
      RunningPack<R, P> totals[column_tile<T> / w];
      for (std::int64_t i0 = 0; i0 < rows; i0 += block) {
        const std::int64_t i1 = i0 + block < rows ? i0 + block : rows;
        for (std::int64_t k = 0; k < packs; ++k) sums[k] = P(R::template identity<L>());
        std::int64_t i = i0;
        for (; i + 4 <= i1; i += 4) {
          const T *r0 = x + i * row_stride, *r1 = r0 + row_stride, *r2 = r1 + row_stride,
                  *r3 = r2 + row_stride;
          for (std::int64_t k = 0; k < packs; ++k) {
            P a = step(sums[k], load_as<P>(r0 + k * w));
            a = step(a, load_as<P>(r1 + k * w));
            a = step(a, load_as<P>(r2 + k * w));
            sums[k] = step(a, load_as<P>(r3 + k * w));
          }
        }
        for (; i < i1; ++i)
          for (std::int64_t k = 0; k < packs; ++k)
            sums[k] = step(sums[k], load_as<P>(x + i * row_stride + k * w));
        for (std::int64_t k = 0; k < packs; ++k) totals[k].add(sums[k]);
      }
      for (std::int64_t k = 0; k < packs; ++k) simd::cast<U>(result(totals[k].value())).store(y + k * w);
    }
    if (packs * w == n) return;
    if (packs > 0) return reduce_pack(n - w);  // some columns once more, to the same bits
    for (std::int64_t j = 0; j < n; ++j) {
      Running<R, V> total;
      for (std::int64_t i = 0; i < rows; ++i)
        total.add(step(R::template identity<V>(), static_cast<V>(x[i * row_stride + j])));
      y[j] = static_cast<U>(result(total.value()));
    }
  });
}
template <class R, Of of, class T, class U>
void reduce_column_tiles(const T* x, std::int64_t rows, std::int64_t n, std::int64_t row_stride, U* y) {
  for (std::int64_t j = 0; j < n; j += column_tile<T>)
    reduce_column_tile<R, of>(x + j, rows, std::min(column_tile<T>, n - j), row_stride, y + j);
}

}  // namespace detail

/// y[j] = the reduction of x[0 … rows - 1, j], for rows of adjacent elements `row_stride` apart.
template <class R, class T>
void reduce_columns(const T* x, std::int64_t rows, std::int64_t cols, std::int64_t row_stride, T* y) {
  using detail::Of;
  using L = detail::Lane<R, T>;
  if (cols == 1 && row_stride == 1) return reduce_rows<R>(x, 1, rows, rows, y);
  const std::int64_t chunk =
      std::max<std::int64_t>(1, 2 * detail::reduce_grain / std::max<std::int64_t>(1, cols));
  if (rows <= 2 * chunk) {
    parallel_for(cols, std::max<std::int64_t>(256, detail::reduce_grain / std::max<std::int64_t>(1, rows)),
                 [&](std::int64_t b, std::int64_t e) {
                   detail::reduce_column_tiles<R, Of::all>(x + b, rows, e - b, row_stride, y + b);
                 });
    return;
  }
  // Tall: chunks of rows, whose totals are combined like rows.
  const std::int64_t chunks = (rows + chunk - 1) / chunk;
  static thread_local std::vector<L> partial;  // kept: a training step allocates nothing
  partial.resize(static_cast<std::size_t>(chunks * cols));
  L* const parts = partial.data();
  parallel_for(rows, chunk, [&](std::int64_t b, std::int64_t e) {
    detail::reduce_column_tiles<R, detail::distinct<R, T, Of::chunk>>(x + b * row_stride, e - b, cols,
                                                                      row_stride, parts + b / chunk * cols);
  });
  detail::reduce_column_tiles<R, detail::distinct<R, T, Of::totals>>(parts, chunks, cols, cols, y);
}

}  // namespace xgrad::inline v0::kernels
