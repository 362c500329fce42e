#include <xgrad/core/xtensor.hpp>
// The one above comes before any other header of xtensor.
#if __has_include(<xtensor/misc/xmanipulation.hpp>)
#include <xtensor/generators/xbuilder.hpp>
#include <xtensor/misc/xmanipulation.hpp>
#include <xtensor/misc/xpad.hpp>
#include <xtensor/views/xstrided_view.hpp>
#else
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xpad.hpp>
#include <xtensor/xstrided_view.hpp>
#endif

#include <fmt/core.h>

#include <algorithm>

#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/position.hpp>
#include <xgrad/ops/reference.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::at;
using detail::generate;
using detail::require_defined;
using detail::require_fits;
using detail::require_rank;

std::size_t unsigned_(std::int64_t n) { return static_cast<std::size_t>(n); }

/// x with its elements in groups of (outer, n, inner), summed over the middle.
Tensor sum_middle(const Tensor& x, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  return sum_to(x.reshape({outer, n, inner}), {outer, 1, inner});
}

/// The elements in reverse order along the axes of `mask`.   dx = dy flipped
struct Flip {
  static constexpr std::string_view name = "flip";
  static std::vector<Sample> samples() {
    return {sample(Flip{0b1}, {4}),
            sample(Flip{0b101}, {2, 3, 2}),
            sample(Flip{0b10}, {2, 1}),
            sample(Flip{0}, {}),
            sample(Flip{0b1}, {0, 2}),
            sample(Flip{0b1}, {1}),
            sample(Flip{0b110}, {2, 3, 2, 2}),
            sample(Flip{0b11}, {331, 257}).large()};
  }
  Array reference(const Array& x) const {
    return generate(x.shape(), [&](const Shape& i) {
      Shape from = i;
      for (int k = 0; k < i.rank(); ++k)
        if (mask >> k & 1) from[k] = x.size(k) - 1 - i[k];
      return at(x, from);
    });
  }

  Array forward(const Array& x) const {
    return xt_forward(name, x, x.shape(), [&](const auto& a) {
      using xt::placeholders::_;
      xt::xstrided_slice_vector all;
      for (int k = 0; k < x.rank(); ++k)
        if (mask >> k & 1)
          all.push_back(xt::range(_, _, -1));
        else
          all.push_back(xt::all());
      return xt::strided_view(a, all);
    });
  }
  Tensor vjp(const Tensor& dy) const { return record(*this, dy); }

  unsigned mask = 0;
};

/// Each element moved `shift` places along `axis`, around the end.   dx = dy rolled back
struct Roll {
  static constexpr std::string_view name = "roll";
  static std::vector<Sample> samples() {
    return {sample(Roll{2, 0}, {5}),
            sample(Roll{-1, 1}, {2, 3, 2}),
            sample(Roll{7, 0}, {3, 2}),
            sample(Roll{-8, 2}, {2, 1, 3}),
            sample(Roll{3, 1}, {2, 1}),
            sample(Roll{2, 1}, {2, 0}),
            sample(Roll{2, 0}, {1}),
            sample(Roll{2, 1}, {2, 3, 2, 2}),
            sample(Roll{2, 0}, {331, 257}).large()};
  }
  Array reference(const Array& x) const {
    return generate(x.shape(), [&](const Shape& i) {
      const std::int64_t n = x.size(axis);
      Shape from = i;
      from[axis] = (((i[axis] - shift) % n) + n) % n;
      return at(x, from);
    });
  }

  Array forward(const Array& x) const {
    return xt_forward(name, x, x.shape(),
                      [&](const auto& a) { return xt::roll(a, shift % x.size(axis), axis); });
  }
  Tensor vjp(const Tensor& dy) const { return record(Roll{-shift, axis}, dy); }

  std::int64_t shift = 0;
  int axis = 0;
};

/// x with `value` around it.   dx = the middle of dy
struct Pad {
  static constexpr std::string_view name = "pad";
  static std::vector<Sample> samples() {
    return {sample(Pad{{1}, {2}, 0.5}, {3}),
            sample(Pad{{0, 2, 1}, {1, 0, 0}, 0}, {2, 3, 2}),
            sample(Pad{{1, 0}, {1, 1}, 0}, {0, 2}),
            sample(Pad{{}, {}, 0}, {}),
            sample(Pad{{1}, {0}, 2}, {1}),
            sample(Pad{{0, 0, 1, 1}, {0, 1, 1, 2}, 0}, {2, 1, 3, 2}),
            sample(Pad{{1, 1}, {0, 2}, 0}, {331, 257}).large()};
  }
  Array reference(const Array& x) const {
    return generate(result_shape(x.shape()), [&](const Shape& i) {
      Shape from = i;
      for (int k = 0; k < i.rank(); ++k) {
        from[k] -= before[k];
        if (from[k] < 0 || from[k] >= x.size(k)) return value.to<double>();
      }
      return at(x, from);
    });
  }

  Array forward(const Array& x) const {
    const Shape shape = result_shape(x.shape());
    if (x.numel() == 0) return Array::full(shape, value, x.dtype());
    std::vector<std::vector<std::size_t>> widths;
    for (int k = 0; k < x.rank(); ++k) widths.push_back({unsigned_(before[k]), unsigned_(after[k])});
    return xt_forward(name, x, shape, [&]<class E>(const E& a) {
      using T = typename E::value_type;
      return xt::pad(a, widths, xt::pad_mode::constant, value.to<T>());
    });
  }
  Tensor vjp(const Tensor& dy, Skip x) const {
    Tensor dx = dy;
    for (int k = 0; k < x.shape.rank(); ++k)
      if (before[k] + after[k] > 0) dx = slice(dx, k, before[k], before[k] + x.shape[k]);
    return dx;
  }

  Shape result_shape(const Shape& x) const {
    Shape shape = x;
    for (int k = 0; k < x.rank(); ++k) shape[k] += before[k] + after[k];
    return shape;
  }

  Shape before, after;
  Scalar value;
};

/// Each element `repeats` times in a row along `axis`.   dx = dy summed over the copies
struct Repeat {
  static constexpr std::string_view name = "repeat";
  static std::vector<Sample> samples() {
    return {sample(Repeat{2, 0}, {3}),          sample(Repeat{3, 1}, {2, 3, 2}),
            sample(Repeat{2, 1}, {2, 1}),       sample(Repeat{0, 0}, {2, 2}),
            sample(Repeat{2, 0}, {0, 2}),       sample(Repeat{2, 0}, {1}),
            sample(Repeat{2, 1}, {2, 3, 2, 2}), sample(Repeat{3, 1}, {331, 257}).large()};
  }
  Array reference(const Array& x) const {
    return generate(result_shape(x.shape()), [&](const Shape& i) {
      Shape from = i;
      from[axis] /= repeats;
      return at(x, from);
    });
  }

  Array forward(const Array& x) const {
    return xt_forward(name, x, result_shape(x.shape()), [&](const auto& a) {
      return xt::repeat(a, unsigned_(repeats), static_cast<std::size_t>(axis));
    });
  }
  Tensor vjp(const Tensor& dy, Skip x) const {
    std::int64_t outer = 1, inner = 1;
    for (int k = 0; k < x.shape.rank(); ++k) (k <= axis ? outer : inner) *= x.shape[k];
    return sum_middle(dy, outer, repeats, inner).reshape(x.shape);
  }

  Shape result_shape(const Shape& x) const {
    Shape shape;
    for (int k = 0; k < x.rank(); ++k) shape.push_back(x[k] * (k == axis ? repeats : 1));
    return shape;
  }

  std::int64_t repeats = 1;
  int axis = 0;
};

/// x beside itself reps[i] times along axis i.   dx = dy summed over the copies
struct Tile {
  static constexpr std::string_view name = "tile";
  static std::vector<Sample> samples() {
    return {sample(Tile{{2}}, {3}),
            sample(Tile{{2, 1, 3}}, {2, 1, 2}),
            sample(Tile{{2, 2}}, {3}),
            sample(Tile{{2}}, {2, 3}),
            sample(Tile{{0, 2}}, {2, 2}),
            sample(Tile{{}}, {2}),
            sample(Tile{{2}}, {}),
            sample(Tile{{2}}, {1}),
            sample(Tile{{2, 1}}, {2, 0}),
            sample(Tile{{2, 1}}, {2, 3, 2, 2}),
            sample(Tile{{2, 2}}, {331, 257}).large()};
  }
  Array reference(const Array& x) const {
    return generate(result_shape(x.shape()), [&](const Shape& i) {
      Shape from;
      for (int k = 0; k < x.rank(); ++k) from.push_back(i[i.rank() - x.rank() + k] % x.size(k));
      return at(x, from);
    });
  }

  Array forward(const Array& x) const {
    const int rank = std::max(x.rank(), reps.rank());
    const Shape counts = with_ones_in_front(reps, rank);
    return xt_forward(
        name, x.reshape(with_ones_in_front(x.shape(), rank)), result_shape(x.shape()),
        [&](const auto& a) { return xt::tile(a, std::vector<std::size_t>(counts.begin(), counts.end())); });
  }
  Tensor vjp(const Tensor& dy, Skip x) const {
    const int rank = std::max(x.shape.rank(), reps.rank());
    const Shape sizes = with_ones_in_front(x.shape, rank), counts = with_ones_in_front(reps, rank);
    Shape shape = dy.shape();
    Tensor dx = dy;
    for (int k = 0; k < rank; ++k) {
      if (counts[k] == 1) continue;
      std::int64_t outer = 1, inner = sizes[k];
      for (int i = 0; i < k; ++i) outer *= shape[i];
      for (int i = k + 1; i < rank; ++i) inner *= shape[i];
      dx = sum_middle(dx, outer, counts[k], inner);
      shape[k] = sizes[k];
    }
    return dx.reshape(x.shape);
  }

  static Shape with_ones_in_front(const Shape& s, int rank) {
    Shape out = Shape::filled(rank - s.rank(), 1);
    for (const std::int64_t n : s) out.push_back(n);
    return out;
  }
  Shape result_shape(const Shape& x) const {
    const int rank = std::max(x.rank(), reps.rank());
    Shape shape = with_ones_in_front(x, rank);
    const Shape counts = with_ones_in_front(reps, rank);
    for (int k = 0; k < rank; ++k) shape[k] *= counts[k];
    return shape;
  }

  Shape reps;
};

/// 1 where the last axis names the class, else 0.
struct OneHot {
  static constexpr std::string_view name = "one_hot";
  static constexpr bool differentiable = false;  // its input is of integers
  static std::vector<Sample> samples() {
    return {sample(OneHot{4, DType::float64}, {3}).integers(0, 0, 4),
            sample(OneHot{2, DType::float64}, {2, 3}).integers(0, 0, 2),
            sample(OneHot{3, DType::float64}, {}).integers(0, 0, 3),
            sample(OneHot{3, DType::float64}, {1}).integers(0, 0, 3),
            sample(OneHot{3, DType::float64}, {0}).integers(0, 0, 3)};
  }
  Array reference(const Array& index) const {
    Shape shape = index.shape();
    shape.push_back(classes);
    return generate(shape, [&](const Shape& i) {
      Shape own = i;
      own.erase(i.rank() - 1);
      return at(index, own) == static_cast<double>(i.back()) ? 1.0 : 0.0;
    });
  }

  Array forward(const Array& index) const {
    const Array x = detail::integer_index(name, index);
    Shape shape = x.shape();
    shape.push_back(classes);
    for (const std::int64_t i : x.to_vector<std::int64_t>())
      if (i < 0 || i >= classes)
        throw IndexError(name,
                         fmt::format("index {} in shape {} is no class: indices lie in [0, {}]: correct "
                                     "it, or ask for more classes",
                                     i, x.shape().str(), classes - 1));
    if (shape.numel() == 0) return Array::empty(shape, dtype);
    const auto a = adapt<std::int64_t>(x);
    return dispatch(dtype, [&]<class T>() {
      return xt_array<T>(name, shape,
                         xt::cast<T>(xt::equal(xt::expand_dims(a, unsigned_(x.rank())),
                                               xt::arange<std::int64_t>(0, classes))));
    });
  }

  std::int64_t classes = 1;
  DType dtype = DType::float32;
};

/// Where element i of an axis of size n comes from when it is padded: i may lie outside.
std::int64_t padded_from(PadMode mode, std::int64_t i, std::int64_t n) {
  const auto around = [](std::int64_t k, std::int64_t period) { return ((k % period) + period) % period; };
  if (mode == PadMode::edge || n == 1) return std::clamp<std::int64_t>(i, 0, n - 1);
  if (mode == PadMode::wrap) return around(i, n);
  if (mode == PadMode::reflect) {
    const std::int64_t k = around(i, 2 * n - 2);
    return k < n ? k : 2 * n - 2 - k;
  }
  const std::int64_t k = around(i, 2 * n);
  return k < n ? k : 2 * n - 1 - k;
}

/// x at `positions` of one axis.
Tensor pick(const Tensor& x, int axis, const std::vector<std::int64_t>& positions) {
  std::vector<Index> indices(unsigned_(axis), Index(slice()));
  indices.emplace_back(
      Tensor(Array::from<std::int64_t>(positions, {static_cast<std::int64_t>(positions.size())})));
  return index(x, indices);
}

/// Padding other than by a constant is composed of ops, so it tells the generic tests of itself.
[[maybe_unused]] const bool pad_registered = register_function(
    "pad_reflect",
    [] {
      return std::vector<Sample>{sample({2, 3})};
    },
    [](std::span<const Tensor> in) {
      return pad(in[0], {{0, 0}, {2, 1}}, {.mode = PadMode::reflect});
    },
    [](const void*, std::span<const Array> in) {
      const Array from = Array::from<std::int64_t>(std::vector<std::int64_t>{2, 1, 0, 1, 2, 1}, {6});
      return std::vector<Array>{generate({2, 6}, [&](const Shape& i) {
        return at(in[0], {i[0], static_cast<std::int64_t>(at(from, {i[1]}))});
      })};
    });

/// The most elements that anything here adds along an axis: sums of a few such numbers do not overflow.
constexpr std::int64_t max_size = std::int64_t{1} << 59;

[[noreturn]] void throw_too_large(std::string_view op, const Shape& shape) {
  throw ShapeError(
      op, fmt::format("shape {} would get more elements than memory can hold: ask for fewer", shape.str()));
}

/// Throws unless x of `shape` can be had so many times along each axis.
void require_counts(std::string_view op, const Shape& shape, const Shape& counts) {
  for (const std::int64_t n : counts) {
    if (n < 0)
      throw ValueError(op,
                       fmt::format("{} copies of shape {}: give numbers that are 0 or more", n, shape.str()));
  }
  double elements = 1;
  for (const std::int64_t n : shape) elements *= static_cast<double>(std::max<std::int64_t>(n, 1));
  for (const std::int64_t n : counts) elements *= static_cast<double>(std::max<std::int64_t>(n, 1));
  if (elements >= static_cast<double>(max_size)) throw_too_large(op, shape);
}

}  // namespace

Tensor flip(const Tensor& x, const Axes& axes) {
  require_defined(Flip::name, x);
  return record(Flip{axes.mask(Flip::name, x.shape())}, x);
}

Tensor roll(const Tensor& x, std::int64_t shift, std::optional<std::int64_t> axis) {
  require_defined(Roll::name, x);
  if (!axis) return roll(x.reshape({-1}), shift, 0).reshape(x.shape());
  return record(Roll{shift, normalize_axis(Roll::name, *axis, x.shape())}, x);
}

Tensor roll(const Tensor& x, const std::vector<std::int64_t>& shifts, const std::vector<std::int64_t>& axes) {
  require_defined(Roll::name, x);
  if (shifts.size() != axes.size())
    throw ValueError(Roll::name,
                     fmt::format("{} shifts along {} axes of shape {}: give one shift for each axis",
                                 shifts.size(), axes.size(), x.shape().str()));
  for (const std::int64_t axis : axes) normalize_axis(Roll::name, axis, x.shape());
  Tensor y = x;
  for (std::size_t k = 0; k < axes.size(); ++k) y = roll(y, shifts[k], axes[k]);
  return y;
}

Tensor pad(const Tensor& x, const std::vector<PadWidth>& widths, const PadOptions& options) {
  require_defined(Pad::name, x);
  require_fits(Pad::name, options.value, x.dtype());
  const auto given = static_cast<int>(widths.size());
  if (given != 1 && given != x.rank())
    throw ShapeError(Pad::name,
                     fmt::format("{} pairs of widths for shape {}: give one for each of its {} axes, or "
                                 "one for all",
                                 given, x.shape().str(), x.rank()));
  Pad op{{}, {}, options.value};
  for (int k = 0; k < x.rank(); ++k) {
    const auto [before, after] = widths[given == 1 ? 0 : unsigned_(k)];
    if (before < 0 || after < 0)
      throw ValueError(Pad::name,
                       fmt::format("widths {} and {} at axis {}: give numbers that are 0 or more, and use "
                                   "slice to cut",
                                   before, after, k));
    if (options.mode != PadMode::constant && x.shape()[k] == 0 && before + after > 0)
      throw ValueError(Pad::name,
                       fmt::format("axis {} of shape {} has no elements to repeat: use PadMode::constant", k,
                                   x.shape().str()));
    if (before > max_size || after > max_size) throw_too_large(Pad::name, x.shape());
    op.before.push_back(before);
    op.after.push_back(after);
  }
  check_shape(Pad::name, op.result_shape(x.shape()));
  if (options.mode == PadMode::constant) return record(op, x);
  Tensor y = x;
  for (int k = 0; k < x.rank(); ++k) {
    std::vector<std::int64_t> positions;
    for (std::int64_t i = -op.before[k]; i < x.shape()[k] + op.after[k]; ++i)
      positions.push_back(padded_from(options.mode, i, x.shape()[k]));
    if (op.before[k] + op.after[k] > 0) y = pick(y, k, positions);
  }
  return y;
}

Tensor pad(const Tensor& x, std::int64_t width, const PadOptions& options) {
  return pad(x, std::vector<PadWidth>{{width, width}}, options);
}

Tensor repeat(const Tensor& x, std::int64_t repeats, std::optional<std::int64_t> axis) {
  require_defined(Repeat::name, x);
  require_counts(Repeat::name, x.shape(), {repeats});
  if (!axis) return repeat(x.reshape({-1}), repeats, 0);
  return record(Repeat{repeats, normalize_axis(Repeat::name, *axis, x.shape())}, x);
}

Tensor repeat(const Tensor& x, const Tensor& counts, std::int64_t axis) {
  require_defined(Repeat::name, x, counts);
  const int k = normalize_axis(Repeat::name, axis, x.shape());
  const std::vector<std::int64_t> each =
      detail::integer_index(Repeat::name, counts.array()).to_vector<std::int64_t>();
  if (counts.shape() != Shape{x.shape()[k]})
    throw ShapeError(Repeat::name, fmt::format("counts of shape {} for axis {} of shape {}: give {} counts",
                                               counts.shape().str(), k, x.shape().str(), x.shape()[k]));
  std::vector<std::int64_t> positions;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < each.size(); ++i) {
    require_counts(Repeat::name, x.shape(), {each[i]});
    if ((total += each[i]) > max_size) throw_too_large(Repeat::name, x.shape());
    positions.insert(positions.end(), unsigned_(each[i]), static_cast<std::int64_t>(i));
  }
  return pick(x, k, positions);
}

Tensor tile(const Tensor& x, const Shape& reps) {
  require_defined(Tile::name, x);
  require_counts(Tile::name, x.shape(), reps);
  return record(Tile{reps}, x);
}

Tensor one_hot(const Tensor& index, std::optional<std::int64_t> classes, OneHotOptions options) {
  require_defined(OneHot::name, index);
  require_rank(OneHot::name, index.shape(), index.rank() + 1);
  const Array indices = detail::integer_index(OneHot::name, index.array());
  if (!classes) {
    std::int64_t largest = -1;
    for (const std::int64_t i : indices.to_vector<std::int64_t>()) largest = std::max(largest, i);
    // A negative index is for the op to refuse, by its number.
    classes = std::max<std::int64_t>(std::min(largest, max_size) + 1, index.numel() > 0 ? 1 : 0);
  }
  if (*classes < 0 || (*classes == 0 && index.numel() > 0))
    throw ValueError(OneHot::name, fmt::format("{} classes for an index of shape {}: give at least 1",
                                               *classes, index.shape().str()));
  require_counts(OneHot::name, index.shape(), {*classes});
  return record(OneHot{*classes, options.dtype.value_or(default_dtype())}, index);
}

}  // namespace xgrad::inline v0
