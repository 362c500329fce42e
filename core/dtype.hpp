#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

/// The element types of arrays and the rules by which they combine.
namespace xgrad::inline v0 {

/// The type of an array's elements.
enum class DType : std::uint8_t { float32, float64, int32, int64, uint8, bool_ };

inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;
inline constexpr DType int32 = DType::int32;
inline constexpr DType int64 = DType::int64;
inline constexpr DType uint8 = DType::uint8;
inline constexpr DType bool_ = DType::bool_;

/// Bytes of one element.
constexpr std::size_t itemsize(DType t) {
  constexpr std::uint8_t sizes[] = {4, 8, 4, 8, 1, 1};
  return sizes[static_cast<int>(t)];
}

/// NumPy's name of the type: "float32", …, "bool".
std::string_view name(DType t);

constexpr bool is_floating(DType t) { return t == DType::float32 || t == DType::float64; }
constexpr bool is_integer(DType t) { return t == DType::int32 || t == DType::int64 || t == DType::uint8; }

/// The dtype of a result that combines `a` and `b`: the Python array API standard's table; where that leaves
/// it open, bool with anything gives the other and an integer with a float gives the float.
DType promote(DType a, DType b);

/// The dtype of floating literals, of creation functions without a `.dtype`, and of int / int. float32 unless
/// a `DefaultDType` guard says otherwise on this thread.
DType default_dtype();

/// While it lives, `default_dtype()` of this thread is `t`. Throws DTypeError unless `t` is a floating type.
class DefaultDType {
 public:
  explicit DefaultDType(DType t);
  ~DefaultDType();
  DefaultDType(const DefaultDType&) = delete;
  DefaultDType& operator=(const DefaultDType&) = delete;

 private:
  DType previous_;
};

template <class T>
struct DTypeOf {
  static_assert(
      sizeof(T) == 0,
      "[xgrad] elements are float, double, int32_t, int64_t, uint8_t or bool: convert the values to one of "
      "these types");
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::float64;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::int32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::uint8;
};
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::bool_;
};

/// The DType of the C++ element type T: one of float, double, int32_t, int64_t, uint8_t, bool.
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

/// Calls `f.template operator()<T>()` with the C++ type of `t`.
template <class F>
decltype(auto) dispatch(DType t, F&& f) {
  switch (t) {
    case DType::float32:
      return f.template operator()<float>();
    case DType::float64:
      return f.template operator()<double>();
    case DType::int32:
      return f.template operator()<std::int32_t>();
    case DType::int64:
      return f.template operator()<std::int64_t>();
    case DType::uint8:
      return f.template operator()<std::uint8_t>();
    case DType::bool_:
      break;
  }
  return f.template operator()<bool>();
}

/// Throws DTypeError: "[op] expects a floating dtype, got int64: convert with astype(float32)".
[[noreturn]] void throw_not_floating(std::string_view op, DType t);

/// Calls `f.template operator()<T>()` for float32 or float64; any other dtype is a DTypeError naming `op`.
template <class F>
decltype(auto) dispatch_floating(std::string_view op, DType t, F&& f) {
  if (t == DType::float32) return f.template operator()<float>();
  if (t != DType::float64) throw_not_floating(op, t);
  return f.template operator()<double>();
}

/// Calls `f.template operator()<T>()` for every dtype but bool; bool is a DTypeError naming `op`.
[[noreturn]] void throw_not_numeric(std::string_view op, DType t);
template <class F>
decltype(auto) dispatch_numeric(std::string_view op, DType t, F&& f) {
  switch (t) {
    case DType::float32:
      return f.template operator()<float>();
    case DType::float64:
      return f.template operator()<double>();
    case DType::int32:
      return f.template operator()<std::int32_t>();
    case DType::int64:
      return f.template operator()<std::int64_t>();
    case DType::uint8:
      return f.template operator()<std::uint8_t>();
    case DType::bool_:
      break;
  }
  throw_not_numeric(op, t);
}

}  // namespace xgrad::inline v0
