#include <fmt/core.h>

#include <cmath>
#include <xgrad/core/create.hpp>
#include <xgrad/core/require.hpp>

namespace xgrad::inline v0 {
namespace detail {

NestedList::NestedList(Scalar v) : values_{v} {}

NestedList::NestedList(std::initializer_list<NestedList> items) {
  if (items.size() > 0) {
    shape_ = items.begin()->shape_;
    for (const NestedList& item : items) {
      if (item.shape_ != shape_)
        throw ShapeError("tensor",
                         fmt::format("braces of shapes {} and {} side by side: make all rows equally long",
                                     shape_.str(), item.shape_.str()));
      values_.insert(values_.end(), item.values_.begin(), item.values_.end());
    }
  }
  shape_.insert(0, static_cast<std::int64_t>(items.size()));
}

Tensor make_tensor(const NestedList& list, const TensorOptions& options) {
  DType implied = list.values().empty() ? default_dtype() : DType::bool_;
  for (const Scalar& v : list.values()) implied = promote(implied, v.dtype());
  const DType t = options.dtype.value_or(implied);
  for (const Scalar& v : list.values()) require_fits("tensor", v, t);
  Array a = empty_for("tensor", list.shape(), t);
  dispatch(t, [&]<class T>() {
    T* out = a.mutable_data<T>();
    for (const Scalar& v : list.values()) *out++ = v.to<T>();
  });
  return make_tensor(std::move(a), options);
}

Tensor make_tensor(Array values, const TensorOptions& options, std::string_view op) {
  require_gradient_dtype(op, options.dtype.value_or(values.dtype()), options.requires_grad);
  Tensor t(options.dtype ? values.astype(*options.dtype) : std::move(values));
  if (options.requires_grad) t.set_requires_grad(true);
  return t;
}

void check_count(std::int64_t count, const Shape& shape) {
  check_shape("tensor", shape);
  if (count != shape.numel())
    throw ShapeError("tensor", fmt::format("{} values for shape {}, which has {} elements: make them equal",
                                           count, shape.str(), shape.numel()));
}

void throw_null_values(const Shape& shape) {
  throw ValueError("tensor",
                   fmt::format("the pointer to the values of shape {} is null: pass one to {} values",
                               shape.str(), shape.numel()));
}

namespace {

Tensor filled(std::string_view op, const Shape& shape, Scalar value, DType t, const TensorOptions& options) {
  check_shape(op, shape);
  require_fits(op, value, t);
  require_gradient_dtype(op, t, options.requires_grad);
  return make_tensor(allocate_for(op, [&] { return Array::full(shape, value, t); }), options, op);
}

Tensor filled_like(std::string_view op, const Tensor& x, Scalar value, const TensorOptions& options) {
  require_defined(op, x);
  return filled(op, x.shape(), value, options.dtype.value_or(x.dtype()), options);
}

}  // namespace
}  // namespace detail

using detail::filled;
using detail::filled_like;
using detail::make_tensor;

Tensor zeros(const Shape& shape, const TensorOptions& options) {
  return filled("zeros", shape, 0.0, options.dtype.value_or(default_dtype()), options);
}
Tensor ones(const Shape& shape, const TensorOptions& options) {
  return filled("ones", shape, 1.0, options.dtype.value_or(default_dtype()), options);
}
Tensor full(const Shape& shape, Scalar value, const TensorOptions& options) {
  return filled("full", shape, value, options.dtype.value_or(value.dtype()), options);
}

Tensor zeros_like(const Tensor& x, const TensorOptions& options) {
  return filled_like("zeros_like", x, 0.0, options);
}
Tensor ones_like(const Tensor& x, const TensorOptions& options) {
  return filled_like("ones_like", x, 1.0, options);
}
Tensor full_like(const Tensor& x, Scalar value, const TensorOptions& options) {
  return filled_like("full_like", x, value, options);
}

Tensor eye(std::int64_t n, std::optional<std::int64_t> m, std::int64_t k, const TensorOptions& options) {
  const Shape shape{n, m.value_or(n)};
  check_shape("eye", shape);
  const DType t = options.dtype.value_or(default_dtype());
  Array a = detail::allocate_for("eye", [&] { return Array::full(shape, 0, t); });
  dispatch(a.dtype(), [&]<class T>() {
    T* p = a.mutable_data<T>();
    for (std::int64_t i = 0; i < shape[0]; ++i)
      if (k >= -i && k < shape[1] - i) p[i * shape[1] + i + k] = static_cast<T>(1);
  });
  return make_tensor(std::move(a), options, "eye");
}

Tensor arange(Scalar start, Scalar stop, Scalar step, const TensorOptions& options) {
  const double first = start.to<double>(), last = stop.to<double>(), by = step.to<double>();
  if (by == 0)
    throw ValueError("arange",
                     fmt::format("a step of 0 never leads from {} to {}: pass another one", first, last));
  const double length = std::ceil((last - first) / by);
  if (!(std::abs(length) < 1e15))
    throw ValueError(
        "arange",
        fmt::format("from {} to {} by {} is no number of steps that memory can hold: give finite numbers, "
                    "and fewer steps",
                    first, last, by));
  const auto n = static_cast<std::int64_t>(length > 0 ? length : 0);
  const bool floating = start.is_floating() || stop.is_floating() || step.is_floating();
  const DType t = options.dtype.value_or(floating ? default_dtype() : DType::int64);
  if (n > 0) {
    detail::require_fits("arange", first, t);
    detail::require_fits("arange", first + static_cast<double>(n - 1) * by, t);
  }
  Array a = detail::empty_for("arange", {n}, t);
  dispatch(a.dtype(), [&]<class T>() {
    T* p = a.mutable_data<T>();
    for (std::int64_t i = 0; i < n; ++i) {
      if (floating)
        p[i] = static_cast<T>(first + static_cast<double>(i) * by);
      else
        p[i] = static_cast<T>(start.to<std::int64_t>() + i * step.to<std::int64_t>());
    }
  });
  return make_tensor(std::move(a), options, "arange");
}

Tensor arange(Scalar stop, const TensorOptions& options) { return arange(0, stop, 1, options); }

Tensor linspace(double start, double stop, std::int64_t n, const TensorOptions& options) {
  check_shape("linspace", {n});
  detail::require_finite("linspace", "start", start);
  detail::require_finite("linspace", "stop", stop);
  if (n > 0)
    for (const double end : {start, stop})
      detail::require_fits("linspace", end, options.dtype.value_or(default_dtype()));
  Array a = detail::empty_for("linspace", {n}, options.dtype.value_or(default_dtype()));
  dispatch(a.dtype(), [&]<class T>() {
    T* p = a.mutable_data<T>();
    for (std::int64_t i = 0; i < n; ++i)
      p[i] = static_cast<T>(n == 1       ? start
                            : i == n - 1 ? stop
                                         : start + (stop - start) * static_cast<double>(i) /
                                                       static_cast<double>(n - 1));
  });
  return make_tensor(std::move(a), options, "linspace");
}

}  // namespace xgrad::inline v0
