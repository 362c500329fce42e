#include <cmath>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/kernels/softmax.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0 {
namespace {

/// Row-major, with `axis` last; itself if it is so already.
Array last(const Array& x, int axis) { return x.transpose(axis, x.rank() - 1).contiguous(); }

/// f(a, b, result, rows, n) on raw rows along `axis`; the result has its axes in place.
template <class F>
Array by_rows(std::string_view op, int axis, const Array& a, const Array* b, F f) {
  const Array x = last(a, axis);
  const Array z = b != nullptr ? last(*b, axis) : Array();
  Array y = Array::empty(x.shape(), x.dtype());
  const std::int64_t n = x.shape().back();
  if (y.numel() > 0) {
    dispatch_floating(op, x.dtype(), [&]<class T>() {
      f(x.template data<T>(), b != nullptr ? z.template data<T>() : nullptr, y.template mutable_data<T>(),
        y.numel() / n, n);
    });
  }
  return y.transpose(axis, x.rank() - 1);
}

Array as_floating(const Array& x) { return is_floating(x.dtype()) ? x : x.astype(default_dtype()); }

/// The reference: each line along `axis` through f(line, index).
template <class F>
Array reference_lines(const Array& x, int axis, F f) {
  const Array t = last(x, axis);
  const std::vector<double> v = t.to_vector<double>();
  std::vector<double> out;
  const auto n = static_cast<std::size_t>(t.shape().back());
  for (std::size_t i = 0; i < v.size(); ++i) {
    long double total = 0;
    for (std::size_t k = 0; k < n; ++k) total += std::exp(static_cast<long double>(v[i / n * n + k]));
    out.push_back(static_cast<double>(f(static_cast<long double>(v[i]), total)));
  }
  return Array::from<double>(out, t.shape()).transpose(axis, x.rank() - 1).contiguous();
}

template <class Op>
std::vector<Sample> softmax_samples() {
  return {sample(Op{1}, {3, 4}),
          sample(Op{0}, {3, 4}),
          sample(Op{1}, {2, 3, 4}),
          sample(Op{2}, {2, 3, 40}),
          sample(Op{0}, {5}),
          sample(Op{0}, {1}),
          sample(Op{1}, {0, 3}),
          sample(Op{1}, {2, 3, 2, 2}),
          sample(Op{1}, {601, 130}).large(),
          sample(Op{0}, {130, 601}).large()};
}

/// eˣ / Σ eˣ.   dx = y (dy - Σ dy y)
struct Softmax {
  static constexpr std::string_view name = "softmax";
  static std::vector<Sample> samples() { return softmax_samples<Softmax>(); }
  Array reference(const Array& x) const {
    return reference_lines(x, axis, [](long double v, long double total) { return std::exp(v) / total; });
  }

  Array forward(const Array& x) const {
    return by_rows(name, axis, as_floating(x), nullptr, [](auto in, auto, auto out, auto rows, auto n) {
      kernels::softmax_rows(in, out, rows, n);
    });
  }
  Tensor vjp(const Tensor& dy, Output y) const { return y * (dy - sum(dy * y, axis, {.keepdims = true})); }
  Array vjp_kernel(const Array& dy, Output y) const {
    return by_rows(name, axis, dy, &y.array(), [](auto d, auto p, auto out, auto rows, auto n) {
      kernels::softmax_gradient_rows(d, p, out, rows, n);
    });
  }

  int axis = 0;
};

/// x - ln Σ eˣ.   dx = dy - eʸ Σ dy
struct LogSoftmax {
  static constexpr std::string_view name = "log_softmax";
  static std::vector<Sample> samples() { return softmax_samples<LogSoftmax>(); }
  Array reference(const Array& x) const {
    return reference_lines(x, axis, [](long double v, long double total) { return v - std::log(total); });
  }

  Array forward(const Array& x) const {
    return by_rows(name, axis, as_floating(x), nullptr, [](auto in, auto, auto out, auto rows, auto n) {
      kernels::log_softmax_rows(in, out, rows, n);
    });
  }
  Tensor vjp(const Tensor& dy, Output y) const { return dy - exp(y) * sum(dy, axis, {.keepdims = true}); }
  Array vjp_kernel(const Array& dy, Output y) const {
    return by_rows(name, axis, dy, &y.array(), [](auto d, auto p, auto out, auto rows, auto n) {
      kernels::log_softmax_gradient_rows(d, p, out, rows, n);
    });
  }

  int axis = 0;
};

}  // namespace

Tensor softmax(const Tensor& x, std::int64_t axis) {
  detail::require_defined("softmax", x);
  return record(Softmax{normalize_axis("softmax", axis, x.shape())}, x);
}

Tensor log_softmax(const Tensor& x, std::int64_t axis) {
  detail::require_defined("log_softmax", x);
  return record(LogSoftmax{normalize_axis("log_softmax", axis, x.shape())}, x);
}

}  // namespace xgrad::inline v0
