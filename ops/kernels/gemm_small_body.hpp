// The kernels of gemm_small.cpp, which includes this once for each level of instructions, each time within a
// namespace of its own whose functions are compiled for that level. XGRAD_GEMM_LEVEL says which: 4, 3 or 2
// (portable). Nothing here may name a template of another header: it would be compiled for the level too, and
// the linker would be free to take that copy for everyone.

#define XGRAD_GEMM_INLINE [[gnu::always_inline]] static inline

#include <xgrad/ops/kernels/gemm_small_registers.hpp>

// ---- sums of lanes

#if XGRAD_GEMM_LEVEL > 2
XGRAD_GEMM_INLINE void sum_four(const __m128* v, float* sums) {
  _mm_storeu_ps(sums, _mm_hadd_ps(_mm_hadd_ps(v[0], v[1]), _mm_hadd_ps(v[2], v[3])));
}
XGRAD_GEMM_INLINE void sum_four(const __m128d* v, double* sums) {
  _mm_storeu_pd(sums, _mm_hadd_pd(v[0], v[1]));
  _mm_storeu_pd(sums + 2, _mm_hadd_pd(v[2], v[3]));
}
#endif

template <class V>
XGRAD_GEMM_INLINE auto sum_lanes(const V& v) {
  if constexpr (sizeof v / sizeof v[0] == 4) {
    return (v[0] + v[1]) + (v[2] + v[3]);
  } else {
    return v[0] + v[1];
  }
}

template <class T, int N>
XGRAD_GEMM_INLINE void sum_each(const typename Simd<T>::V (&acc)[N], T (&sums)[N]) {
  decltype(Simd<T>::fold(acc[0])) folded[N];
  XGRAD_GEMM_UNROLL
  for (int j = 0; j < N; ++j) folded[j] = Simd<T>::fold(acc[j]);
  int done = 0;
#if XGRAD_GEMM_LEVEL > 2
  for (; done + 4 <= N; done += 4) sum_four(folded + done, sums + done);
#endif
  for (; done < N; ++done) sums[done] = sum_lanes(folded[done]);
}

// A count in parts of at most `most`, as even as can be, the larger ones first.
struct Even {
  std::int64_t parts, least, larger;
  XGRAD_GEMM_INLINE std::int64_t up(std::int64_t count, std::int64_t most) {
    return (count + most - 1) / most;
  }
  [[gnu::always_inline]] Even(std::int64_t count, std::int64_t most)
      : parts(up(count, most)), least(count), larger(0) {
    if (parts > 1) {
      least = count / parts;
      larger = count - parts * least;
    }
  }
  [[gnu::always_inline]] int size(std::int64_t part) const {
    return static_cast<int>(least + (part < larger ? 1 : 0));
  }
};

// ---- dot products: R rows of A by N rows of B, both along k

template <class T, int R, int N>
[[gnu::noinline]] void dot_tile(const Product<T>& g, const T* a, const T* b, T* c, const T* bias) {
  using S = Simd<T>;
  typename S::V acc[R][N];
  XGRAD_GEMM_UNROLL
  for (int i = 0; i < R; ++i) {
    XGRAD_GEMM_UNROLL
    for (int j = 0; j < N; ++j) acc[i][j] = S::zero();
  }
  const std::int64_t a_row = g.a_row, ldb = g.ldb, k = g.k;
  std::int64_t p = 0;
  for (; p + S::lanes <= k; p += S::lanes) {
    typename S::V x[R];
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) x[i] = S::load(a + i * a_row + p);
    XGRAD_GEMM_UNROLL
    for (int j = 0; j < N; ++j) {
      typename S::V w = S::load(b + j * ldb + p);
      XGRAD_GEMM_IN_REGISTER(w);
      XGRAD_GEMM_UNROLL
      for (int i = 0; i < R; ++i) acc[i][j] = S::fma(x[i], w, acc[i][j]);
    }
  }
  if (p < k) {
    const auto mask = S::first(k - p);
    typename S::V x[R];
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) x[i] = S::load(a + i * a_row + p, mask);
    XGRAD_GEMM_UNROLL
    for (int j = 0; j < N; ++j) {
      const typename S::V w = S::load(b + j * ldb + p, mask);
      XGRAD_GEMM_UNROLL
      for (int i = 0; i < R; ++i) acc[i][j] = S::fma(x[i], w, acc[i][j]);
    }
  }
  XGRAD_GEMM_UNROLL
  for (int i = 0; i < R; ++i) {
    T sums[N];
    sum_each<T, N>(acc[i], sums);
    T* row = c + i * g.ldc;
    if (g.accumulate)
      for (int j = 0; j < N; ++j) sums[j] += row[j];
    if (bias)
      for (int j = 0; j < N; ++j) sums[j] += bias[j];
    if (g.relu)
      for (int j = 0; j < N; ++j) sums[j] = sums[j] < T(0) ? T(0) : sums[j];
    for (int j = 0; j < N; ++j) row[j] = sums[j];
  }
}

template <class T, int N>
void dot_block(const Product<T>& g, std::int64_t j) {
  const T* b = g.b + j * g.ldb;
  const T* bias = g.bias ? g.bias + j : nullptr;
  const Even blocks(g.m, dot_rows);
  for (std::int64_t i = 0, block = 0; i < g.m; ++block) {
    const int rows = blocks.size(block);
    const T* a = g.a + i * g.a_row;
    T* c = g.c + i * g.ldc + j;
    if (rows == 1) dot_tile<T, 1, N>(g, a, b, c, bias);
    if constexpr (N <= dot_columns) {
      if (rows == 2) dot_tile<T, 2, N>(g, a, b, c, bias);
      if constexpr (dot_rows == 3) {
        if (rows == 3) dot_tile<T, 3, N>(g, a, b, c, bias);
      }
    }
    i += rows;
  }
}

// One row alone has registers left for more sums at a time, which it needs to hide their latency.
constexpr int dot_columns_of_one = 8;

template <class T>
void dot(const Product<T>& g) {
  const Even blocks(g.n, g.m == 1 ? dot_columns_of_one : dot_columns);
  for (std::int64_t j = 0, block = 0; j < g.n; ++block) {
    const int columns = blocks.size(block);
    switch (columns) {
      case 1:
        dot_block<T, 1>(g, j);
        break;
      case 2:
        dot_block<T, 2>(g, j);
        break;
      case 3:
        dot_block<T, 3>(g, j);
        break;
      case 4:
        dot_block<T, 4>(g, j);
        break;
      case 5:
        dot_block<T, 5>(g, j);
        break;
      case 6:
        dot_block<T, 6>(g, j);
        break;
      case 7:
        dot_block<T, 7>(g, j);
        break;
      case 8:
        dot_block<T, 8>(g, j);
        break;
      default:
        break;
    }
    j += columns;
  }
}

// ---- outer products: R rows of A by N registers of columns

// Where a panel of columns of B lies: in B itself or in a copy.
template <class T>
struct Panel {
  const T* b;
  std::int64_t ldb;
  T* c;
  const T* bias;
  std::int64_t columns;
};

// The last register holds fewer columns than it could if `Tail`.
template <class T, int R, int N, bool Tail>
[[gnu::noinline]] void outer_tile(const Product<T>& g, const Panel<T>& panel, std::int64_t i0) {
  using S = Simd<T>;
  constexpr int L = S::lanes;
  [[maybe_unused]] const auto mask = S::first(Tail ? panel.columns - (N - 1) * L : L);
  // In the time that one multiplication and addition takes eight can begin: few sums are split in parts.
  constexpr int parts = R * N == 1 ? 4 : R * N <= 3 ? 2 : 1;
  typename S::V sums[parts][R][N];
  XGRAD_GEMM_UNROLL
  for (int part = 0; part < parts; ++part) {
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) {
      XGRAD_GEMM_UNROLL
      for (int j = 0; j < N; ++j) sums[part][i][j] = S::zero();
    }
  }
  auto& acc = sums[0];
  const std::int64_t a_row = g.a_row, a_col = g.a_col, ldb = panel.ldb;
  const T* a = g.a + i0 * a_row;
  const T* b = panel.b;
  const auto add_terms = [&](typename S::V(&to)[R][N]) __attribute__((always_inline)) {
    typename S::V w[N];
    XGRAD_GEMM_UNROLL
    for (int j = 0; j < N; ++j) w[j] = Tail && j == N - 1 ? S::load(b + j * L, mask) : S::load(b + j * L);
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) {
      typename S::V x = S::all(a[i * a_row]);
      if constexpr (N > 1) XGRAD_GEMM_IN_REGISTER(x);
      XGRAD_GEMM_UNROLL
      for (int j = 0; j < N; ++j) to[i][j] = S::fma(x, w[j], to[i][j]);
    }
    a += a_col;
    b += ldb;
  };
  std::int64_t p = 0;
  if constexpr (parts > 1) {
    for (; p + parts <= g.k; p += parts) {
      XGRAD_GEMM_UNROLL
      for (int part = 0; part < parts; ++part) add_terms(sums[part]);
    }
  }
  for (; p < g.k; ++p) add_terms(acc);
  XGRAD_GEMM_UNROLL
  for (int part = 1; part < parts; ++part) {
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) {
      XGRAD_GEMM_UNROLL
      for (int j = 0; j < N; ++j) acc[i][j] = S::add(acc[i][j], sums[part][i][j]);
    }
  }
  // What becomes of the sums is asked once for all of them.
  T* const c = panel.c + i0 * g.ldc;
  const std::int64_t ldc = g.ldc;
  const auto load = [&](const T* from, int j) __attribute__((always_inline)) {
    return Tail && j == N - 1 ? S::load(from + j * L, mask) : S::load(from + j * L);
  };
  if (g.accumulate) {
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) {
      XGRAD_GEMM_UNROLL
      for (int j = 0; j < N; ++j) acc[i][j] = S::add(acc[i][j], load(c + i * ldc, j));
    }
  }
  if (panel.bias) {
    XGRAD_GEMM_UNROLL
    for (int j = 0; j < N; ++j) {
      const typename S::V bias = load(panel.bias, j);
      XGRAD_GEMM_UNROLL
      for (int i = 0; i < R; ++i) acc[i][j] = S::add(acc[i][j], bias);
    }
  }
  if (g.relu) {
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) {
      XGRAD_GEMM_UNROLL
      for (int j = 0; j < N; ++j) acc[i][j] = S::relu(acc[i][j]);
    }
  }
  XGRAD_GEMM_UNROLL
  for (int j = 0; j < N; ++j) {
    if (Tail && j == N - 1) {
      typename S::V part[R];
      XGRAD_GEMM_UNROLL
      for (int i = 0; i < R; ++i) part[i] = acc[i][j];
      S::store_rows(c + j * L, ldc, part, mask);
    } else {
      XGRAD_GEMM_UNROLL
      for (int i = 0; i < R; ++i) S::store(c + i * ldc + j * L, acc[i][j]);
    }
  }
}

template <class T>
using Tile = void (*)(const Product<T>&, const Panel<T>&, std::int64_t);

template <class T, int N, bool Tail>
XGRAD_GEMM_INLINE Tile<T> tile_of(int rows) {
  switch (rows) {
    case 1:
      return outer_tile<T, 1, N, Tail>;
    case 2:
      return outer_tile<T, 2, N, Tail>;
    case 3:
      return outer_tile<T, 3, N, Tail>;
#if XGRAD_GEMM_LEVEL > 2
    case 4:
      return outer_tile<T, 4, N, Tail>;
    case 5:
      return outer_tile<T, 5, N, Tail>;
#endif
#if XGRAD_GEMM_LEVEL == 4
    case 6:
      return outer_tile<T, 6, N, Tail>;
    case 7:
      return outer_tile<T, 7, N, Tail>;
    case 8:
      return outer_tile<T, 8, N, Tail>;
    case 9:
      return outer_tile<T, 9, N, Tail>;
    case 10:
      return outer_tile<T, 10, N, Tail>;
    case 11:
      return outer_tile<T, 11, N, Tail>;
#endif
    default:
      return outer_tile<T, outer_rows, N, Tail>;
  }
}

// All rows, in tiles as even as can be.
template <class T, int N, bool Tail>
void outer_rows_of(const Product<T>& g, const Panel<T>& panel) {
  const Even blocks(g.m, outer_rows);
  std::int64_t i = 0;
  const auto tiles = [&](std::int64_t count, std::int64_t rows) {
    if (count == 0) return;
    const Tile<T> tile = tile_of<T, N, Tail>(static_cast<int>(rows));
    for (; count > 0; --count, i += rows) tile(g, panel, i);
  };
  tiles(blocks.larger, blocks.least + 1);
  tiles(blocks.parts - blocks.larger, blocks.least);
}

template <class T>
void outer_rows_of(const Product<T>& g, const Panel<T>& panel) {
  constexpr std::int64_t L = Simd<T>::lanes;
  const bool tail = panel.columns % L != 0;
  if (panel.columns > L) {
    tail ? outer_rows_of<T, 2, true>(g, panel) : outer_rows_of<T, 2, false>(g, panel);
  } else {
    tail ? outer_rows_of<T, 1, true>(g, panel) : outer_rows_of<T, 1, false>(g, panel);
  }
}

// ---- transposition

// Four rows of four.
template <class T>
struct Block {
  typedef T Four __attribute__((vector_size(4 * sizeof(T))));
  Four row[4];

  XGRAD_GEMM_INLINE void transpose(Block& x) {
    const Four a = __builtin_shufflevector(x.row[0], x.row[1], 0, 4, 1, 5);
    const Four b = __builtin_shufflevector(x.row[0], x.row[1], 2, 6, 3, 7);
    const Four c = __builtin_shufflevector(x.row[2], x.row[3], 0, 4, 1, 5);
    const Four d = __builtin_shufflevector(x.row[2], x.row[3], 2, 6, 3, 7);
    x.row[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    x.row[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    x.row[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    x.row[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
  }
};

// `to` (n, m), rows ld_to apart, is the transpose of `from` (m, n), rows ld_from apart. Columns are stored
// four at a time: rows of `to` have room for a multiple of four, and what they do not need means nothing. A
// cache line of each row of `from` at a time, so that what is written is met again at once.
template <class T>
void transpose(std::int64_t m, std::int64_t n, const T* from, std::int64_t ld_from, T* to,
               std::int64_t ld_to) {
  using Four = typename Block<T>::Four;
  constexpr std::int64_t line = 64 / sizeof(T);
  for (std::int64_t begin = 0; begin < n; begin += line) {
    const std::int64_t end = begin + line < n ? begin + line : n;
    for (std::int64_t i = 0; i < m; i += 4) {
      const T* f[4];
      XGRAD_GEMM_UNROLL
      for (int r = 0; r < 4; ++r) f[r] = from + (i + r < m ? i + r : m - 1) * ld_from;
      std::int64_t j = begin;
      T* t = to + begin * ld_to + i;
      for (; j + 4 <= end; j += 4) {
        Block<T> x;
        XGRAD_GEMM_UNROLL
        for (int r = 0; r < 4; ++r) __builtin_memcpy(&x.row[r], f[r] + j, sizeof x.row[r]);
        Block<T>::transpose(x);
        XGRAD_GEMM_UNROLL
        for (int r = 0; r < 4; ++r, t += ld_to) __builtin_memcpy(t, &x.row[r], sizeof x.row[r]);
      }
      for (; j < end; ++j, t += ld_to) {
        const Four column{f[0][j], f[1][j], f[2][j], f[3][j]};
        __builtin_memcpy(t, &column, sizeof column);
      }
    }
  }
}

// ---- products of any size from outer tiles

// Registers that a panel with so many columns takes.
template <class T>
XGRAD_GEMM_INLINE std::int64_t panel_registers(std::int64_t columns) {
  return columns > Simd<T>::lanes ? 2 : 1;
}

// From one row of a copied panel to the next: whole registers, and whole blocks of a transposition.
template <class T>
XGRAD_GEMM_INLINE std::int64_t panel_lead(std::int64_t columns) {
  const std::int64_t lead = panel_registers<T>(columns) * Simd<T>::lanes;
  return lead < 4 ? 4 : lead;
}

template <class T>
void outer(const Product<T>& g) {
  constexpr std::int64_t L = Simd<T>::lanes;
  std::int64_t j = 0;
  if (g.m == 1 && !g.b_transposed) {
    // One row meets each element of B once: long runs of columns, so that memory is read in order.
    for (; j + 8 * L <= g.n; j += 8 * L) {
      outer_tile<T, 1, 8, false>(g, {g.b + j, g.ldb, g.c + j, g.bias ? g.bias + j : nullptr, 8 * L}, 0);
    }
  }
  alignas(64) T copy[panel_capacity];
  for (; j < g.n; j += 2 * L) {
    const std::int64_t columns = g.n - j < 2 * L ? g.n - j : 2 * L;
    Panel<T> panel{g.b + j, g.ldb, g.c + j, g.bias ? g.bias + j : nullptr, columns};
    if (g.b_transposed) {
      panel.b = copy;
      panel.ldb = panel_lead<T>(columns);
      transpose(columns, g.k, g.b + j * g.ldb, g.ldb, copy, panel.ldb);
    }
    outer_rows_of<T>(g, panel);
  }
}

// ---- the transposed product, with few columns

template <class T>
std::int64_t panel_width() {
  return 2 * Simd<T>::lanes;
}

template <class T>
void pack(std::int64_t rows, std::int64_t k, const T* from, std::int64_t ld, T* panel) {
  transpose(rows, k, from, ld, panel, panel_lead<T>(rows));
}

// `rows` rows of `columns` sums, `ld` apart, to C.
template <class T>
void finish_rows(const Product<T>& g, std::int64_t rows, std::int64_t columns, const T* sums, std::int64_t ld,
                 T* c) {
  using S = Simd<T>;
  constexpr std::int64_t L = S::lanes;
  for (std::int64_t p = 0; p < columns; p += L) {
    const std::int64_t count = columns - p < L ? columns - p : L;
    const auto mask = S::first(count);
    const typename S::V bias = g.bias ? S::load(g.bias + p, mask) : S::zero();
    for (std::int64_t q = 0; q < rows; ++q) {
      T* const to = c + q * g.ldc + p;
      typename S::V v = S::load(sums + q * ld + p);
      if (g.accumulate) v = S::add(v, S::load(to, mask));
      if (g.bias) v = S::add(v, bias);
      if (g.relu) v = S::relu(v);
      if (count == L) {
        S::store(to, v);
      } else {
        const typename S::V row[] = {v};
        S::store_rows(to, 0, row, mask);
      }
    }
  }
}

template <class T>
void turned(const Product<T>& g, const T* panels) {
  constexpr std::int64_t width = 2 * Simd<T>::lanes;
  constexpr std::int64_t ld_across = (turned_rows_limit / Simd<T>::lanes + 1) * Simd<T>::lanes;
  alignas(64) T tile[turned_rows_limit * width];
  alignas(64) T across[width * ld_across];
  const Product<T> part{g.m, g.n,  g.k,  g.a,   g.a_row, g.a_col, nullptr,
                        0,   true, tile, width, false,   nullptr, false};
  for (std::int64_t j = 0; j < g.n; j += width) {
    const std::int64_t columns = g.n - j < width ? g.n - j : width;
    const std::int64_t ld = panel_lead<T>(columns);
    outer_rows_of<T>(part, {panels + j * g.k, ld, tile, nullptr, columns});
    transpose(g.m, columns, tile, width, across, ld_across);
    finish_rows<T>(g, columns, g.m, across, ld_across, g.c + j * g.ldc);
  }
}

// ---- the blocked product, for many rows and columns

// `columns` adjacent columns of B as a panel: k rows of whole registers. A part of one is filled up with
// zeros.
template <class T>
void pack_columns(std::int64_t columns, std::int64_t k, const T* from, std::int64_t ld, T* panel) {
  using S = Simd<T>;
  constexpr std::int64_t L = S::lanes;
  if (columns == 2 * L) {
    for (std::int64_t p = 0; p < k; ++p, from += ld, panel += 2 * L) {
      S::store(panel, S::load(from));
      S::store(panel + L, S::load(from + L));
    }
    return;
  }
  const std::int64_t registers = panel_registers<T>(columns), lead = panel_lead<T>(columns);
  const auto mask = S::first(columns - (registers - 1) * L);
  for (std::int64_t p = 0; p < k; ++p, from += ld, panel += lead) {
    if (registers == 2) S::store(panel, S::load(from));
    S::store(panel + (registers - 1) * L, S::load(from + (registers - 1) * L, mask));
  }
}

template <class T>
void pack_panels(const Product<T>& g, T* panels) {
  constexpr std::int64_t width = 2 * Simd<T>::lanes;
  for (std::int64_t j = 0; j < g.n; j += width) {
    const std::int64_t columns = g.n - j < width ? g.n - j : width;
    if (g.b_transposed) {
      pack(columns, g.k, g.b + j * g.ldb, g.ldb, panels + j * g.k);
    } else {
      pack_columns(columns, g.k, g.b + j, g.ldb, panels + j * g.k);
    }
  }
}

template <class T>
std::int64_t panel_elements(std::int64_t n, std::int64_t k) {
  constexpr std::int64_t width = 2 * Simd<T>::lanes;
  const std::int64_t rest = n % width;
  return (n - rest + (rest == 0 ? 0 : panel_lead<T>(rest))) * k;
}

// Rows that meet a panel one tile after the other, while it is in the level-1 cache; they themselves stay in
// the level-2 cache. From a transposed A they are copied together: they share cache lines, which would be
// gone before the next tile came.
template <class T>
std::int64_t rows_together(std::int64_t k) {
  constexpr std::int64_t most = 12 * outer_rows, elements = (256 << 10) / sizeof(T);
  const std::int64_t fit = elements / k / outer_rows * outer_rows;
  return fit > most ? most : fit < outer_rows ? outer_rows : fit;
}

template <class T>
std::int64_t rows_elements(std::int64_t k) {
  return rows_together<T>(k) * k;
}

// `rows` adjacent elements of each of the k rows of `from`, tile after tile: each k groups of outer_rows.
template <class T>
void pack_rows(std::int64_t rows, std::int64_t k, const T* from, std::int64_t ld, T* to) {
  const std::int64_t whole = rows / outer_rows, rest = rows - whole * outer_rows;
  for (std::int64_t p = 0; p < k; ++p, from += ld, to += outer_rows) {
    for (std::int64_t t = 0; t < whole; ++t) {
      __builtin_memcpy(to + t * outer_rows * k, from + t * outer_rows, outer_rows * sizeof(T));
    }
    for (std::int64_t i = 0; i < rest; ++i) {
      to[whole * outer_rows * k + i] = from[whole * outer_rows + i];
      XGRAD_GEMM_SCALAR;
    }
  }
}

template <class T>
void blocked(const Product<T>& g, const T* panels, T* scratch) {
  constexpr std::int64_t width = 2 * Simd<T>::lanes;
  // Of a short product the time goes to C, which is written in whole rows.
  const std::int64_t together = g.k < 64 && g.a_row != 1 ? outer_rows : rows_together<T>(g.k);
  Product<T> tile = g;
  if (g.a_row == 1) tile.a_col = outer_rows;
  for (std::int64_t i = 0; i < g.m; i += together) {
    const std::int64_t rows = g.m - i < together ? g.m - i : together;
    if (g.a_row == 1) pack_rows(rows, g.k, g.a + i, g.a_col, scratch);
    for (std::int64_t j = 0; j < g.n; j += width) {
      const std::int64_t columns = g.n - j < width ? g.n - j : width;
      const Panel<T> panel{panels + j * g.k, panel_lead<T>(columns), g.c + i * g.ldc + j,
                           g.bias ? g.bias + j : nullptr, columns};
      if (g.a_row != 1) {
        tile.m = rows;
        tile.a = g.a + i * g.a_row;
        outer_rows_of<T>(tile, panel);
        continue;
      }
      for (std::int64_t r = 0; r < rows; r += outer_rows) {
        tile.m = rows - r < outer_rows ? rows - r : outer_rows;
        tile.a = scratch + r * g.k;
        outer_rows_of<T>(tile, {panel.b, panel.ldb, panel.c + r * g.ldc, panel.bias, columns});
      }
    }
  }
}

#undef XGRAD_GEMM_INLINE
#undef XGRAD_GEMM_LEVEL
