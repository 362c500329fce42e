#include <fmt/core.h>

#include <xgrad/core/dtype.hpp>
#include <xgrad/core/errors.hpp>

namespace xgrad::inline v0 {

namespace {
constinit thread_local DType default_dtype_ = DType::float32;
}

std::string_view name(DType t) {
  constexpr std::string_view names[] = {"float32", "float64", "int32", "int64", "uint8", "bool"};
  return names[static_cast<int>(t)];
}

DType promote(DType a, DType b) {
  using enum DType;
  // Rows and columns in the enum's order. int32 with uint8 gives int32; an integer with a float the float.
  constexpr DType table[6][6] = {
      {float32, float64, float32, float32, float32, float32},
      {float64, float64, float64, float64, float64, float64},
      {float32, float64, int32, int64, int32, int32},
      {float32, float64, int64, int64, int64, int64},
      {float32, float64, int32, int64, uint8, uint8},
      {float32, float64, int32, int64, uint8, bool_},
  };
  return table[static_cast<int>(a)][static_cast<int>(b)];
}

DType default_dtype() { return default_dtype_; }

DefaultDType::DefaultDType(DType t) : previous_(default_dtype_) {
  if (!is_floating(t)) throw_not_floating("DefaultDType", t);
  default_dtype_ = t;
}

DefaultDType::~DefaultDType() { default_dtype_ = previous_; }

void throw_not_floating(std::string_view op, DType t) {
  throw DTypeError(op,
                   fmt::format("expects a floating dtype, got {}: convert with astype(float32)", name(t)));
}

void throw_not_numeric(std::string_view op, DType t) {
  throw DTypeError(op, fmt::format("expects numbers, got {}: convert with astype(int64)", name(t)));
}

}  // namespace xgrad::inline v0
