#pragma once

/// \file
/// Elementwise loops at the full width of the CPU, from any function of packs.
///
///     using namespace xgrad;
///     // y[i] = x[i] * sigmoid(x[i])
///     kernels::map([](auto x) { return x * sigmoid(x); }, n, y, x);
///     // out[i] = a[i] < s[0]; comparisons give bools
///     kernels::map([](auto a, auto s) { return a < s; }, n, flags, a, kernels::in(s, 0));
///     // out[i] = mask[i] ? a[i] : 0; bools come in as masks
///     kernels::map([](auto m, auto a) { return select(m, a, 0); }, n, out, mask, a);
///     // int64 to float32: a result is converted to the type of the output
///     kernels::map([](auto x) { return x; }, n, floats, longs);
///     // out(i, j) = a(i, j) + bias(j), rows × cols: strides of `in` are (within a row, between rows)
///     kernels::map_rows([](auto a, auto b) { return a + b; }, rows, cols, kernels::out(y, 1, cols),
///                       kernels::in(a, 1, cols), kernels::in(bias, 1, 0));
///     // several results in one pass
///     kernels::map([](auto p, auto m, auto g) { auto next = 0.9 * m + g; return simd::several(p - 0.1 *
///     next, next); },
///                  n, kernels::outs(p, m), p, m, g);
///
/// The function is called with packs (`simd::Pack`, `simd::Mask`); the vocabulary is in pack.hpp, basic.hpp
/// and math.hpp and is found by argument-dependent lookup, so write `exp(x)`, not `std::exp(x)`. It should
/// capture its parameters by value, as numbers of the type it computes in. One whose operations wait for each
/// other in a long chain may be a struct that says `static constexpr int unroll = 4;`, by default 2.
///
/// A driver runs one chunk on the calling thread; parallel.hpp cuts chunks. The last, incomplete pack of a
/// row is computed as a full pack, so an element's bits do not depend on where a chunk begins. An output may
/// be one of the inputs (same address and strides); other overlaps are errors. Pointers need no alignment
/// beyond their type's.

#include <xgrad/ops/kernels/math.hpp>

namespace xgrad::inline v0::simd {

/// What a function with N results of one type returns.
template <class P, std::size_t N>
struct Several {
  P items[N];
};
template <class P, class... Q>
XGRAD_SIMD_INLINE Several<P, 1 + sizeof...(Q)> several(const P& first, const Q&... rest) {
  return {{first, rest...}};
}

}  // namespace xgrad::inline v0::simd

namespace xgrad::inline v0::kernels {

/// One of the rows of a rectangle, which all have the same length.
struct RectangleRow {
  std::int64_t index, length;
};

/// An operand: element (row, i) is data[row * row_stride + i * stride]. Strides 1 and 0 (broadcast) run at
/// full speed; others are gathered first.
template <class T>
struct In {
  using Element = T;
  static constexpr bool always_adjacent = false;
  const T* data;
  std::int64_t stride = 1, row_stride = 0;

  XGRAD_SIMD_INLINE const T* at(const RectangleRow& row) const { return data + row.index * row_stride; }
};
template <class T>
constexpr In<T> in(const T* data, std::int64_t stride = 1, std::int64_t row_stride = 0) {
  return {data, stride, row_stride};
}
template <class T>
constexpr In<T> in(const In<T>& operand) {
  return operand;
}

/// Where N results go.
template <class T, std::size_t N = 1>
struct Out {
  using Element = T;
  static constexpr std::size_t count = N;
  T* data[N];
  std::int64_t stride = 1, row_stride = 0;

  XGRAD_SIMD_INLINE T* at(std::size_t k, const RectangleRow& row) const {
    return data[k] + row.index * row_stride;
  }
};
template <class T>
constexpr Out<T> out(T* data, std::int64_t stride = 1, std::int64_t row_stride = 0) {
  return {{data}, stride, row_stride};
}
template <class T, std::size_t N>
constexpr Out<T, N> out(const Out<T, N>& results) {
  return results;
}
template <class T, class... U>
constexpr Out<T, 1 + sizeof...(U)> outs(T* first, U*... rest) {
  return {{first, rest...}};
}

/// An operand and N results for map_lists: what they have of a row begins at start(row), or for result k at
/// start(k, row), and is adjacent.
template <class T, class Start>
struct ListIn {
  using Element = T;
  static constexpr bool always_adjacent = true;
  Start start;

  template <class Row>
  XGRAD_SIMD_INLINE const T* at(const Row& row) const {
    return start(row);
  }
};
template <class T, class Start>
ListIn<T, Start> list_in(const Start& start) {
  return {start};
}
template <class T, std::size_t N, class Start>
struct ListOut {
  using Element = T;
  static constexpr std::size_t count = N;
  Start start;

  template <class Row>
  XGRAD_SIMD_INLINE T* at(std::size_t k, const Row& row) const {
    return start(k, row);
  }
};
template <class T, std::size_t N, class Start>
ListOut<T, N, Start> list_out(const Start& start) {
  return {start};
}

namespace detail {

template <class... T>
inline constexpr int widest = [] {
  int bytes = 1;
  ((bytes = bytes < static_cast<int>(sizeof(T)) ? static_cast<int>(sizeof(T)) : bytes), ...);
  return bytes;
}();

/// What W elements of T look like to the function: bools are a mask, in lanes as wide as the loop's widest
/// type.
template <class T, int W, int LaneBytes>
struct LanesOf {
  using type = simd::Pack<T, W>;
};
template <int W, int LaneBytes>
struct LanesOf<bool, W, LaneBytes> {
  using type = simd::Mask<W, LaneBytes>;
};

#if XGRAD_SIMD_X86
// The first bytes or words of a register, from and to memory that need not have more. The register goes to or
// comes from `spare` whole, so that what was stored there can be loaded at once.
typedef char Bytes64 __attribute__((vector_size(64)));
typedef std::int32_t Words32 __attribute__((vector_size(32)));
#if defined(__clang__)
using MaskedFrom = const Bytes64*;
using MaskedTo = Bytes64*;
#else
using MaskedFrom = const char*;
using MaskedTo = char*;
#endif
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline void load_masked(char* spare, const char* from,
                                                              std::int64_t bytes) {
  Bytes64 v;
  __builtin_memcpy(&v, spare, sizeof v);
  v = __builtin_ia32_loaddquqi512_mask(reinterpret_cast<MaskedFrom>(from), v, (1ULL << bytes) - 1);
  __builtin_memcpy(spare, &v, sizeof v);
}
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline void store_masked(char* to, const char* spare,
                                                               std::int64_t bytes) {
  Bytes64 v;
  __builtin_memcpy(&v, spare, sizeof v);
  __builtin_ia32_storedquqi512_mask(reinterpret_cast<MaskedTo>(to), v, (1ULL << bytes) - 1);
}
// (AVX2 has a masked store too, which AMD's processors take 20 cycles for.)
[[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline void load_masked_words(char* spare, const char* from,
                                                                    std::int64_t bytes) {
  const Words32 count = Words32{} + static_cast<std::int32_t>(bytes / 4);
  const Words32 wanted = Words32{0, 1, 2, 3, 4, 5, 6, 7} < count;
  Words32 v;
  __builtin_memcpy(&v, spare, sizeof v);
  v = (v & ~wanted) | __builtin_ia32_maskloadd256(reinterpret_cast<const Words32*>(from), wanted);
  __builtin_memcpy(spare, &v, sizeof v);
}
#endif

/// Copies bytes < 2 * Piece, at least Least, by two pieces that may overlap.
template <int Piece, int Least>
XGRAD_SIMD_INLINE void copy_pieces(char* to, const char* from, std::int64_t bytes) {
  if (Piece == Least || bytes >= Piece) {
    char first[Piece], last[Piece];
    __builtin_memcpy(first, from, Piece);
    __builtin_memcpy(last, from + bytes - Piece, Piece);
    __builtin_memcpy(to, first, Piece);
    __builtin_memcpy(to + bytes - Piece, last, Piece);
  } else if constexpr (Piece > Least) {
    copy_pieces<Piece / 2, Least>(to, from, bytes);
  }
}
/// `bytes` bytes, some but not all of a register, between data and a `spare` of PackBytes; elements take
/// ItemBytes.
template <int PackBytes, int ItemBytes>
XGRAD_SIMD_INLINE void load_bytes(char* spare, const char* from, std::int64_t bytes) {
#if XGRAD_SIMD_X86
  if constexpr (PackBytes == 64) return load_masked(spare, from, bytes);
  if constexpr (PackBytes == 32 && ItemBytes >= 4) return load_masked_words(spare, from, bytes);
#endif
  copy_pieces<PackBytes / 2, ItemBytes>(spare, from, bytes);
}
template <int PackBytes, int ItemBytes>
XGRAD_SIMD_INLINE void store_bytes(char* to, const char* spare, std::int64_t bytes) {
#if XGRAD_SIMD_X86
  if constexpr (PackBytes == 64) return store_masked(to, spare, bytes);
#endif
  copy_pieces<PackBytes / 2, ItemBytes>(to, spare, bytes);
}

/// The state of one input of a loop. `at` moves by `step` bytes a pack; a broadcast operand is a pack in
/// `spare` that stays where it is, and an incomplete last pack is completed there, so that the loop itself
/// knows neither case.
/// (`spare` lies apart from the pointers, which can then live in registers.)
template <class Operand, int W, int LaneBytes>
struct Source {
  using T = typename Operand::Element;
  using Lanes = typename LanesOf<T, W, LaneBytes>::type;
  const char*& at;
  std::ptrdiff_t& step;

  template <class Row>
  XGRAD_SIMD_INLINE void start_row(const Operand& operand, const Row& row, char* spare) const {
    const T* first = operand.at(row);
    at = reinterpret_cast<const char*>(first);
    step = whole;
    if constexpr (!Operand::always_adjacent) {
      if (operand.stride == 0) {
        Lanes(*first).store(reinterpret_cast<T*>(spare));
        at = spare;
        step = 0;
      }
    }
  }
  /// Redirects to a copy of the last `left` elements; the lanes behind them repeat the first, so that the
  /// function sees no value that is not data (an integer division by a padding zero would trap).
  XGRAD_SIMD_INLINE void start_tail(std::int64_t left, char* spare) const {
    if (!Operand::always_adjacent && step == 0) return;
    Lanes(*reinterpret_cast<const T*>(at)).store(reinterpret_cast<T*>(spare));
    if (left > 1)
      load_bytes<W * LaneBytes, sizeof(T)>(spare, at, left * static_cast<std::int64_t>(sizeof(T)));
    at = spare;
  }
  XGRAD_SIMD_INLINE Lanes next() const {
    const Lanes r = Lanes::load(reinterpret_cast<const T*>(at));
    at += Operand::always_adjacent ? whole : step;
    return r;
  }

 private:
  static constexpr std::ptrdiff_t whole = W * static_cast<std::ptrdiff_t>(sizeof(T));
};

/// Stores one result, converted to T, and moves on.
template <class T, class R>
XGRAD_SIMD_INLINE void put(char*& at, const R& r) {
  T* to = reinterpret_cast<T*>(at);
  if constexpr (!std::is_same_v<T, bool>)
    simd::cast<T>(r).store(to);
  else if constexpr (simd::is_mask<R>)
    r.store(to);
  else
    (r != 0).store(to);
  at += R::width * sizeof(T);
}
template <class T, std::size_t N, class R>
XGRAD_SIMD_INLINE void put_all(char* (&at)[N], const R& r) {
  if constexpr (requires { r.items; }) {
    for (std::size_t k = 0; k < N; ++k) put<T>(at[k], r.items[k]);
  } else {
    static_assert(N == 1, "a function with several results returns simd::several(…)");
    put<T>(at[0], r);
  }
}

/// How many packs an iteration of the loop computes side by side, so that they hide each other's latencies.
template <class F>
inline constexpr int unroll = 2;
template <class F>
requires requires { F::unroll; }
inline constexpr int unroll<F> = F::unroll;

// The loop, once for each level: `target` cannot depend on a template parameter. The call of f stands in the
// very function that is marked `flatten`, because that is as far as clang's reaches.
#define XGRAD_SIMD_LOOP(name, bytes, attributes)                                                    \
  template <class F, class Rows, class To, class... I, std::size_t... K, std::size_t... U>          \
  attributes void name(const F& function, std::int64_t count, Rows rows, const To& to,              \
                       std::index_sequence<K...>, std::index_sequence<U...>, const I&... from) {    \
    using T = typename To::Element;                                                                 \
    constexpr std::size_t N = To::count;                                                            \
    constexpr int lane = widest<T, typename I::Element...>, width = (bytes) / lane,                 \
                  together = static_cast<int>(sizeof...(U));                                        \
    const F f = function;                                                                           \
    const char* at[sizeof...(I)];                                                                   \
    std::ptrdiff_t step[sizeof...(I)];                                                              \
    using Result = decltype(f(Source<I, width, lane>{at[K], step[K]}.next()...));                   \
    char* out_at[N];                                                                                \
    alignas(64) char spare[sizeof...(I)][bytes];                                                    \
    alignas(64) char out_spare[N][bytes];                                                           \
    for (std::int64_t r = 0; r < count; ++r) {                                                      \
      const auto row = rows(r);                                                                     \
      (Source<I, width, lane>{at[K], step[K]}.start_row(from, row, spare[K]), ...);                 \
      for (std::size_t k = 0; k < N; ++k) out_at[k] = reinterpret_cast<char*>(to.at(k, row));       \
      std::int64_t left = row.length, tail = 0;                                                     \
      while (true) {                                                                                \
        for (; together > 1 && left >= together * width; left -= together * width) {                \
          const Result results[] = {                                                                \
              (static_cast<void>(U), f(Source<I, width, lane>{at[K], step[K]}.next()...))...};      \
          (put_all<T>(out_at, results[U]), ...);                                                    \
        }                                                                                           \
        for (; left >= width; left -= width) {                                                      \
          put_all<T>(out_at, f(Source<I, width, lane>{at[K], step[K]}.next()...));                  \
        }                                                                                           \
        if (left == 0) break;                                                                       \
        tail = left;                                                                                \
        (Source<I, width, lane>{at[K], step[K]}.start_tail(left, spare[K]), ...);                   \
        for (std::size_t k = 0; k < N; ++k) out_at[k] = out_spare[k];                               \
        left = width;                                                                               \
      }                                                                                             \
      for (std::size_t k = 0; tail != 0 && k < N; ++k) {                                            \
        store_bytes<bytes, sizeof(T)>(reinterpret_cast<char*>(to.at(k, row) + (row.length - tail)), \
                                      out_spare[k], tail * static_cast<std::int64_t>(sizeof(T)));   \
      }                                                                                             \
    }                                                                                               \
  }
XGRAD_SIMD_LOOP(loop_portable, 16, [[gnu::flatten]] [[gnu::noinline]])
#if XGRAD_SIMD_X86
XGRAD_SIMD_LOOP(loop_v3, 32,
                XGRAD_SIMD_SCHEDULED [[gnu::target(XGRAD_SIMD_TARGET_V3)]] [[gnu::flatten]] [[gnu::noinline]])
XGRAD_SIMD_LOOP(loop_v4, 64,
                XGRAD_SIMD_SCHEDULED [[gnu::target(XGRAD_SIMD_TARGET_V4)]] [[gnu::flatten]] [[gnu::noinline]])
#endif
#undef XGRAD_SIMD_LOOP

/// The rows of a rectangle.
struct Rectangle {
  std::int64_t length;
  XGRAD_SIMD_INLINE RectangleRow operator()(std::int64_t index) const { return {index, length}; }
};

template <class F, class Rows, class To, class... I>
void run([[maybe_unused]] Level level, const F& f, std::int64_t count, Rows rows, const To& to,
         const I&... from) {
  constexpr auto indices = std::make_index_sequence<sizeof...(I)>{};
#if XGRAD_SIMD_X86
  constexpr auto unrolled = std::make_index_sequence<unroll<F>>{};
  if (level == Level::v4) return loop_v4(f, count, rows, to, indices, unrolled, from...);
  if (level == Level::v3) return loop_v3(f, count, rows, to, indices, unrolled, from...);
#endif
  loop_portable(f, count, rows, to, indices, std::index_sequence<0>(), from...);
}

constexpr std::int64_t staged_elements = 256;

/// A block of an operand whose elements are neither adjacent nor one and the same, brought together.
template <class Operand>
struct Staged {
  using T = typename Operand::Element;
  T block[staged_elements];
  In<T> gather(const Operand& from, std::int64_t row, std::int64_t begin, std::int64_t n) {
    const T* first = from.data + row * from.row_stride + begin * from.stride;
    if (from.stride == 1 || from.stride == 0) return {first, from.stride, 0};
    for (std::int64_t i = 0; i < n; ++i) block[i] = first[i * from.stride];
    return {block, 1, 0};
  }
};
template <class F, class T, std::size_t N, class... I>
void run_staged(Level level, const F& f, std::int64_t rows, std::int64_t cols, const Out<T, N>& to,
                const I&... from) {
  T results[N][staged_elements] = {};
  const auto run_block = [&](std::int64_t row, std::int64_t begin, std::int64_t n, auto&&... staged) {
    Out<T, N> direct{{}, 1, 0};
    for (std::size_t k = 0; k < N; ++k)
      direct.data[k] = to.stride == 1 ? to.data[k] + row * to.row_stride + begin : results[k];
    run(level, f, 1, Rectangle{n}, direct, staged.gather(from, row, begin, n)...);
    for (std::size_t k = 0; to.stride != 1 && k < N; ++k) {
      T* first = to.data[k] + row * to.row_stride + begin * to.stride;
      for (std::int64_t i = 0; i < n; ++i) first[i * to.stride] = results[k][i];
    }
  };
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t begin = 0; begin < cols; begin += staged_elements) {
      const std::int64_t n = cols - begin < staged_elements ? cols - begin : staged_elements;
      run_block(row, begin, n, Staged<I>()...);
    }
  }
}

constexpr bool direct(std::int64_t stride) { return stride == 0 || stride == 1; }

}  // namespace detail

/// For every (row, i) of rows × cols: to(row, i) = f(from(row, i)…), at the given level (tests; `map` and
/// `map_rows` take the chosen one).
template <class F, class T, std::size_t N, class... I>
void map_at(Level level, const F& f, std::int64_t rows, std::int64_t cols, const Out<T, N>& to,
            const I&... from) {
  static_assert(sizeof...(I) > 0, "an elementwise function needs an input");
  if (rows <= 0 || cols <= 0) return;
  // One element a row: strides within the row mean nothing.
  if (to.stride == 1 && (detail::direct(from.stride) && ...))
    detail::run(level, f, rows, detail::Rectangle{cols}, to, from...);
  else
    detail::run_staged(level, f, rows, cols, to, from...);
}

/// The same for `count` rows that lie anywhere, in less time than one call for each of them: rows(r)
/// describes row r, with its `length`, to the functions of `to`, a list_out(…), and of the operands, each
/// list_in(…).
template <class F, class Rows, class To, class... I>
void map_lists(Level level, const F& f, std::int64_t count, const Rows& rows, const To& to,
               const I&... from) {
  detail::run(level, f, count, rows, to, from...);
}

/// to(row, i) = f(from(row, i)…) for rows × cols elements. `to` is `out(…)` or `outs(…)`, an operand `in(…)`.
template <class F, class To, class... From>
void map_rows(const F& f, std::int64_t rows, std::int64_t cols, const To& to, const From&... from) {
  map_at(level(), f, rows, cols, out(to), in(from)...);
}

/// to[i] = f(from[i]…) for n elements. `to` is a pointer, `out(…)` or `outs(…)`; an operand a pointer or
/// `in(…)`.
template <class F, class To, class... From>
void map(const F& f, std::int64_t n, const To& to, const From&... from) {
  map_at(level(), f, 1, n, out(to), in(from)...);
}

namespace detail {
template <class K>
[[gnu::flatten]] [[gnu::noinline]] auto vectorized_portable(const K& kernel) {
  return kernel(std::integral_constant<int, 16>{});
}
#if XGRAD_SIMD_X86
template <class K>
XGRAD_SIMD_SCHEDULED [[gnu::target(XGRAD_SIMD_TARGET_V3)]] [[gnu::flatten]] [[gnu::noinline]] auto
vectorized_v3(const K& kernel) {
  return kernel(std::integral_constant<int, 32>{});
}
template <class K>
XGRAD_SIMD_SCHEDULED [[gnu::target(XGRAD_SIMD_TARGET_V4)]] [[gnu::flatten]] [[gnu::noinline]] auto
vectorized_v4(const K& kernel) {
  return kernel(std::integral_constant<int, 64>{});
}
#endif
}  // namespace detail

/// Runs `kernel(bytes)` at the given level, where `bytes` is the register size as an integral_constant, and
/// returns what it returns. This is the door for kernels that are not elementwise:
///
///     float total = kernels::vectorized([&](auto bytes) XGRAD_SIMD_LAMBDA {
///       using P = simd::Pack<float, bytes / 4>;
///       P sum = 0;
///       …
///       return sum_lanes(sum);
///     });
///
/// Lambdas and functions within the kernel should be always_inline too (XGRAD_SIMD_LAMBDA,
/// XGRAD_SIMD_INLINE). Capture pointers and sizes by value, or copy them to locals first: what is captured by
/// reference is reloaded after every store.
template <class K>
auto vectorized_at([[maybe_unused]] Level level, const K& kernel) {
#if XGRAD_SIMD_X86
  if (level == Level::v4) return detail::vectorized_v4(kernel);
  if (level == Level::v3) return detail::vectorized_v3(kernel);
#endif
  return detail::vectorized_portable(kernel);
}
template <class K>
auto vectorized(const K& kernel) {
  return vectorized_at(level(), kernel);
}

}  // namespace xgrad::inline v0::kernels
