#include <xgrad/core/xtensor.hpp>
// The one above comes before any other header of xtensor.
#if __has_include(<xtensor/misc/xmanipulation.hpp>)
#include <xtensor/generators/xbuilder.hpp>
#include <xtensor/misc/xmanipulation.hpp>
#else
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmanipulation.hpp>
#endif

#include <fmt/core.h>

#include <algorithm>

#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/reference.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::at;
using detail::generate;
using detail::require_defined;

/// The square matrix with x on diagonal k.   dx = diagonal k of dy
struct DiagonalMatrix {
  static constexpr std::string_view name = "diag";
  static std::vector<Sample> samples() {
    return {sample(DiagonalMatrix{0}, {3}), sample(DiagonalMatrix{2}, {2}), sample(DiagonalMatrix{-1}, {3}),
            sample(DiagonalMatrix{0}, {1}), sample(DiagonalMatrix{1}, {0})};
  }
  Array reference(const Array& x) const {
    const std::int64_t n = x.numel() + std::abs(k);
    return generate({n, n},
                    [&](const Shape& i) { return i[1] - i[0] == k ? at(x, {std::min(i[0], i[1])}) : 0.0; });
  }

  Array forward(const Array& x) const {
    const std::int64_t n = x.numel() + std::abs(k);
    if (x.numel() == 0) return Array::full({n, n}, 0, x.dtype());
    return xt_forward(name, x, {n, n}, [&](const auto& a) { return xt::diag(a, static_cast<int>(k)); });
  }
  Tensor vjp(const Tensor& dy) const { return diag(dy, k); }

  std::int64_t k = 0;
};

/// Diagonal k of a matrix.   dx = dy on that diagonal, zeros elsewhere
struct Diagonal {
  static constexpr std::string_view name = "diagonal";
  static std::vector<Sample> samples() {
    return {sample(Diagonal{0}, {3, 3}), sample(Diagonal{1}, {2, 5}), sample(Diagonal{-1}, {4, 2}),
            sample(Diagonal{3}, {2, 5}), sample(Diagonal{4}, {2, 3}), sample(Diagonal{0}, {1, 1}),
            sample(Diagonal{0}, {0, 2})};
  }
  Array reference(const Array& x) const {
    std::vector<double> values;
    detail::for_each_index(x.shape(), [&](const Shape& i) {
      if (i[1] - i[0] == k) values.push_back(at(x, i));
    });
    return Array::from<double>(values, {static_cast<std::int64_t>(values.size())});
  }

  Array forward(const Array& x) const {
    const std::int64_t rows = x.size(0) + std::min<std::int64_t>(k, 0);
    const std::int64_t cols = x.size(1) - std::max<std::int64_t>(k, 0);
    return xt_forward(name, x, {std::max<std::int64_t>(0, std::min(rows, cols))},
                      [&](const auto& a) { return xt::diagonal(a, static_cast<int>(k)); });
  }
  Tensor vjp(const Tensor& dy, Skip x) const {
    // The square matrix may be larger than x on one side and smaller on the other.
    const Tensor square = diag(dy, k);
    const std::int64_t n = square.size(0);
    const std::int64_t rows = std::min(n, x.shape[0]), cols = std::min(n, x.shape[1]);
    return pad(slice(slice(square, 0, 0, rows), 1, 0, cols),
               {{0, x.shape[0] - rows}, {0, x.shape[1] - cols}});
  }

  std::int64_t k = 0;
};

/// x (…, m, n) with zeros above (lower) or below diagonal k.   dx = the same of dy
template <bool lower>
struct Triangle {
  static constexpr std::string_view name = lower ? "tril" : "triu";
  static std::vector<Sample> samples() {
    return {sample(Triangle{0}, {3, 3}),
            sample(Triangle{1}, {2, 4, 3}),
            sample(Triangle{-2}, {4, 2}),
            sample(Triangle{0}, {1, 2}),
            sample(Triangle{5}, {2, 2}),
            sample(Triangle{0}, {1, 1}),
            sample(Triangle{0}, {0, 2}),
            sample(Triangle{0}, {2, 3, 2, 2}),
            sample(Triangle{3}, {331, 257}).large()};
  }
  Array reference(const Array& x) const {
    return generate(x.shape(), [&](const Shape& i) {
      const std::int64_t diagonal = i[i.rank() - 1] - i[i.rank() - 2];
      return (lower ? diagonal <= k : diagonal >= k) ? at(x, i) : 0.0;
    });
  }

  Array forward(const Array& x) const {
    if (x.rank() < 2)
      throw ShapeError(name,
                       fmt::format("shape {} has no matrix in its last two axes: reshape it to rank 2 or "
                                   "more",
                                   x.shape().str()));
    return xt_forward(name, x, x.shape(), [&]<class E>(const E& a) {
      using T = typename E::value_type;
      const auto rows = [&] { return xt::expand_dims(xt::arange<std::int64_t>(0, x.size(-2)), 1) + k; };
      const auto cols = [&] { return xt::arange<std::int64_t>(0, x.size(-1)); };
      if constexpr (lower)
        return xt::where(xt::greater_equal(rows(), cols()), a, T(0));
      else
        return xt::where(xt::less_equal(rows(), cols()), a, T(0));
    });
  }
  Tensor vjp(const Tensor& dy) const { return record(*this, dy); }

  std::int64_t k = 0;
};

/// Diagonal `k` of shape's last two axes, brought within one of the ends: beyond them all k are alike.
std::int64_t limited_diagonal(const Shape& shape, std::int64_t k) {
  if (shape.rank() < 2) return k;  // refused by the op
  const std::int64_t rows = shape[shape.rank() - 2], cols = shape.back();
  return std::clamp(k, -rows - 1, cols + 1);
}

}  // namespace

Tensor diag(const Tensor& x, std::int64_t k) {
  require_defined(DiagonalMatrix::name, x);
  if (x.rank() == 1) {
    // Of such a size: also that xtensor, which takes k as an int, sees it whole.
    constexpr std::int64_t most = std::int64_t{1} << 29;
    if (k < -most || k > most)
      throw ShapeError(
          DiagonalMatrix::name,
          fmt::format("shape {} would get more elements than memory can hold on diagonal {}: give a k "
                      "nearer to 0",
                      x.shape().str(), k));
    const std::int64_t n = x.numel() + std::abs(k);
    check_shape(DiagonalMatrix::name, {n, n});
    return record(DiagonalMatrix{k}, x);
  }
  if (x.rank() == 2) return record(Diagonal{limited_diagonal(x.shape(), k)}, x);
  throw ShapeError(
      DiagonalMatrix::name,
      fmt::format("shape {} is neither a vector nor a matrix: reshape it to rank 1 or 2", x.shape().str()));
}

Tensor tril(const Tensor& x, std::int64_t k) {
  require_defined(Triangle<true>::name, x);
  return record(Triangle<true>{limited_diagonal(x.shape(), k)}, x);
}
Tensor triu(const Tensor& x, std::int64_t k) {
  require_defined(Triangle<false>::name, x);
  return record(Triangle<false>{limited_diagonal(x.shape(), k)}, x);
}

}  // namespace xgrad::inline v0
