#include <fmt/core.h>

#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0 {
namespace {

/// The elements under another shape.   dx = dy in x's shape
struct Reshape {
  static constexpr std::string_view name = "reshape";
  static std::vector<Sample> samples() {
    return {sample(Reshape{{4, 3}}, {2, 6}),       sample(Reshape{{12}}, {3, 4}),
            sample(Reshape{{1, 2, 1, 3}}, {6}),    sample(Reshape{{}}, {1, 1}),
            sample(Reshape{{0, 5}}, {5, 0}),       sample(Reshape{{1, 1}}, {}),
            sample(Reshape{{4, 6}}, {2, 3, 2, 2}), sample(Reshape{{257, 331}}, {331, 257}).large()};
  }
  Array reference(const Array& x) const { return Array::from<double>(x.to_vector<double>(), shape); }

  Array forward(const Array& x) const { return x.reshape(shape); }
  Tensor vjp(const Tensor& dy, Skip x) const { return reshape(dy, x.shape); }

  Shape shape;
};

/// Axis i of the result is axis axes[i] of x.   dx = dy, permuted back
struct Permute {
  static constexpr std::string_view name = "permute";
  static std::vector<Sample> samples() {
    return {sample(Permute{{1, 0}}, {3, 4}),
            sample(Permute{{2, 0, 1}}, {2, 3, 4}),
            sample(Permute{{0, 2, 3, 1}}, {2, 3, 2, 2}),
            sample(Permute{{}}, {}),
            sample(Permute{{1, 0}}, {0, 3}),
            sample(Permute{{1, 0}}, {1, 1}),
            sample(Permute{{1, 0}}, {331, 257}).large()};
  }
  Array reference(const Array& x) const {
    Shape shape;
    for (std::int64_t a : axes) shape.push_back(x.size(static_cast<int>(a)));
    const Shape strides = row_major_strides(x.shape());
    const std::vector<double> in = x.to_vector<double>();
    std::vector<double> out;
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      std::int64_t rest = i, at = 0;
      for (int k = shape.rank() - 1; k >= 0; --k) {
        at += rest % shape[k] * strides[static_cast<int>(axes[k])];
        rest /= shape[k];
      }
      out.push_back(in[static_cast<std::size_t>(at)]);
    }
    return Array::from<double>(out, shape);
  }

  Array forward(const Array& x) const { return x.permute(axes); }
  Tensor vjp(const Tensor& dy) const {
    Shape back = axes;
    for (int i = 0; i < axes.rank(); ++i) back[static_cast<int>(axes[i])] = i;
    return permute(dy, back);
  }

  Shape axes;
};

/// A row-major copy.   dx = dy
struct Contiguous {
  static constexpr std::string_view name = "contiguous";
  static std::vector<Sample> samples() {
    return {sample({3, 4}), sample({}),           sample({1}),
            sample({0, 2}), sample({2, 3, 2, 2}), sample({331, 257}).large()};
  }
  // On arrays: it is the one elementwise op that does not keep the order of axes.
  static Array reference(const Array& x) { return Array::from<double>(x.to_vector<double>(), x.shape()); }

  Array forward(const Array& x) const { return x.contiguous(); }
  Tensor vjp(const Tensor& dy) const { return dy; }
};

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  detail::require_defined("reshape", x);
  Shape full = shape;
  int open = -1;
  std::int64_t known = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1 && open < 0) {
      open = i;
    } else if (shape[i] < 0) {
      throw ShapeError(
          "reshape",
          fmt::format("shape {} for {} elements: {}: give one size at most as -1, the others as 0 "
                      "or more",
                      shape.str(), x.numel(), shape[i] == -1 ? "two sizes are -1" : "a size is negative"));
    } else {
      known *= shape[i];
    }
  }
  if (open >= 0 && known != 0 && x.numel() % known == 0) full[open] = x.numel() / known;
  if (full.numel() != x.numel() || (open >= 0 && known == 0))
    throw ShapeError(
        "reshape", fmt::format("shape {} has {} elements, which do not fit {}: choose sizes whose product is "
                               "{}",
                               x.shape().str(), x.numel(), shape.str(), x.numel()));
  return full == x.shape() ? x : record(Reshape{full}, x);
}

Tensor flatten(const Tensor& x, std::int64_t first, std::int64_t last) {
  detail::require_defined("flatten", x);
  if (x.rank() == 0) return reshape(x, {1});
  const int a = normalize_axis("flatten", first, x.shape()), b = normalize_axis("flatten", last, x.shape());
  if (a > b)
    throw ShapeError(
        "flatten", fmt::format("axes {} to {} of shape {}: the last comes before the first: swap them", first,
                               last, x.shape().str()));
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (i > a && i <= b)
      shape.back() *= x.shape()[i];
    else
      shape.push_back(x.shape()[i]);
  }
  return reshape(x, shape);
}

namespace {

/// `permute` under the name by which it was called.
Tensor permuted(std::string_view op, const Tensor& x, const Shape& axes) {
  detail::require_defined(op, x);
  Shape full;
  unsigned seen = 0;
  for (std::int64_t axis : axes) {
    const int a = normalize_axis(op, axis, x.shape());
    seen |= 1u << a;
    full.push_back(a);
  }
  if (full.rank() != x.rank() || seen != (1u << x.rank()) - 1)
    throw ValueError(op, fmt::format("axes {} for shape {}: name each of its {} axes once", axes.str(),
                                     x.shape().str(), x.rank()));
  return record(Permute{full}, x);
}

}  // namespace

Tensor permute(const Tensor& x, const Shape& axes) { return permuted("permute", x, axes); }

Tensor transpose(const Tensor& x) {
  detail::require_defined("transpose", x);
  Shape axes;
  for (int i = x.rank() - 1; i >= 0; --i) axes.push_back(i);
  return record(Permute{axes}, x);
}

Tensor transpose(const Tensor& x, const Shape& axes) { return permuted("transpose", x, axes); }

Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b) {
  detail::require_defined("transpose", x);
  const int i = normalize_axis("transpose", a, x.shape()), j = normalize_axis("transpose", b, x.shape());
  Shape axes;
  for (int k = 0; k < x.rank(); ++k) axes.push_back(k == i ? j : k == j ? i : k);
  return record(Permute{axes}, x);
}

Tensor squeeze(const Tensor& x, const Axes& axes) {
  detail::require_defined("squeeze", x);
  const unsigned wanted = axes.mask("squeeze", x.shape());
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    const bool named = wanted >> i & 1;
    if (named && !axes.every() && x.shape()[i] != 1)
      throw ShapeError(
          "squeeze", fmt::format("axis {} of shape {} has size {}: only axes of size 1 can go: leave it out",
                                 i, x.shape().str(), x.shape()[i]));
    if (!named || x.shape()[i] != 1) shape.push_back(x.shape()[i]);
  }
  return reshape(x, shape);
}

Tensor unsqueeze(const Tensor& x, std::int64_t axis) {
  detail::require_defined("unsqueeze", x);
  detail::require_rank("unsqueeze", x.shape(), x.rank() + 1);
  Shape shape = x.shape();
  shape.insert(normalize_new_axis("unsqueeze", axis, x.shape()), 1);
  return reshape(x, shape);
}

Tensor expand(const Tensor& x, const Shape& shape) {
  detail::require_defined("expand", x);
  Shape full = shape;
  const int lead = shape.rank() - x.rank();
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] != -1) continue;
    if (i < lead)
      throw ShapeError("expand",
                       fmt::format("shape {} to {}: -1 keeps a size, and axis {} is a new one: give its size",
                                   x.shape().str(), shape.str(), i));
    full[i] = x.shape()[i - lead];
  }
  check_shape("expand", full);
  if (!broadcasts_to(x.shape(), full))
    throw ShapeError("expand", fmt::format("shape {} does not broadcast to {}: from the last axis on, sizes "
                                           "must be equal or 1: give -1 for those that stay",
                                           x.shape().str(), shape.str()));
  return broadcast_to(x, full);
}

Tensor contiguous(const Tensor& x) {
  return x.defined() && x.array().is_contiguous() ? x : record(Contiguous{}, x);
}

Tensor Tensor::reshape(const Shape& shape) const { return xgrad::reshape(*this, shape); }
Tensor Tensor::flatten(std::int64_t first, std::int64_t last) const {
  return xgrad::flatten(*this, first, last);
}
Tensor Tensor::transpose(std::int64_t a, std::int64_t b) const { return xgrad::transpose(*this, a, b); }
Tensor Tensor::permute(const Shape& axes) const { return xgrad::permute(*this, axes); }
Tensor Tensor::squeeze(const Axes& axes) const { return xgrad::squeeze(*this, axes); }
Tensor Tensor::unsqueeze(std::int64_t axis) const { return xgrad::unsqueeze(*this, axis); }
Tensor Tensor::contiguous() const { return xgrad::contiguous(*this); }
Tensor Tensor::T() const { return xgrad::transpose(*this); }

}  // namespace xgrad::inline v0
