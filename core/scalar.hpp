#pragma once
#include <concepts>
#include <cstdint>
#include <type_traits>

#include <xgrad/core/dtype.hpp>

namespace xgrad::inline v0 {

/// A C++ number on its way into an operation. It keeps its kind (bool, integer, floating), because it takes
/// the tensor's dtype within its kind: `x * 2.0` on float32 stays float32, an int64 tensor times 2.5 gives
/// the default floating dtype.
class Scalar {
 public:
  template <class T>
  requires(std::is_arithmetic_v<T> && !std::same_as<T, char>) constexpr Scalar(T v)
      : kind_(std::same_as<T, bool> ? 0
              : std::integral<T>    ? 1
                                    : 2),
        integer_(0) {
    if constexpr (std::integral<T>)
      integer_ = static_cast<std::int64_t>(v);
    else
      floating_ = static_cast<double>(v);
  }

  constexpr bool is_floating() const { return kind_ == 2; }
  constexpr bool is_bool() const { return kind_ == 0; }

  /// The value as T, converted as a C++ cast does.
  template <class T>
  constexpr T to() const {
    return kind_ == 2 ? static_cast<T>(floating_) : static_cast<T>(integer_);
  }

  /// The dtype it has beside a tensor of dtype `t`.
  DType dtype_with(DType t) const {
    if (kind_ == 2) return xgrad::is_floating(t) ? t : default_dtype();
    if (kind_ == 1) return t == DType::bool_ ? DType::int64 : t;
    return t;
  }
  /// The dtype of a tensor made from it alone.
  DType dtype() const { return kind_ == 2 ? default_dtype() : kind_ == 1 ? DType::int64 : DType::bool_; }

 private:
  std::uint8_t kind_;  // 0 bool, 1 integer, 2 floating
  union {
    std::int64_t integer_;
    double floating_;
  };
};

}  // namespace xgrad::inline v0
