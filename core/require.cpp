#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <xgrad/core/require.hpp>

namespace xgrad::inline v0::detail {

void throw_null(std::string_view op, std::string_view what) {
  throw ValueError(op, fmt::format("{} is null: give one that can be called", what));
}

void require_floating(std::string_view op, const Tensor& x) {
  if (!is_floating(x.dtype()))
    throw DTypeError(op,
                     fmt::format("expects a floating dtype, got {} of shape {}: convert with astype(float32)",
                                 name(x.dtype()), x.shape().str()));
}

void require_finite(std::string_view op, std::string_view option, double value) {
  if (!std::isfinite(value))
    throw ValueError(op, fmt::format("{} is {}: give a finite number", option, value));
}

void require_rank(std::string_view op, const Shape& shape, int rank) {
  if (rank > max_rank)
    throw ShapeError(op, fmt::format("shape {} would get {} axes: an array has at most {}: merge some with "
                                     "reshape first",
                                     shape.str(), rank, max_rank));
}

void require_fits(std::string_view op, Scalar value, DType t) {
  if (!is_integer(t) || value.is_bool()) return;
  dispatch(t, [&]<class T>() {
    constexpr auto low = std::numeric_limits<T>::lowest(), high = std::numeric_limits<T>::max();
    bool fits = false;
    if (value.is_floating()) {
      // The limits of int64 are no doubles; the power of two above the upper one is.
      const double v = std::trunc(value.to<double>());
      fits = v >= static_cast<double>(low) && v < 2 * static_cast<double>(high / 2 + 1);
    } else {
      const auto v = value.to<std::int64_t>();
      fits = v >= static_cast<std::int64_t>(low) && v <= static_cast<std::int64_t>(high);
    }
    if (fits) return;
    const std::string shown = value.is_floating() ? fmt::format("{}", value.to<double>())
                                                  : fmt::format("{}", value.to<std::int64_t>());
    throw ValueError(op, fmt::format("{} does not fit {}, which goes from {} to {}: use a wider dtype", shown,
                                     name(t), low, high));
  });
}

void require_gradient_dtype(std::string_view op, DType t, bool requires_grad) {
  if (requires_grad && !is_floating(t))
    throw DTypeError(op, fmt::format("{} values have no gradient: leave out .requires_grad, or ask for "
                                     ".dtype = float32",
                                     name(t)));
}

}  // namespace xgrad::inline v0::detail
