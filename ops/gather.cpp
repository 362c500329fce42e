#include <fmt/core.h>

#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/loops.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/position.hpp>
#include <xgrad/ops/reference.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::at;

/// The part of `a` that `index` reaches, of the shape of `index`, standing still along `axis`.
Array still_along(const Array& a, int axis, const Shape& shape) {
  Shape strides = a.strides();
  strides[axis] = 0;
  return a.as_strided(shape, strides, 0);
}

/// Checks the shapes of gather and scatter_add. Returns the axis counted from 0.
int check_gather(std::string_view op, std::int64_t axis, const Shape& x, const Shape& index) {
  const int k = normalize_axis(op, axis, x);
  bool fits = x.rank() == index.rank();
  for (int i = 0; fits && i < x.rank(); ++i) fits = i == k || index[i] <= x[i];
  if (!fits)
    throw ShapeError(
        op, fmt::format("an index of shape {} does not fit shape {}: make the ranks equal and, beside "
                        "axis {}, no size larger",
                        index.str(), x.str(), k));
  return k;
}

/// `i` with the place along `axis` that the index names.
Shape moved(const Array& index, int axis, std::int64_t size, const Shape& i) {
  Shape to = i;
  to[axis] = static_cast<std::int64_t>(at(index, i));
  if (to[axis] < 0) to[axis] += size;
  return to;
}

/// y[i][j] = x[index[i][j]][j] for axis 0, and alike for others.   dx = scatter_add of dy
struct Gather {
  static constexpr std::string_view name = "gather";
  static std::vector<Sample> samples() {
    return {sample(Gather{0}, {4, 3}, {2, 3}).integers(1, -4, 4),
            sample(Gather{1}, {4, 3}, {3, 5}).integers(1, 0, 3),
            sample(Gather{-1}, {2, 3, 4}, {2, 3, 1}).integers(1, 0, 4),
            sample(Gather{0}, {4, 3}, {0, 3}).integers(1, 0, 4),
            sample(Gather{0}, {1}, {1}).integers(1, 0, 1),
            sample(Gather{1}, {2, 3, 2, 2}, {2, 4, 2, 2}).integers(1, 0, 3),
            sample(Gather{0}, {301, 257}, {331, 257}).integers(1, 0, 301).large()};
  }
  Array reference(const Array& x, const Array& index) const {
    const int k = normalize_axis(name, axis, x.shape());
    return detail::generate(index.shape(),
                            [&](const Shape& i) { return at(x, moved(index, k, x.size(k), i)); });
  }

  Array forward(const Array& x, const Array& index) const {
    const int k = check_gather(name, axis, x.shape(), index.shape());
    const Array positions = detail::integer_index(name, index);
    Array y = Array::empty(index.shape(), x.dtype());
    if (y.numel() == 0) return y;
    const Array from = still_along(x, k, index.shape());
    const detail::LoopPlan plan = detail::plan_loops(y.shape(), {&y, &positions, &from});
    const std::int64_t size = x.size(k), stride = x.stride(k), n = plan.inner_size();
    dispatch(x.dtype(), [&]<class T>() {
      detail::for_each_row(plan, 0, plan.rows(), [&](const std::int64_t* row) {
        T* to = y.mutable_data<T>() + row[0];
        const std::int64_t* p = positions.data<std::int64_t>() + row[1];
        const T* source = from.data<T>() + row[2];
        for (std::int64_t i = 0; i < n; ++i)
          to[i * plan.inner_stride(0)] =
              source[i * plan.inner_stride(2) +
                     detail::position(name, p[i * plan.inner_stride(1)], k, size, x.shape()) * stride];
      });
    });
    return y;
  }
  Grads<2> vjp(const Tensor& dy, Skip x, const Tensor& index) const {
    const Tensor zero(Array::scalar(0, dy.dtype()).broadcast_to(x.shape));
    return {scatter_add(zero, axis, index, dy), Tensor()};
  }

  std::int64_t axis = 0;
};

/// x with y[index[i][j]][j] += src[i][j] for axis 0, and alike for others.   dx = dy, dsrc = gather of dy
struct ScatterAdd {
  static constexpr std::string_view name = "scatter_add";
  static std::vector<Sample> samples() {
    return {sample(ScatterAdd{0}, {4, 3}, {2, 3}, {2, 3}).integers(1, -4, 4),
            sample(ScatterAdd{1}, {4, 3}, {3, 5}, {3, 5}).integers(1, 0, 3),
            sample(ScatterAdd{0}, {4, 3}, {0, 3}, {0, 3}).integers(1, 0, 4),
            sample(ScatterAdd{0}, {1}, {1}, {1}).integers(1, 0, 1),
            sample(ScatterAdd{1}, {2, 3, 2, 2}, {2, 4, 2, 2}, {2, 4, 2, 2}).integers(1, 0, 3)};
  }
  Array reference(const Array& x, const Array& index, const Array& src) const {
    const int k = normalize_axis(name, axis, x.shape());
    return detail::generate(x.shape(), [&](const Shape& place) {
      double sum = at(x, place);
      detail::for_each_index(index.shape(), [&](const Shape& i) {
        if (moved(index, k, x.size(k), i) == place) sum += at(src, i);
      });
      return sum;
    });
  }

  Array forward(const Array& x, const Array& index, const Array& src) const {
    const int k = check_gather(name, axis, x.shape(), index.shape());
    const Array positions = detail::integer_index(name, index);
    if (x.dtype() != src.dtype())
      throw DTypeError(name, fmt::format("x of shape {} is {} and src of shape {} is {}: convert one with "
                                         "astype",
                                         x.shape().str(), xgrad::name(x.dtype()), src.shape().str(),
                                         xgrad::name(src.dtype())));
    Array y = x.copy();
    if (index.numel() == 0) return y;
    const Array to = still_along(y, k, index.shape());
    const detail::LoopPlan plan = detail::plan_loops(index.shape(), {&positions, &src, &to});
    const std::int64_t size = y.size(k), stride = y.stride(k), n = plan.inner_size();
    dispatch_numeric(name, x.dtype(), [&]<class T>() {
      detail::for_each_row(plan, 0, plan.rows(), [&](const std::int64_t* row) {
        const std::int64_t* p = positions.data<std::int64_t>() + row[0];
        const T* from = src.data<T>() + row[1];
        T* target = y.mutable_data<T>() + row[2];
        for (std::int64_t i = 0; i < n; ++i) {
          T& place = target[i * plan.inner_stride(2) +
                            detail::position(name, p[i * plan.inner_stride(0)], k, size, y.shape()) * stride];
          place = static_cast<T>(place + from[i * plan.inner_stride(1)]);
        }
      });
    });
    return y;
  }
  Grads<3> vjp(const Tensor& dy, Skip, const Tensor& index, Needs needs) const {
    return {dy, Tensor(), needs[2] ? gather(dy, axis, index) : Tensor()};
  }

  std::int64_t axis = 0;
};

/// take_along_axis is composed of ops, so it tells the generic tests of itself.
[[maybe_unused]] const bool take_registered = register_function(
    "take_along_axis",
    [] {
      return std::vector<Sample>{sample({2, 3}, {1, 4}).integers(1, 0, 3)};
    },
    [](std::span<const Tensor> in) { return take_along_axis(in[0], in[1], 1); },
    [](const void*, std::span<const Array> in) {
      return std::vector<Array>{detail::generate({2, 4}, [&](const Shape& i) {
        return at(in[0], {i[0], static_cast<std::int64_t>(at(in[1], {0, i[1]}))});
      })};
    });

}  // namespace

Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index) {
  return record(Gather{axis}, x, index);
}

Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& src) {
  detail::require_defined("scatter_add", x, index, src);
  bool fits = src.rank() == index.rank();
  for (int i = 0; fits && i < src.rank(); ++i) fits = index.shape()[i] <= src.shape()[i];
  if (!fits)
    throw ShapeError("scatter_add",
                     fmt::format("an index of shape {} and src of shape {}: make src at least as "
                                 "large as the index",
                                 index.shape().str(), src.shape().str()));
  Tensor used = src;
  for (int i = 0; i < src.rank(); ++i)
    if (src.shape()[i] != index.shape()[i]) used = slice(used, i, 0, index.shape()[i]);
  return record(ScatterAdd{axis}, x, index, used);
}

Tensor take_along_axis(const Tensor& x, const Tensor& index, std::int64_t axis) {
  constexpr std::string_view name = "take_along_axis";
  detail::require_defined(name, x, index);
  const int k = normalize_axis(name, axis, x.shape());
  if (index.rank() != x.rank())
    throw ShapeError(name, fmt::format("shapes {} and {} (the index) differ in rank: reshape the index",
                                       x.shape().str(), index.shape().str()));
  Shape from = x.shape(), to = index.shape();
  from[k] = to[k] = 1;
  from = to = broadcast_shapes(name, from, to);
  from[k] = x.shape()[k];
  to[k] = index.shape()[k];
  return gather(x.shape() == from ? x : broadcast_to(x, from), k,
                index.shape() == to ? index : broadcast_to(index, to));
}

}  // namespace xgrad::inline v0
