#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/cumulative.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/kernels/scan.hpp>
#include <xgrad/ops/reference.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::at;

/// Integers and bools add up in int64.
Array widened(const Array& x) { return is_floating(x.dtype()) ? x : x.astype(DType::int64); }

/// The running totals by R of x along `axis`, from its beginning or from its end.
template <class R>
Array scanned(std::string_view op, const Array& x, int axis, bool backwards) {
  const Array in = widened(x).contiguous();
  Array y = Array::empty(in.shape(), in.dtype());
  if (y.numel() == 0) return y;
  const std::int64_t n = y.size(axis), inner = y.stride(axis);
  dispatch_numeric(op, y.dtype(), [&]<class T>() {
    kernels::scan<R>(in.data<T>(), y.mutable_data<T>(), y.numel() / (n * inner), n, inner, backwards);
  });
  return y;
}

/// x moved one place along `axis`, towards the end or the beginning; `fill` comes in.
Tensor moved_by_one(const Tensor& x, int axis, bool to_end, double fill) {
  const std::int64_t n = x.shape()[axis];
  if (n == 0) return x;
  Shape one = x.shape();
  one[axis] = 1;
  const Tensor edge(Array::scalar(fill, x.dtype()).broadcast_to(one));
  return to_end ? concat({edge, slice(x, axis, 0, n - 1)}, axis) : concat({slice(x, axis, 1, n), edge}, axis);
}

/// y_i = x_0 + … + x_i along `axis`, or x_i + … + x_{n-1}.   dx = the sum of dy in the other direction
struct CumSum {
  static constexpr std::string_view name = "cumsum";
  static std::vector<Sample> samples() {
    return {sample(CumSum{0}, {5}),
            sample(CumSum{1}, {2, 3, 2}),
            sample(CumSum{0, true}, {3, 2}),
            sample(CumSum{2}, {2, 1, 3}),
            sample(CumSum{1}, {2, 1}),
            sample(CumSum{0}, {0, 3}),
            sample(CumSum{0}, {1}),
            sample(CumSum{1}, {2, 3, 2, 2}),
            sample(CumSum{1}, {37, 130}).large(),
            sample(CumSum{1, true}, {19, 45}).large(),
            sample(CumSum{0}, {70, 601}).large(),
            sample(CumSum{1, true}, {3, 40, 21}).large()};
  }
  Array reference(const Array& x) const {
    return detail::generate(x.shape(), [&](const Shape& index) {
      double sum = 0;
      Shape i = index;
      const std::int64_t end = backwards ? x.size(axis) : index[axis] + 1;
      for (i[axis] = backwards ? index[axis] : 0; i[axis] < end; ++i[axis]) sum += at(x, i);
      return sum;
    });
  }

  Array forward(const Array& x) const { return scanned<kernels::SumReducer>(name, x, axis, backwards); }
  Tensor vjp(const Tensor& dy) const { return record(CumSum{axis, !backwards}, dy); }

  int axis = 0;
  bool backwards = false;
};

/// y_i = b_i + a_i y_{i-1} along `axis` (y_{i+1} when it runs backwards), which starts with b.
/// db_i = s_i and da_i = s_i y_{i-1}, where s_i = dy_i + a_{i+1} s_{i+1}: the same recurrence the other way
struct LinearRecurrence {
  static constexpr std::string_view name = "linear_recurrence";
  static std::vector<Sample> samples() {
    return {
        sample(LinearRecurrence{0}, {5}, {5}),       sample(LinearRecurrence{1, true}, {2, 3, 2}, {2, 3, 2}),
        sample(LinearRecurrence{0}, {1, 2}, {1, 2}), sample(LinearRecurrence{0}, {1}, {1}),
        sample(LinearRecurrence{0}, {0, 2}, {0, 2}), sample(LinearRecurrence{1}, {2, 3, 2, 2}, {2, 3, 2, 2})};
  }
  Array reference(const Array& a, const Array& b) const {
    return detail::generate(a.shape(), [&](const Shape& index) {
      double sum = 0;
      const std::int64_t n = a.size(axis), step = backwards ? -1 : 1;
      Shape i = index;
      for (i[axis] = backwards ? n - 1 : 0; i[axis] != index[axis] + step; i[axis] += step) {
        double term = at(b, i);
        for (Shape k = i; k[axis] != index[axis];) {
          k[axis] += step;
          term *= at(a, k);
        }
        sum += term;
      }
      return sum;
    });
  }

  Array forward(const Array& a, const Array& b) const {
    const Array as = a.contiguous(), bs = b.contiguous();
    Array y = Array::empty(a.shape(), a.dtype());
    if (y.numel() == 0) return y;
    const std::int64_t n = y.size(axis), stride = y.stride(axis), outer = y.numel() / (n * stride);
    dispatch_floating(name, y.dtype(), [&]<class T>() {
      for (std::int64_t block = 0; block < outer; ++block)
        for (std::int64_t step = 0; step < n; ++step) {
          const std::int64_t i = block * n * stride + (backwards ? n - 1 - step : step) * stride;
          const std::int64_t previous = backwards ? i + stride : i - stride;
          for (std::int64_t k = 0; k < stride; ++k)
            y.mutable_data<T>()[i + k] =
                bs.data<T>()[i + k] + (step == 0 ? T(0) : as.data<T>()[i + k] * y.data<T>()[previous + k]);
        }
    });
    return y;
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& a, Skip, Output y) const {
    const Tensor s = record(LinearRecurrence{axis, !backwards}, moved_by_one(a, axis, backwards, 0), dy);
    return {s * moved_by_one(y, axis, !backwards, 0), s};
  }

  int axis = 0;
  bool backwards = false;
};

/// y_i = x_0 · … · x_i along `axis`.   dx_i = y_{i-1} s_i, where s_i = dy_i + x_{i+1} s_{i+1}
struct CumProd {
  static constexpr std::string_view name = "cumprod";
  static std::vector<Sample> samples() {
    return {sample(CumProd{0}, {5}),
            sample(CumProd{1}, {2, 3, 2}),
            sample(CumProd{2}, {2, 1, 3}),
            sample(CumProd{1}, {2, 1}),
            sample(CumProd{0}, {3}).within(0, 0),
            sample(CumProd{0}, {1}),
            sample(CumProd{0}, {0, 3}),
            sample(CumProd{1}, {2, 3, 2, 2}),
            sample(CumProd{1}, {37, 130}).within(0.95, 1.05).large(),
            sample(CumProd{0}, {70, 301}).within(0.95, 1.05).large()};
  }
  Array reference(const Array& x) const {
    return detail::generate(x.shape(), [&](const Shape& index) {
      double product = 1;
      Shape i = index;
      for (i[axis] = 0; i[axis] <= index[axis]; ++i[axis]) product *= at(x, i);
      return product;
    });
  }

  Array forward(const Array& x) const { return scanned<kernels::ProductReducer>(name, x, axis, false); }
  Tensor vjp(const Tensor& dy, const Tensor& x, Output y) const {
    const Tensor s = record(LinearRecurrence{axis, true}, moved_by_one(x, axis, false, 0), dy);
    return moved_by_one(y, axis, true, 1) * s;
  }

  int axis = 0;
};

}  // namespace

Tensor cumsum(const Tensor& x, std::optional<std::int64_t> axis) {
  detail::require_defined(CumSum::name, x);
  if (!axis) return record(CumSum{}, x.reshape({-1}));
  return record(CumSum{normalize_axis(CumSum::name, *axis, x.shape())}, x);
}

Tensor cumprod(const Tensor& x, std::optional<std::int64_t> axis) {
  detail::require_defined(CumProd::name, x);
  if (!axis) return record(CumProd{}, x.reshape({-1}));
  return record(CumProd{normalize_axis(CumProd::name, *axis, x.shape())}, x);
}

}  // namespace xgrad::inline v0
