#include <xgrad/ops/kernels/gemm.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <type_traits>

#include <xgrad/ops/kernels/gemm_blas.hpp>
#include <xgrad/ops/kernels/gemm_small.hpp>
#include <xgrad/ops/kernels/gemm_workspace.hpp>
#include <xgrad/ops/kernels/level.hpp>
#include <xgrad/ops/kernels/map.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

namespace xgrad::inline v0::kernels {
namespace {

using detail::round_up;
using detail::Scratch;
using detail::Workspace;

template <class T>
struct Call : small::Product<T> {
  bool a_transposed;
  Activation activation;

  std::int64_t lda() const { return a_transposed ? this->a_col : this->a_row; }

  // The product of rows [i, i + rows) of op(A) and columns [j, j + columns) of op(B).
  Call tile(std::int64_t i, std::int64_t rows, std::int64_t j, std::int64_t columns) const {
    Call t = *this;
    t.m = rows;
    t.n = columns;
    t.a += i * t.a_row;
    t.b += t.b_transposed ? j * t.ldb : j;
    t.c += i * t.ldc + j;
    if (t.bias) t.bias += j;
    return t;
  }
};

// The options are read one by one: as a whole they would be read with one load of what the caller has just
// written with several stores, and then the CPU waits until these have reached the cache.
template <class T>
Call<T> make_call(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                  bool transpose_a, const T* b, std::int64_t ldb, bool transpose_b, T* c, std::int64_t ldc,
                  const GemmOptions<T>& options) {
  return {{m, n, k, a, transpose_a ? 1 : lda, transpose_a ? lda : 1, b, ldb, transpose_b, c, ldc,
           options.accumulate, options.bias, options.activation == Activation::relu},
          transpose_a,
          options.activation};
}

// ---- which kernel serves a shape

enum class Kernel { outer, dot, turned, blocked, onednn, cblas };

constexpr bool is_library(Kernel kernel) { return kernel >= Kernel::onednn; }

// m * n * k up to which our own outer products are ahead of the libraries, by level of instructions. With a
// transposed B the libraries copy it too, and ours stay ahead for longer.
struct OuterLimits {
  std::int64_t plain, transposed;
};
template <class T>
OuterLimits outer_limits() {
  switch (level()) {
    case Level::v4:
      return {64 * 64 * 64, 1 << 20};
    case Level::v3:
      return {48 * 48 * 48, 1 << 18};
    case Level::portable:
      break;
  }
  return {32 * 32 * 32, 32 * 32 * 32};
}
// A product with so few rows or columns, against transposed B, reads memory as fast as dot products can.
constexpr std::int64_t dot_rows_limit = 16;
constexpr std::int64_t dot_depth_min = 32;
// With more rows than that the transposed product copies them, in blocks that stay in the cache, and leaves
// the weights as they are. On AVX-512 it is ahead of oneDNN by a quarter at 32 rows and by 5% at 64.
constexpr std::int64_t turned_rows = 96;
constexpr std::int64_t turned_depth_limit = 4096;

// From so many rows on it is 4% faster to copy the weights: their columns then are those of the result.
constexpr std::int64_t blocked_rows = 384, blocked_columns = 8;

// On AVX-512 oneDNN is ahead of our blocked product.
template <class T>
bool blocked_fits() {
  return level() == Level::v3 && std::is_same_v<T, float>;
}

template <class T>
bool turned_fits(std::int64_t m, std::int64_t k) {
  if (level() == Level::portable || k > turned_depth_limit) return false;
  if (m > turned_rows) return level() == Level::v3 && std::is_same_v<T, float>;
  const std::int64_t width = small::panel_width<T>();
  const std::int64_t rest = m % width;  // a panel with fewer rows costs as much as a full one
  return rest == 0 || 4 * rest >= 3 * width;
}

// Whichever is ahead: a table by CPU and shape, never decided by timing. On AVX2 (Zen 3, one thread, oneDNN
// 2.6.3, OpenBLAS 0.3.21, sizes from 32 to 1024) oneDNN's copy of a B that is not transposed is slow, most of
// all when its rows lie a multiple of 2 KiB apart: 50 to 67 GFLOP/s against 84 to 90 of OpenBLAS and 88 to 97
// of our blocked product, which unlike both loses nothing to tiles. Against transposed B oneDNN is ahead, at
// 94, and on AVX-512 throughout.
template <class T>
Kernel large(const Call<T>& g) {
  if (std::is_same_v<T, double> || !blas::has_onednn()) return Kernel::cblas;
  if (blocked_fits<T>() && !g.b_transposed) return Kernel::blocked;
  return Kernel::onednn;
}

template <class T>
Kernel choose(const Call<T>& g) {
  const std::int64_t volume = g.m * g.n * g.k;
  const bool rows_adjacent = !g.a_transposed && g.b_transposed;
  if (!g.b_transposed && (g.m == 1 || volume <= outer_limits<T>().plain)) return Kernel::outer;
  if (rows_adjacent && g.m >= blocked_rows && g.n >= blocked_columns &&
      volume > outer_limits<T>().transposed && blocked_fits<T>())
    return Kernel::blocked;
  const bool thin = g.m <= dot_rows_limit || g.n <= dot_rows_limit;
  if (rows_adjacent && thin && (g.k >= dot_depth_min || (g.m == 1 && g.n <= 4) || g.n == 1))
    return Kernel::dot;
  const bool fits = g.k * small::panel_columns <= small::panel_capacity;
  if (g.b_transposed && fits && volume <= outer_limits<T>().transposed) return Kernel::outer;
  if (rows_adjacent && turned_fits<T>(g.m, g.k)) return Kernel::turned;
  return large(g);
}

// ---- what follows the product

// c = f(c), or f(c, bias) with the bias of its column, by rows.
template <class T, class Plain, class Biased>
void finish_rows(const Call<T>& g, const T* bias, Plain plain, Biased biased) {
  if (bias) {
    map_rows(biased, g.m, g.n, out(g.c, 1, g.ldc), in(g.c, 1, g.ldc), in(bias, 1, 0));
  } else {
    map_rows(plain, g.m, g.n, out(g.c, 1, g.ldc), in(g.c, 1, g.ldc));
  }
}

template <class T>
void finish(const Call<T>& g, Activation activation, const T* bias) {
  switch (activation) {
    case Activation::none:
      if (bias)
        finish_rows(
            g, bias, [](auto c) { return c; }, [](auto c, auto b) { return c + b; });
      break;
    case Activation::relu:
      finish_rows(
          g, bias, [](auto c) { return relu(c); }, [](auto c, auto b) { return relu(c + b); });
      break;
    case Activation::sigmoid:
      finish_rows(
          g, bias, [](auto c) { return sigmoid(c); }, [](auto c, auto b) { return sigmoid(c + b); });
      break;
    case Activation::tanh:
      finish_rows(
          g, bias, [](auto c) { return tanh(c); }, [](auto c, auto b) { return tanh(c + b); });
      break;
  }
}

// Our own kernels have added the bias and done relu.
template <class T>
void activate(const Call<T>& g) {
  if (g.activation > Activation::relu) finish<T>(g, g.activation, nullptr);
}

// ---- one tile, on the calling thread

// A column is computed as a row, whose elements are taken more at a time.
template <class T>
void dot(const Call<T>& g) {
  if (g.n > 1 || g.m == 1 || g.ldc > 1 || (g.bias && g.accumulate)) return small::dot(g);
  small::Product<T> row{1,       g.m,  g.k, g.b, g.k,          1,       g.a,
                        g.a_row, true, g.c, g.m, g.accumulate, nullptr, g.relu};
  if (g.bias) {
    std::fill_n(g.c, g.m, *g.bias);
    row.accumulate = true;
  }
  small::dot(row);
}

template <class T>
void compute(const Call<T>& g, Kernel kernel) {
  if (is_library(kernel)) {
    const auto multiply = [&](auto product) {
      product(g.m, g.n, g.k, g.a, g.lda(), g.a_transposed, g.b, g.ldb, g.b_transposed, g.c, g.ldc,
              g.accumulate);
    };
    if constexpr (std::is_same_v<T, float>) {
      multiply(kernel == Kernel::onednn ? blas::onednn : static_cast<blas::Product<float>*>(blas::cblas));
    } else {
      multiply(static_cast<blas::Product<double>*>(blas::cblas));
    }
    finish(g, g.activation, g.bias);
    return;
  }
  if (kernel == Kernel::dot) {
    dot(g);
  } else {
    small::outer(g);
  }
  activate(g);
}

// ---- tiles: by shape alone, and the same on one thread, since a library may round a tile and a whole
// differently ----

struct Grid {
  std::int64_t rows, columns;  // of a tile
};

// The largest power of two that is at most x, and at least 1.
std::int64_t power_below(std::int64_t x) {
  std::int64_t p = 1;
  while (2 * p <= x) p *= 2;
  return p;
}

constexpr std::int64_t tile_work = 4 << 20;  // m * n * k: some 50 µs in float

// The libraries copy both operands for every tile, so tiles are wide: what a strip of 128 rows (256 against
// transposed B) or 192 columns of oneDNN's loses is about 2%. Counts are powers of two, to share out evenly.
template <class T>
Grid library_grid(const Call<T>& g) {
  constexpr std::int64_t most_tiles = 64;
  const std::int64_t least_rows = g.b_transposed ? 256 : 128, least_columns = g.b_transposed ? 256 : 192;
  const std::int64_t tiles = power_below(std::min(most_tiles, g.m * g.n * g.k / tile_work));
  const std::int64_t row_tiles = std::min(tiles, power_below(g.m / least_rows));
  const std::int64_t column_tiles = std::min(tiles / row_tiles, power_below(g.n / least_columns));
  return {round_up((g.m + row_tiles - 1) / row_tiles, 48),
          round_up((g.n + column_tiles - 1) / column_tiles, 16)};
}

// A thread copies the columns of a tile once, for all tiles below: strips of rows, and as many columns as the
// cache holds. Only where there are few rows are columns shared out.
template <class T>
Grid blocked_grid(const Call<T>& g) {
  constexpr std::int64_t most_tiles = 64, enough_tiles = 8, least_rows = 64, least_columns = 256;
  // Of B: a copy that, with the rest of a step, takes less memory than the peers.
  constexpr std::int64_t most_elements = 320 << 10;
  const std::int64_t tiles = power_below(std::min(most_tiles, g.m * g.n * g.k / tile_work));
  const std::int64_t row_tiles = std::min(tiles, power_below(g.m / least_rows));
  const std::int64_t column_tiles =
      std::max((g.n * g.k + most_elements - 1) / most_elements,
               std::min(std::min(tiles, enough_tiles) / std::min(row_tiles, enough_tiles),
                        power_below(g.n / least_columns)));
  return {round_up((g.m + row_tiles - 1) / row_tiles, 6),
          round_up((g.n + column_tiles - 1) / column_tiles, 32)};
}

// The others lose nothing to tiles: strips of the longer side that take some 10 µs.
constexpr std::int64_t own_strip_work = 750'000;

template <class T>
Grid own_grid(const Call<T>& g) {
  const std::int64_t shorter =
      std::max<std::int64_t>(4, std::min(g.m, g.n));  // below 4, memory sets the time
  const std::int64_t strip = round_up(own_strip_work / (g.k * shorter) + 1, 64);
  return g.m > g.n ? Grid{strip, g.n} : Grid{g.m, strip};
}

// ---- products in tiles, on several threads

template <class T>
void run(const Call<T>& g, Kernel kernel);

// Where there is no memory for copies: CBLAS has its own from the start.
template <class T>
void run_without_memory(const Call<T>& g) {
  const blas::OneBlasThread one;
  run(g, Kernel::cblas);
}

template <class T>
void run_turned(const Call<T>& g) {
  constexpr std::int64_t strip = small::turned_rows_limit;
  const std::int64_t width = small::panel_width<T>();
  const std::int64_t blocks = (g.m + turned_rows - 1) / turned_rows;
  const std::int64_t rows = round_up((g.m + blocks - 1) / blocks, width);
  const std::int64_t strips = (g.n + strip - 1) / strip;
  Workspace<T>* const workspace = Workspace<T>::prepare(blocks * strips, rows * g.k);
  if (!workspace) return run_without_memory(g);
  const std::uint64_t number = workspace->next_product();
  parallel_for(blocks * strips, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      const std::int64_t i = chunk / strips * rows, j = chunk % strips * strip;
      if (i >= g.m) break;
      const Call<T> t = g.tile(i, std::min(rows, g.m - i), j, std::min(strip, g.n - j));
      typename Workspace<T>::Place& place = workspace->mine();
      T* const panels = place.scratch.data();
      if (place.lacks(number, i)) {
        for (std::int64_t r = 0; r < t.m; r += width)
          small::pack(std::min(width, t.m - r), t.k, t.a + r * t.a_row, t.a_row, panels + r * t.k);
      }
      small::turned(small::Product<T>{t.n, t.m, t.k, t.b, t.ldb, 1, nullptr, 0, true, t.c, t.ldc,
                                      t.accumulate, t.bias, t.relu},
                    panels);
      activate(t);
    }
  });
}

template <class T>
void run_blocked(const Call<T>& g) {
  const Grid grid = blocked_grid(g);
  const std::int64_t down = (g.m + grid.rows - 1) / grid.rows,
                     across = (g.n + grid.columns - 1) / grid.columns;
  const std::int64_t rows_elements = g.a_transposed ? small::rows_elements<T>(g.k) : 0;
  Workspace<T>* const workspace = Workspace<T>::prepare(
      across * down, rows_elements + small::panel_elements<T>(std::min(grid.columns, g.n), g.k));
  if (!workspace) return run_without_memory(g);
  const std::uint64_t number = workspace->next_product();
  parallel_for(across * down, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      const std::int64_t i = chunk % down * grid.rows, j = chunk / down * grid.columns;
      const Call<T> t = g.tile(i, std::min(grid.rows, g.m - i), j, std::min(grid.columns, g.n - j));
      typename Workspace<T>::Place& place = workspace->mine();
      T* const panels = place.scratch.data() + rows_elements;
      if (place.lacks(number, j)) small::pack_panels(t, panels);
      small::blocked(t, panels, place.scratch.data());
      activate(t);
    }
  });
}

template <class T>
[[gnu::noinline]] void run_in_tiles(const Call<T>& g, Kernel kernel) {
  const Grid grid = is_library(kernel) ? library_grid(g) : own_grid(g);
  const std::int64_t across = (g.n + grid.columns - 1) / grid.columns;
  const std::int64_t down = (g.m + grid.rows - 1) / grid.rows;
  parallel_for(across * down, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t i = t / across * grid.rows, j = t % across * grid.columns;
      compute(g.tile(i, std::min(grid.rows, g.m - i), j, std::min(grid.columns, g.n - j)), kernel);
    }
  });
}

template <class T>
void run(const Call<T>& g, Kernel kernel) {
  if (kernel == Kernel::turned) return run_turned(g);
  if (kernel == Kernel::blocked) return run_blocked(g);
  if (!is_library(kernel) && g.m * g.n * g.k <= own_strip_work / 4) return compute(g, kernel);
  run_in_tiles(g, kernel);
}

// ---- the whole product

// A single row or column may carry any leading dimension and be called transposed or not: one form of each.
template <class T>
void normalise(Call<T>& g) {
  if (g.m == 1 && g.a_transposed && g.a_col == 1) g.a_transposed = false;
  if (g.n == 1 && !g.b_transposed && g.ldb == 1) g.b_transposed = true;
  if (g.a_transposed) {
    if (g.k == 1) g.a_col = g.m;
  } else if (g.m == 1) {
    g.a_row = g.k;
  }
  if ((g.b_transposed ? g.n : g.k) == 1) g.ldb = g.b_transposed ? g.k : g.n;
  if (g.m == 1) g.ldc = g.n;
}

template <class T>
void multiply_by_nothing(const Call<T>& g) {
  if (!g.accumulate) {
    for (std::int64_t i = 0; i < g.m; ++i) std::fill_n(g.c + i * g.ldc, g.n, T(0));
  }
  finish(g, g.activation, g.bias);
}

// A few multiplications, done before a vector kernel would have been chosen.
constexpr std::int64_t tiny_work = 32;

// c = a bᵀ for columns a and b of m and N elements; b stays in registers.
template <int N, class T>
void multiply_vectors(std::int64_t m, const T* a, std::int64_t a_row, const T* b, std::int64_t b_col, T* c,
                      std::int64_t ldc) {
  T y[N];
  for (int j = 0; j < N; ++j) y[j] = b[j * b_col];
  for (; m > 0; --m, a += a_row, c += ldc)
    for (int j = 0; j < N; ++j) c[j] = *a * y[j];
}

// The same for a b of n elements.
template <class T>
void multiply_vectors(std::int64_t m, std::int64_t n, const T* a, std::int64_t a_row, const T* b,
                      std::int64_t b_col, T* c, std::int64_t ldc) {
  if (n == 1) return multiply_vectors<1>(m, a, a_row, b, b_col, c, ldc);
  if (n == 2) return multiply_vectors<2>(m, a, a_row, b, b_col, c, ldc);
  if (n == 3) return multiply_vectors<3>(m, a, a_row, b, b_col, c, ldc);
  using P = simd::Pack<T, 4>;
  for (; m > 0; --m, a += a_row, c += ldc) {
    const T x = *a;
    std::int64_t j = 0;
    if (b_col == 1)
      for (; j + P::width <= n; j += P::width) (P(x) * P::load(b + j)).store(c + j);
    for (; j < n; ++j) {
      c[j] = x * b[j * b_col];
      XGRAD_GEMM_SCALAR;
    }
  }
}

// Sums of K products each, where K is not 0: of two, a loop over them would take longer than they do.
template <int K, class T>
void multiply_sums(const Call<T>& g) {
  const std::int64_t a_row = g.a_row, a_col = g.a_col;
  const std::int64_t b_row = g.b_transposed ? 1 : g.ldb, b_col = g.b_transposed ? g.ldb : 1;
  // Without a bias, and without relu, these leave a sum what it is, and a zero its sign.
  static constexpr T nothing = T(-0.0);
  const T least = g.relu ? T(0) : -std::numeric_limits<T>::infinity();
  const T* const bias = g.bias ? g.bias : &nothing;
  const std::int64_t bias_step = g.bias ? 1 : 0;
  const T* a = g.a;
  T* c = g.c;
  for (std::int64_t i = 0; i < g.m; ++i, a += a_row, c += g.ldc) {
    const T *b = g.b, *d = bias;
    for (std::int64_t j = 0; j < g.n; ++j, b += b_col, d += bias_step) {
      T sum = *a * *b;
      const T *ap = a + a_col, *bp = b + b_row;
      for (std::int64_t p = K != 0 ? K : g.k; p > 1; --p, ap += a_col, bp += b_row) {
        sum += *ap * *bp;
        XGRAD_GEMM_SCALAR;
      }
      if (g.accumulate) sum += c[j];
      sum += *d;
      c[j] = sum < least ? least : sum;
    }
  }
}

template <class T>
void multiply_tiny(const Call<T>& g) {
  if (g.k == 1 && !g.accumulate && !g.bias && !g.relu)
    multiply_vectors(g.m, g.n, g.a, g.a_row, g.b, g.b_transposed ? g.ldb : 1, g.c, g.ldc);
  else if (g.k == 2)
    multiply_sums<2>(g);
  else
    multiply_sums<0>(g);
  activate(g);
}

template <class T>
void run_alone(const Call<T>& g) {
  const Kernel kernel = choose(g);
  if (kernel == Kernel::cblas) {
    const blas::OneBlasThread one;
    run(g, kernel);
  } else {
    run(g, kernel);
  }
}

// Kernels add up products in T, nearly one after the other: deeper ones than this would lose digits. They are
// cut into slices, products of their own, whose sums are added in double.
constexpr std::int64_t deep = 2048, slice_depth = 1024;

/// Whether there was memory for it.
template <class T>
bool run_in_slices(const Call<T>& g) {
  static thread_local Scratch<T> slice_memory;
  static thread_local Scratch<double> total_memory;
  const std::int64_t size = g.m * g.n;
  T* const slice = slice_memory.at_least(size);
  double* const total = total_memory.at_least(size);
  if (!slice || !total) return false;
  if (g.accumulate)
    map_rows([](auto c) { return c; }, g.m, g.n, out(total, 1, g.n), in(g.c, 1, g.ldc));
  else
    std::fill_n(total, size, 0.0);
  Call<T> part =
      make_call<T>(g.m, g.n, 0, g.a, g.lda(), g.a_transposed, g.b, g.ldb, g.b_transposed, slice, g.n, {});
  for (std::int64_t p = 0; p < g.k; p += slice_depth) {
    part.k = std::min(slice_depth, g.k - p);
    part.a = g.a + p * g.a_col;
    part.b = g.b + p * (g.b_transposed ? 1 : g.ldb);
    run_alone(part);
    parallel_for(size, 1 << 15, [=](std::int64_t begin, std::int64_t end) {
      map([](auto t, auto s) { return t + simd::cast<double>(s); }, end - begin, total + begin, total + begin,
          slice + begin);
    });
  }
  map_rows([](auto t) { return t; }, g.m, g.n, out(g.c, 1, g.ldc), in(total, 1, g.n));
  finish(g, g.activation, g.bias);
  return true;
}

template <class T>
void multiply(Call<T>& g) {
  const std::int64_t volume = g.m * g.n * g.k;
  if (volume <= tiny_work) {
    if (volume > 0) return multiply_tiny(g);
    if (g.m == 0 || g.n == 0) return;
    return multiply_by_nothing(g);
  }
  normalise(g);
  if (g.k <= deep || !run_in_slices(g)) run_alone(g);
}

template <class T>
void multiply_batch(std::int64_t batch, const BatchStrides& strides, const Call<T>& g) {
  const auto multiply_items = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Call<T> item = g;
      item.a += i * strides.a;
      item.b += i * strides.b;
      item.c += i * strides.c;
      multiply(item);
    }
  };
  constexpr std::int64_t chunk_work = 1 << 20;  // m * n * k: 10 µs and more
  const std::int64_t work = std::max<std::int64_t>(1, g.m * g.n * g.k);
  if (batch <= 0) return;
  if (batch == 1 || work >= 8 * chunk_work) {  // each is worth tiles of its own
    multiply_items(0, batch);
    return;
  }
  std::optional<blas::OneBlasThread> one;
  if (choose(g) == Kernel::cblas) one.emplace();
  parallel_for(batch, (chunk_work + work - 1) / work, multiply_items);
}

}  // namespace

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, bool transpose_a,
          const float* b, std::int64_t ldb, bool transpose_b, float* c, std::int64_t ldc,
          const GemmOptions<float>& options) {
  Call<float> g = make_call(m, n, k, a, lda, transpose_a, b, ldb, transpose_b, c, ldc, options);
  multiply(g);
}

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const double* a, std::int64_t lda, bool transpose_a,
          const double* b, std::int64_t ldb, bool transpose_b, double* c, std::int64_t ldc,
          const GemmOptions<double>& options) {
  Call<double> g = make_call(m, n, k, a, lda, transpose_a, b, ldb, transpose_b, c, ldc, options);
  multiply(g);
}

void gemm_batched(std::int64_t batch, const BatchStrides& strides, std::int64_t m, std::int64_t n,
                  std::int64_t k, const float* a, std::int64_t lda, bool transpose_a, const float* b,
                  std::int64_t ldb, bool transpose_b, float* c, std::int64_t ldc,
                  const GemmOptions<float>& options) {
  multiply_batch(batch, strides,
                 make_call(m, n, k, a, lda, transpose_a, b, ldb, transpose_b, c, ldc, options));
}

void gemm_batched(std::int64_t batch, const BatchStrides& strides, std::int64_t m, std::int64_t n,
                  std::int64_t k, const double* a, std::int64_t lda, bool transpose_a, const double* b,
                  std::int64_t ldb, bool transpose_b, double* c, std::int64_t ldc,
                  const GemmOptions<double>& options) {
  multiply_batch(batch, strides,
                 make_call(m, n, k, a, lda, transpose_a, b, ldb, transpose_b, c, ldc, options));
}

}  // namespace xgrad::inline v0::kernels
