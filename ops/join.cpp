#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/reference.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::at;
using detail::generate;

/// The part [start, stop) of x along `axis`: a view.
Array part(const Array& x, int axis, std::int64_t start, std::int64_t stop) {
  return x.slice(axis, start, stop - start);
}

/// Zeros that take no memory.
Tensor no_cotangent(const Shape& shape, DType t) { return Tensor(Array::scalar(0, t).broadcast_to(shape)); }

/// x₀, x₁, … one after the other along `axis`.   dxᵢ = its part of dy
struct Concat {
  static constexpr std::string_view name = "concat";
  static std::vector<Sample> samples() {
    return {sample_list(Concat{0}, {{2, 3}, {1, 3}}),
            sample_list(Concat{1}, {{2, 3}, {2, 1}, {2, 4}}),
            sample_list(Concat{-1}, {{3}}),
            sample_list(Concat{0}, {{0, 2}, {2, 2}}),
            sample_list(Concat{0}, {{1}, {1}}),
            sample_list(Concat{1}, {{2, 3, 2, 2}, {2, 1, 2, 2}}),
            sample_list(Concat{1}, {{331, 257}, {331, 3}}).large()};
  }
  Array reference(std::span<const Array> xs) const {
    const int k = normalize_axis(name, axis, xs[0].shape());
    return generate(result_shape(xs, k), [&](const Shape& index) {
      std::int64_t along = index[k];
      std::size_t which = 0;
      while (along >= xs[which].size(k)) along -= xs[which++].size(k);
      Shape from = index;
      from[k] = along;
      return at(xs[which], from);
    });
  }

  Array forward(std::span<const Array> xs) const {
    const int k = normalize_axis(name, axis, xs[0].shape());
    const Shape shape = result_shape(xs, k);
    DType t = xs[0].dtype();
    for (const Array& x : xs) t = promote(t, x.dtype());
    Array y =
        xs[0].is_contiguous() || !xs[0].is_dense() ? Array::empty(shape, t) : ordered_like(xs[0], shape, t);
    std::int64_t start = 0;
    for (const Array& x : xs) {
      part(y, k, start, start + x.size(k)).copy_in(x);
      start += x.size(k);
    }
    return y;
  }
  std::vector<Tensor> vjp(const Tensor& dy, std::span<const Skip> xs, Needs needs) const;

  /// An array whose axes lie in memory in the same order as those of `like`, so that joining channels-last
  /// arrays gives a channels-last one.
  static Array ordered_like(const Array& like, const Shape& shape, DType t) {
    Shape order;
    for (int i = 0; i < shape.rank(); ++i) order.push_back(i);
    const Shape strides = like.strides();
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return std::abs(strides[static_cast<int>(a)]) > std::abs(strides[static_cast<int>(b)]);
    });
    Shape sorted, inverse = order;
    for (int i = 0; i < order.rank(); ++i) {
      sorted.push_back(shape[static_cast<int>(order[i])]);
      inverse[static_cast<int>(order[i])] = i;
    }
    return Array::empty(sorted, t).permute(inverse);
  }

  static Shape result_shape(std::span<const Array> xs, int axis) {
    Shape shape = xs[0].shape();
    for (std::size_t k = 1; k < xs.size(); ++k) {
      const Shape& other = xs[k].shape();
      bool fits = other.rank() == shape.rank();
      for (int i = 0; fits && i < shape.rank(); ++i) fits = i == axis || other[i] == shape[i];
      if (!fits)
        throw ShapeError(name, fmt::format("shapes {} (input 0) and {} (input {}) differ beside axis {}: "
                                           "make all other sizes equal",
                                           xs[0].shape().str(), other.str(), k, axis));
      shape[axis] += other[axis];
    }
    return shape;
  }

  std::int64_t axis = 0;
};

/// The parts of x between consecutive `bounds` along `axis`, as views.   dx = the dys concatenated
struct Split {
  static constexpr std::string_view name = "split";
  static std::vector<Sample> samples() {
    return {sample(at_bounds(0, {0, 2, 4}), {4, 3}), sample(at_bounds(1, {0, 1, 1, 5}), {2, 5}),
            sample(at_bounds(1, {0, 1, 3}), {0, 3}), sample(at_bounds(0, {0, 1}), {1}),
            sample(at_bounds(1, {0, 1, 3}), {2, 3, 2, 2})};
  }
  static Split at_bounds(int axis, const std::vector<std::int64_t>& bounds) {
    return {axis, Array::from<std::int64_t>(bounds, {static_cast<std::int64_t>(bounds.size())})};
  }
  std::vector<Array> reference(const Array& x) const {
    std::vector<Array> ys;
    for (std::int64_t k = 0; k < parts(); ++k) {
      Shape shape = x.shape();
      shape[axis] = bound(k + 1) - bound(k);
      ys.push_back(generate(shape, [&](const Shape& index) {
        Shape i = index;
        i[axis] += bound(k);
        return at(x, i);
      }));
    }
    return ys;
  }

  std::vector<Array> forward(const Array& x) const {
    std::vector<Array> ys;
    ys.reserve(static_cast<std::size_t>(parts()));
    for (std::int64_t k = 0; k < parts(); ++k) ys.push_back(part(x, axis, bound(k), bound(k + 1)));
    return ys;
  }
  Tensor vjp(std::span<const Tensor> dys, Skip x) const {
    std::vector<Tensor> all(dys.begin(), dys.end());
    for (std::int64_t k = 0; k < parts(); ++k) {
      Shape shape = x.shape;
      shape[axis] = bound(k + 1) - bound(k);
      Tensor& dy = all[static_cast<std::size_t>(k)];
      if (!dy.defined()) dy = no_cotangent(shape, x.dtype);
    }
    return concat(all, axis);
  }

  std::int64_t parts() const { return bounds.numel() - 1; }
  std::int64_t bound(std::int64_t k) const { return bounds.data<std::int64_t>()[k]; }

  int axis;
  Array bounds;  // int64: 0, the cuts, the size
};

std::vector<Tensor> Concat::vjp(const Tensor& dy, std::span<const Skip> xs, Needs needs) const {
  const int k = normalize_axis(name, axis, dy.shape());
  std::vector<std::int64_t> bounds = {0};
  for (const Skip& x : xs) bounds.push_back(bounds.back() + x.shape[k]);
  std::vector<Tensor> dxs = record(Split::at_bounds(k, bounds), dy);
  for (std::size_t i = 0; i < dxs.size(); ++i)
    if (!needs[static_cast<int>(i)]) dxs[i] = Tensor();
  return dxs;
}

/// stack is composed of ops, so it tells the generic tests of itself.
[[maybe_unused]] const bool stack_registered = register_function(
    "stack",
    [] {
      return std::vector<Sample>{sample({2, 3}, {2, 3})};
    },
    [](std::span<const Tensor> xs) {
      return stack({xs.begin(), xs.end()}, 1);
    },
    [](const void*, std::span<const Array> xs) {
      return std::vector<Array>{generate({2, 2, 3}, [&](const Shape& i) {
        return at(xs[static_cast<std::size_t>(i[1])], {i[0], i[2]});
      })};
    });

std::vector<Tensor> split_at(const Tensor& x, int axis, const std::vector<std::int64_t>& bounds) {
  return record(Split::at_bounds(axis, bounds), x);
}

void require_inputs(std::string_view op, const std::vector<Tensor>& xs) {
  if (xs.empty()) throw ValueError(op, "the list is empty: give at least one tensor");
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (!xs[i].defined()) detail::throw_undefined_input(op, static_cast<int>(i));
}

}  // namespace

Tensor concat(const std::vector<Tensor>& xs, std::int64_t axis) {
  require_inputs("concat", xs);
  return record(Concat{axis}, std::span<const Tensor>(xs));
}

Tensor stack(const std::vector<Tensor>& xs, std::int64_t axis) {
  require_inputs("stack", xs);
  const int k = normalize_new_axis("stack", axis, xs[0].shape());
  detail::require_rank("stack", xs[0].shape(), xs[0].rank() + 1);
  std::vector<Tensor> wide;
  wide.reserve(xs.size());
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (xs[i].shape() != xs[0].shape())
      throw ShapeError("stack",
                       fmt::format("shapes {} (input 0) and {} (input {}) differ: give tensors of one "
                                   "shape",
                                   xs[0].shape().str(), xs[i].shape().str(), i));
    wide.push_back(unsqueeze(xs[i], k));
  }
  return concat(wide, k);
}

std::vector<Tensor> split(const Tensor& x, std::int64_t sections, std::int64_t axis) {
  detail::require_defined("split", x);
  const int k = normalize_axis("split", axis, x.shape());
  const std::int64_t size = x.shape()[k];
  if (sections < 1 || size % sections != 0)
    throw ShapeError("split",
                     fmt::format("shape {}: {} sections do not divide size {} of axis {}: use chunk, "
                                 "or give the cuts in braces",
                                 x.shape().str(), sections, size, k));
  std::vector<std::int64_t> bounds;
  for (std::int64_t i = 0; i <= sections; ++i) bounds.push_back(i * (size / sections));
  return split_at(x, k, bounds);
}

std::vector<Tensor> split(const Tensor& x, std::initializer_list<std::int64_t> cuts, std::int64_t axis) {
  return split(x, std::vector<std::int64_t>(cuts), axis);
}

std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& cuts, std::int64_t axis) {
  detail::require_defined("split", x);
  const int k = normalize_axis("split", axis, x.shape());
  const std::int64_t size = x.shape()[k];
  std::vector<std::int64_t> bounds = {0};
  for (const std::int64_t cut : cuts) {
    const std::int64_t b = cut < 0 ? cut + size : cut;
    if (b < 0 || b > size)
      throw IndexError("split", fmt::format("cut {} is outside axis {} of shape {}: give cuts in [-{}, {}]",
                                            cut, k, x.shape().str(), size, size));
    if (b < bounds.back())
      throw ValueError("split",
                       fmt::format("cut {} of axis {} of shape {} lies before the one in front of it: give "
                                   "ascending cuts",
                                   cut, k, x.shape().str()));
    bounds.push_back(b);
  }
  bounds.push_back(size);
  return split_at(x, k, bounds);
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, std::int64_t axis) {
  detail::require_defined("chunk", x);
  const int k = normalize_axis("chunk", axis, x.shape());
  if (chunks < 1)
    throw ValueError("chunk",
                     fmt::format("{} chunks of shape {}: ask for at least 1", chunks, x.shape().str()));
  const std::int64_t size = x.shape()[k];
  const std::int64_t length = std::max<std::int64_t>(1, (size - 1) / chunks + 1);
  std::vector<std::int64_t> bounds = {0};
  do {
    bounds.push_back(std::min(size, bounds.back() + length));
  } while (bounds.back() < size);
  return split_at(x, k, bounds);
}

}  // namespace xgrad::inline v0
