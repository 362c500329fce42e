#include <fmt/core.h>

#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/extras.hpp>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/ops/kernels/reduce.hpp>

namespace xgrad::inline v0 {
namespace {

/// y[i] += sum of the x that broadcasting had made of it.
template <class T>
void sum_rows(const detail::LoopPlan& plan, const T* x, T* y) {
  const std::int64_t n = plan.inner_size(), xs = plan.inner_stride(0), ys = plan.inner_stride(1);
  detail::for_each_row(plan, 0, plan.rows(), [&](const std::int64_t* at) {
    const T* in = x + at[0];
    T* out = y + at[1];
    if (ys == 0) {
      T total = 0;
      for (std::int64_t i = 0; i < n; ++i) total = static_cast<T>(total + in[i * xs]);
      *out = static_cast<T>(*out + total);
    } else if (xs == 1 && ys == 1) {
      for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(out[i] + in[i]);
    } else {
      for (std::int64_t i = 0; i < n; ++i) out[i * ys] = static_cast<T>(out[i * ys] + in[i * xs]);
    }
  });
}

/// a + b.   d/da = d/db = 1
struct Add {
  static constexpr std::string_view name = "add";
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {3, 4}), sample({3, 4}, {4}), sample({2, 1, 4}, {3, 1}), sample({}, {5})};
  }
  static long double reference(long double a, long double b) { return a + b; }

  Array forward(const Array& a, const Array& b) const {
    if (a.rank() == 0 && b.rank() == 0 && a.dtype() == DType::float32 && b.dtype() == DType::float32)
      return Array::scalar(*a.data<float>() + *b.data<float>());
    return map_numeric(
        name, [](auto p, auto q) { return p + q; }, a, b);
  }
  Grads<2> vjp(const Tensor& dy) const { return {dy, dy}; }
};

/// Reads an Array of float64 as reference code likes it.
Array from_doubles(const std::vector<double>& v, const Shape& s) { return Array::from<double>(v, s); }

struct SumTo {
  static constexpr std::string_view name = "sum_to";
  static std::vector<Sample> samples() {
    return {sample(SumTo{{4}}, {3, 4}), sample(SumTo{{3, 1}}, {3, 4}),
            sample(SumTo{{}}, {2, 3}),  sample(SumTo{{2, 1, 2}}, {3, 2, 3, 2}),
            sample(SumTo{{}}, {}),      sample(SumTo{{}}, {1}),
            sample(SumTo{{3}}, {0, 3}), sample(SumTo{{257}}, {331, 257}).large()};
  }
  Array reference(const Array& x) const {
    std::vector<double> sums(static_cast<std::size_t>(shape.numel()), 0.0);
    const std::vector<double> values = x.to_vector<double>();
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      std::int64_t rest = i, at = 0, stride = 1;
      for (int axis = x.rank() - 1; axis >= 0; --axis) {
        const std::int64_t k = rest % x.size(axis);
        rest /= x.size(axis);
        const int own = axis - (x.rank() - shape.rank());
        if (own < 0) continue;
        if (shape[own] != 1) at += k * stride;
        stride *= shape[own];
      }
      sums[static_cast<std::size_t>(at)] += values[static_cast<std::size_t>(i)];
    }
    return from_doubles(sums, shape);
  }

  Array forward(const Array& x) const {
    if (x.shape() == shape) return x;
    if (!broadcasts_to(shape, x.shape()))
      throw ShapeError(
          name, fmt::format("shapes {} and {}: the second does not broadcast to the first: sum over whole "
                            "axes",
                            x.shape().str(), shape.str()));
    return xgrad::sum_to(x, shape);
  }
  Tensor vjp(const Tensor& dy, Skip x) const { return broadcast_to(dy, x.shape); }

  Shape shape;
};

struct BroadcastTo {
  static constexpr std::string_view name = "broadcast_to";
  static std::vector<Sample> samples() {
    return {sample(BroadcastTo{{3, 4}}, {4}),
            sample(BroadcastTo{{3, 4}}, {3, 1}),
            sample(BroadcastTo{{2, 2}}, {}),
            sample(BroadcastTo{{0, 3}}, {3}),
            sample(BroadcastTo{{2, 0}}, {2, 0}),
            sample(BroadcastTo{{3}}, {1}),
            sample(BroadcastTo{{2, 3, 2, 2}}, {2, 1, 2, 2}),
            sample(BroadcastTo{{331, 257}}, {257}).large()};
  }
  Array reference(const Array& x) const { return Add{}.forward(x, Array::full(shape, 0.0, DType::float64)); }

  Array forward(const Array& x) const {
    if (!broadcasts_to(x.shape(), shape))
      throw ShapeError(name,
                       fmt::format("shape {} does not broadcast to {}: from the last axis on, sizes must be "
                                   "equal or 1: reshape it, or choose another shape",
                                   x.shape().str(), shape.str()));
    return x.broadcast_to(shape);
  }
  Tensor vjp(const Tensor& dy, Skip x) const { return sum_to(dy, x.shape); }

  Shape shape;
};

struct AsType {
  static constexpr std::string_view name = "astype";
  static std::vector<Sample> samples() {
    return {sample(AsType{DType::float64}, {3, 4}), sample(AsType{DType::float64}, {}),
            sample(AsType{DType::float64}, {1}), sample(AsType{DType::float64}, {0, 3}),
            sample(AsType{DType::float64}, {2, 3, 2, 2})};
  }
  Array reference(const Array& x) const { return x.astype(dtype); }

  Array forward(const Array& x) const { return x.astype(dtype); }
  Tensor vjp(const Tensor& dy, Skip x) const { return astype(dy, x.dtype); }

  DType dtype = DType::float32;
};

/// From so many elements on, sums are worth copying x into the order that the kernels of reductions want:
/// they use vectors and threads, and do not lose digits in a long row of additions.
constexpr std::int64_t large_sum = 1 << 12;

Array sum_by_kernels(const Array& x, const Shape& shape) {
  Shape summed, kept;
  std::int64_t n = 1;
  for (int i = 0; i < x.rank(); ++i) {
    const int own = i - (x.rank() - shape.rank());
    const bool is_summed = own < 0 || shape[own] != x.size(i);
    (is_summed ? summed : kept).push_back(i);
    if (is_summed) n *= x.size(i);
  }
  Shape columns_first = summed, rows_first = kept;
  for (const std::int64_t axis : kept) columns_first.push_back(axis);
  for (const std::int64_t axis : summed) rows_first.push_back(axis);
  Array y = Array::empty(shape, x.dtype());
  const Array columns = x.permute(columns_first);
  dispatch_floating(SumTo::name, x.dtype(), [&]<class T>() {
    T* out = y.mutable_data<T>();
    if (y.numel() > 1 && columns.is_contiguous()) {
      kernels::reduce_columns<kernels::SumReducer>(columns.data<T>(), n, y.numel(), y.numel(), out);
    } else {
      const Array rows = x.permute(rows_first).contiguous();
      kernels::reduce_rows<kernels::SumReducer>(rows.data<T>(), y.numel(), n, n, out);
    }
  });
  return y;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return record(Add{}, a, b); }

Array sum_to(const Array& x, const Shape& shape) {
  if (x.numel() >= large_sum && is_floating(x.dtype())) return sum_by_kernels(x, shape);
  Array y = Array::full(shape, 0, x.dtype());
  if (x.numel() == 0) return y;
  const Array wide = y.broadcast_to(x.shape());
  const detail::LoopPlan plan = detail::plan_loops(x.shape(), {&x, &wide});
  dispatch_numeric(SumTo::name, x.dtype(),
                   [&]<class T>() { sum_rows(plan, x.data<T>(), y.mutable_data<T>()); });
  return y;
}

Tensor sum_to(const Tensor& x, const Shape& shape) { return record(SumTo{shape}, x); }

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  check_shape(BroadcastTo::name, shape);
  return record(BroadcastTo{shape}, x);
}

Tensor astype(const Tensor& x, DType t) { return x.defined() && x.dtype() == t ? x : record(AsType{t}, x); }

namespace detail {

void accumulate_in_place(Array& a, const Array& b) {
  dispatch_floating(Add::name, a.dtype(), [&]<class T>() {
    T* y = a.mutable_data<T>();
    const T* x = b.data<T>();
    if (a.numel() == 1) return void(*y += *x);
    kernels::parallel_for(a.numel(), map_grain, [&](std::int64_t lo, std::int64_t hi) {
      kernels::map([](auto p, auto q) { return p + q; }, hi - lo, y + lo, y + lo, x + lo);
    });
  });
}

}  // namespace detail
}  // namespace xgrad::inline v0
