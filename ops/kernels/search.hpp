#pragma once
#include <atomic>

#include <xgrad/ops/kernels/reduce.hpp>

/// Where the largest and smallest elements are, whether elements satisfy a condition, and how many are not 0,
/// of rows and of columns of a row-major matrix. Bools come in as bytes.
namespace xgrad::inline v0::kernels {

namespace detail {

/// The first i < n for which condition(x[i]), on packs and on numbers; n if there is none.
template <class T, class F>
std::int64_t find_first(const T* x, std::int64_t n, const F& condition) {
  return vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
    using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
    constexpr std::int64_t w = P::width;
    std::int64_t i = 0;
    for (; i + 4 * w <= n; i += 4 * w)
      if (any(condition(P::load(x + i)) | condition(P::load(x + i + w)) | condition(P::load(x + i + 2 * w)) |
              condition(P::load(x + i + 3 * w))))
        break;
    while (i < n && !condition(x[i])) ++i;
    return i;
  });
}

struct IsZero {
  template <class P>
  XGRAD_SIMD_INLINE auto operator()(const P& x) const {
    return x == 0;
  }
};
struct IsNotZero {
  template <class P>
  XGRAD_SIMD_INLINE auto operator()(const P& x) const {
    return x != 0;
  }
};

/// The first position of `value`, of the first NaN if it is that.
template <class T>
std::int64_t find_value(const T* x, std::int64_t n, T value) {
  if (value != value) return find_first(x, n, [](const auto& v) XGRAD_SIMD_LAMBDA { return v != v; });
  return find_first(x, n, [value](const auto& v) XGRAD_SIMD_LAMBDA { return v == value; });
}

/// Whether there are so few rows, and so long, that they are cut into chunks; else, rows for a thread at a
/// time.
inline bool long_rows(std::int64_t rows, std::int64_t cols) { return cols > 2 * reduce_grain && rows < 64; }
inline std::int64_t row_grain(std::int64_t cols) {
  return std::max<std::int64_t>(1, reduce_grain / std::max<std::int64_t>(1, cols));
}

}  // namespace detail

/// y[r] = the first position of the extreme by R, MaxReducer or MinReducer, in x[r, 0 … n - 1], n > 0.
template <class R, class T>
void arg_rows(const T* x, std::int64_t rows, std::int64_t n, std::int64_t* y) {
  constexpr std::int64_t grain = detail::reduce_grain;
  if (!detail::long_rows(rows, n)) {
    parallel_for(rows, detail::row_grain(n), [=](std::int64_t b, std::int64_t e) {
      for (std::int64_t r = b; r < e; ++r)
        y[r] = detail::find_value(x + r * n, n, detail::reduce_line<R>(x + r * n, n));
    });
    return;
  }
  // The extreme of each chunk; then only the first chunk that has the extreme of all is searched.
  static thread_local std::vector<T> partial;  // kept: a training step allocates nothing
  partial.resize(static_cast<std::size_t>((n + grain - 1) / grain));
  T* const parts = partial.data();
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * n;
    parallel_for(n, grain, [=](std::int64_t b, std::int64_t e) {
      parts[b / grain] = detail::reduce_line<R>(row + b, e - b);
    });
    const auto chunks = static_cast<std::int64_t>(partial.size());
    const T extreme = detail::reduce_line<R>(parts, chunks);
    const std::int64_t begin = detail::find_value(parts, chunks, extreme) * grain;
    y[r] = begin + detail::find_value(row + begin, std::min(grain, n - begin), extreme);
  }
}

/// y[j] = the first i for which x[i, j] is the extreme by R, of x[0 … rows - 1, j], 0 < rows < 2^31.
template <class R, class T>
void arg_columns(const T* x, std::int64_t rows, std::int64_t cols, std::int64_t* y) {
  constexpr std::int64_t tile = 256;
  parallel_for(cols, tile, [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using L = std::conditional_t<sizeof(T) == 1, std::int32_t, T>;  // lanes that have room for a position
      using P = simd::Pack<L, static_cast<int>(bytes) / static_cast<int>(sizeof(L))>;
      using I = simd::Pack<simd::Int<L>, P::width>;
      constexpr std::int64_t w = P::width;
      const auto better = [](const auto& a, const auto& than) XGRAD_SIMD_LAMBDA {
        const auto beyond = [&]() XGRAD_SIMD_LAMBDA {
          if constexpr (std::is_same_v<R, MaxReducer>)
            return a > than;
          else
            return a < than;
        };
        if constexpr (std::is_floating_point_v<L>)
          return beyond() | ((a != a) & (than == than));
        else
          return beyond();
      };
      const std::int64_t packs = (e - b) / w;
      P best[tile / w];
      I at[tile / w];
      for (std::int64_t k = 0; k < packs; ++k) {
        best[k] = detail::load_as<P>(x + b + k * w);
        at[k] = I(0);
      }
      for (std::int64_t i = 1; i < rows; ++i) {
        const I here(i);
        for (std::int64_t k = 0; k < packs; ++k) {
          const P v = detail::load_as<P>(x + i * cols + b + k * w), so_far = best[k];
          const auto found = better(v, so_far);
          best[k] = select(found, v, so_far);
          at[k] = select(found, here, at[k]);
        }
      }
      for (std::int64_t k = 0; k < packs; ++k)
        for (int lane = 0; lane < w; ++lane) y[b + k * w + lane] = at[k][lane];
      for (std::int64_t j = b + packs * w; j < e; ++j) {
        y[j] = 0;
        for (std::int64_t i = 1; i < rows; ++i)
          if (better(x[i * cols + j], x[y[j] * cols + j])) y[j] = i;
      }
    });
  });
}

/// y[r] = whether x[r, i] satisfies the condition for any i < n.
template <class T, class F>
void any_rows(const T* x, std::int64_t rows, std::int64_t n, bool* y, const F& condition) {
  if (!detail::long_rows(rows, n)) {
    parallel_for(rows, detail::row_grain(n), [=](std::int64_t b, std::int64_t e) {
      for (std::int64_t r = b; r < e; ++r) y[r] = detail::find_first(x + r * n, n, condition) < n;
    });
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    std::atomic<bool> found = false;
    parallel_for(n, detail::reduce_grain, [&](std::int64_t b, std::int64_t e) {
      if (!found && detail::find_first(x + r * n + b, e - b, condition) < e - b) found = true;
    });
    y[r] = found;
  }
}

namespace detail {

/// Lanes that count up to so many are as wide as those that are compared.
template <class T>
constexpr std::int64_t count_limit = sizeof(T) == 1 ? 120 : 1 << 20;

/// Σ of bytes below 256, W ≤ 64 of them.
template <int W>
XGRAD_SIMD_INLINE std::int64_t sum_bytes(const simd::Pack<std::uint8_t, W>& bytes) {
  std::uint64_t words[W / 8], sum = 0;
  static_assert(sizeof words == sizeof bytes.v);
  __builtin_memcpy(words, &bytes.v, sizeof words);
  for (const std::uint64_t word : words)
    sum += (word & 0x00ff00ff00ff00ff) + (word >> 8 & 0x00ff00ff00ff00ff);
  return static_cast<std::int64_t>((sum * 0x0001000100010001) >> 48);
}

/// How many of n adjacent elements are 0.
template <class T>
std::int64_t count_zeros(const T* x, std::int64_t n) {
  return vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
    using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
    using I = simd::Pack<simd::Int<T>, P::width>;
    constexpr std::int64_t w = P::width, block = 2 * w * count_limit<T>;
    std::int64_t i = 0, zeros = 0;
    while (i + 2 * w <= n) {
      const std::int64_t end = i + block < n ? i + block : n;
      I a(0), b(0);
      for (; i + 2 * w <= end; i += 2 * w) {
        a = a - I((P::load(x + i) == 0).v);
        b = b - I((P::load(x + i + w) == 0).v);
      }
      if constexpr (sizeof(T) == 1)
        zeros += sum_bytes(simd::bits<std::uint8_t>(a + b));
      else
        zeros += static_cast<std::int64_t>(sum_lanes(a + b));
    }
    for (; i < n; ++i) zeros += x[i] == 0;
    return zeros;
  });
}

}  // namespace detail

/// y[r] = the number of elements of x[r, 0 … n - 1] that are not 0.
template <class T>
void count_rows(const T* x, std::int64_t rows, std::int64_t n, std::int64_t* y) {
  constexpr std::int64_t grain = detail::reduce_grain;
  if (!detail::long_rows(rows, n)) {
    parallel_for(rows, detail::row_grain(n), [=](std::int64_t b, std::int64_t e) {
      for (std::int64_t r = b; r < e; ++r) y[r] = n - detail::count_zeros(x + r * n, n);
    });
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    std::atomic<std::int64_t> zeros = 0;
    parallel_for(n, grain,
                 [&](std::int64_t b, std::int64_t e) { zeros += detail::count_zeros(x + r * n + b, e - b); });
    y[r] = n - zeros;
  }
}

/// y[j] = the number of elements of x[0 … rows - 1, j] that are not 0.
template <class T>
void count_columns(const T* x, std::int64_t rows, std::int64_t cols, std::int64_t* y) {
  constexpr std::int64_t tile = 512;
  parallel_for(cols, tile, [=](std::int64_t b, std::int64_t e) {
    vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
      using P = simd::Pack<T, static_cast<int>(bytes) / static_cast<int>(sizeof(T))>;
      using I = simd::Pack<simd::Int<T>, P::width>;
      constexpr std::int64_t w = P::width, block = detail::count_limit<T>;
      const std::int64_t packs = (e - b) / w;
      I zeros[tile / w];
      for (std::int64_t j = b; j < e; ++j) y[j] = rows;
      for (std::int64_t i0 = 0; i0 < rows; i0 += block) {
        const std::int64_t i1 = i0 + block < rows ? i0 + block : rows;
        for (std::int64_t k = 0; k < packs; ++k) zeros[k] = I(0);
        for (std::int64_t i = i0; i < i1; ++i) {
          const T* row = x + i * cols + b;
          for (std::int64_t k = 0; k < packs; ++k) zeros[k] = zeros[k] - I((P::load(row + k * w) == 0).v);
          for (std::int64_t j = packs * w; j < e - b; ++j) y[b + j] -= row[j] == 0;
        }
        for (std::int64_t k = 0; k < packs; ++k)
          for (int lane = 0; lane < w; ++lane) y[b + k * w + lane] -= zeros[k][lane];
      }
    });
  });
}

}  // namespace xgrad::inline v0::kernels
