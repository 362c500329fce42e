#pragma once
#include <xgrad/core/array.hpp>

/// For the references of ops that move elements about: arrays of float64 made element by element.
namespace xgrad::inline v0::detail {

/// The element at `index`, as double.
inline double at(const Array& x, const Shape& index) {
  std::int64_t offset = 0;
  for (int i = 0; i < index.rank(); ++i) offset += index[i] * x.stride(i);
  return dispatch(x.dtype(), [&]<class T>() { return static_cast<double>(x.data<T>()[offset]); });
}

/// Calls f(index) for every index of `shape` in row-major order.
template <class F>
void for_each_index(const Shape& shape, F&& f) {
  Shape index = Shape::filled(shape.rank(), 0);
  for (std::int64_t n = shape.numel(); n > 0; --n) {
    f(static_cast<const Shape&>(index));
    for (int i = shape.rank() - 1; i >= 0 && ++index[i] == shape[i]; --i) index[i] = 0;
  }
}

/// The array of float64 with f(index) at every index.
template <class F>
Array generate(const Shape& shape, F&& f) {
  Array y = Array::empty(shape, DType::float64);
  double* out = y.mutable_data<double>();
  for_each_index(shape, [&](const Shape& index) { *out++ = f(index); });
  return y;
}

}  // namespace xgrad::inline v0::detail
