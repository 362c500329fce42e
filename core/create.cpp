#include <fmt/core.h>

#include <cmath>
#include <xgrad/core/create.hpp>

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
  Array a = Array::empty(list.shape(), t);
  dispatch(t, [&]<class T>() {
    T* out = a.mutable_data<T>();
    for (const Scalar& v : list.values()) *out++ = v.to<T>();
  });
  return make_tensor(std::move(a), options);
}

Tensor make_tensor(Array values, const TensorOptions& options) {
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

}  // namespace detail

Tensor full(const Shape& shape, Scalar value, const TensorOptions& options) {
  check_shape("full", shape);
  return detail::make_tensor(Array::full(shape, value, options.dtype.value_or(value.dtype())), options);
}

Tensor zeros(const Shape& shape, const TensorOptions& options) { return full(shape, 0.0, options); }
Tensor ones(const Shape& shape, const TensorOptions& options) { return full(shape, 1.0, options); }

Tensor full_like(const Tensor& x, Scalar value, const TensorOptions& options) {
  return full(x.shape(), value,
              {.dtype = options.dtype.value_or(x.dtype()), .requires_grad = options.requires_grad});
}

Tensor zeros_like(const Tensor& x, const TensorOptions& options) { return full_like(x, 0.0, options); }
Tensor ones_like(const Tensor& x, const TensorOptions& options) { return full_like(x, 1.0, options); }

Tensor eye(std::int64_t n, std::optional<std::int64_t> m, std::int64_t k, const TensorOptions& options) {
  const Shape shape{n, m.value_or(n)};
  check_shape("eye", shape);
  Array a = Array::full(shape, 0, options.dtype.value_or(default_dtype()));
  dispatch(a.dtype(), [&]<class T>() {
    T* p = a.mutable_data<T>();
    for (std::int64_t i = 0; i < shape[0]; ++i)
      if (i + k >= 0 && i + k < shape[1]) p[i * shape[1] + i + k] = static_cast<T>(1);
  });
  return detail::make_tensor(std::move(a), options);
}

Tensor arange(Scalar start, Scalar stop, Scalar step, const TensorOptions& options) {
  const double first = start.to<double>(), last = stop.to<double>(), by = step.to<double>();
  if (by == 0)
    throw ValueError("arange", "a step of 0 never arrives: pass a step that leads from start to stop");
  const double length = std::ceil((last - first) / by);
  if (!(std::abs(length) < 1e15))
    throw ValueError(
        "arange",
        fmt::format("from {} to {} by {} is not a finite number of steps: check the three", first, last, by));
  const auto n = static_cast<std::int64_t>(length > 0 ? length : 0);
  const bool floating = start.is_floating() || stop.is_floating() || step.is_floating();
  Array a = Array::empty({n}, options.dtype.value_or(floating ? default_dtype() : DType::int64));
  dispatch(a.dtype(), [&]<class T>() {
    T* p = a.mutable_data<T>();
    for (std::int64_t i = 0; i < n; ++i) {
      if (floating)
        p[i] = static_cast<T>(first + static_cast<double>(i) * by);
      else
        p[i] = static_cast<T>(start.to<std::int64_t>() + i * step.to<std::int64_t>());
    }
  });
  return detail::make_tensor(std::move(a), options);
}

Tensor arange(Scalar stop, const TensorOptions& options) { return arange(0, stop, 1, options); }

Tensor linspace(double start, double stop, std::int64_t n, const TensorOptions& options) {
  check_shape("linspace", {n});
  Array a = Array::empty({n}, options.dtype.value_or(default_dtype()));
  dispatch(a.dtype(), [&]<class T>() {
    T* p = a.mutable_data<T>();
    for (std::int64_t i = 0; i < n; ++i)
      p[i] = static_cast<T>(n == 1       ? start
                            : i == n - 1 ? stop
                                         : start + (stop - start) * static_cast<double>(i) /
                                                       static_cast<double>(n - 1));
  });
  return detail::make_tensor(std::move(a), options);
}

}  // namespace xgrad::inline v0
