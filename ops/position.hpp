#pragma once
#include <xgrad/core/array.hpp>

/// Indices that come in as data.
namespace xgrad::inline v0::detail {

[[noreturn]] void throw_out_of_range(std::string_view op, std::int64_t index, int axis, std::int64_t size,
                                     const Shape& shape);

/// `index` along an axis of `size`, counted from 0: negative ones count from the end. Throws IndexError
/// naming `op`, `axis` and its size in `shape`.
inline std::int64_t position(std::string_view op, std::int64_t index, int axis, std::int64_t size,
                             const Shape& shape) {
  const std::int64_t p = index < 0 ? index + size : index;
  if (p < 0 || p >= size) [[unlikely]]
    throw_out_of_range(op, index, axis, size, shape);
  return p;
}

/// An index array as int64. Throws DTypeError naming `op` unless its dtype is an integer one.
Array integer_index(std::string_view op, const Array& index);

}  // namespace xgrad::inline v0::detail
