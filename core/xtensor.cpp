#include <fmt/core.h>

#include <xgrad/core/xtensor.hpp>

// The errors of the templates in the header.
namespace xgrad::inline v0::detail {

void throw_adapt_dtype(DType have, DType want) {
  throw DTypeError("adapt",
                   fmt::format("an array of {} is no {}: adapt<T>() takes the type it holds, or convert "
                               "with astype({})",
                               name(have), name(want), name(want)));
}

void throw_expression_shape(std::string_view op, const Shape& have, const Shape& want) {
  throw ShapeError(op, fmt::format("the expression has shape {} and the result {}: make them equal",
                                   have.str(), want.str()));
}

void throw_mixed_dtypes(std::string_view op, DType a, DType b) {
  throw DTypeError(
      op, fmt::format("inputs of {} and {}: convert them with astype to one dtype", name(a), name(b)));
}

}  // namespace xgrad::inline v0::detail
