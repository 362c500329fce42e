#pragma once
#include <xgrad/core/require.hpp>

namespace xgrad::inline v0::detail {

/// A number beside `t`: 0-d, of the dtype that it has there. Throws ValueError naming `op` when that dtype
/// does not have the number.
inline Tensor constant(std::string_view op, Scalar s, const Tensor& t) {
  if (!t.defined()) return Tensor(Array::scalar(s, s.dtype()));  // `record` knows which input it is
  const DType dtype = s.dtype_with(t.impl()->array.dtype());
  if (!is_floating(dtype)) [[unlikely]]
    require_fits(op, s, dtype);
  return Tensor(Array::scalar(s, dtype));
}

}  // namespace xgrad::inline v0::detail
