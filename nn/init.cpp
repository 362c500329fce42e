#include <xgrad/nn/init.hpp>

#include <fmt/core.h>

#include <cmath>
#include <vector>
#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/random.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/elementwise.hpp>

namespace xgrad::inline v0::nn::init {

namespace {

/// The standard deviation of a standard normal cut off at ±2.
constexpr double truncated_std = 0.87962566103423978;

/// Standard normals, each within ±2: about one in 22 is drawn again.
Tensor truncated(const Shape& shape, DType dtype, Generator* generator) {
  const std::int64_t n = shape.numel();
  std::vector<double> kept;
  kept.reserve(static_cast<std::size_t>(n));
  while (static_cast<std::int64_t>(kept.size()) < n) {
    const std::int64_t missing = n - static_cast<std::int64_t>(kept.size());
    for (double z : randn({missing + missing / 16 + 8}, {.dtype = dtype}, generator).to_vector<double>())
      if (std::fabs(z) <= 2 && static_cast<std::int64_t>(kept.size()) < n) kept.push_back(z);
  }
  return tensor(kept, shape, {.dtype = dtype});
}

Initializer he(std::string_view op, Initializer::Kind kind, const HeOptions& o) {
  xgrad::detail::require_finite(op, "negative_slope", o.negative_slope);
  if (o.fan == Fan::none)
    throw ValueError(op, "Fan::none leaves the variance open: give Fan::in, Fan::out or Fan::average");
  return {kind, std::sqrt(2 / (1 + o.negative_slope * o.negative_slope)), 0, o.fan};
}

}  // namespace

Fans fans(const Shape& shape) {
  if (shape.rank() < 2)
    throw ShapeError("init",
                     fmt::format("shape {} has no numbers of inputs and outputs: use uniform, normal or "
                                 "constant for fewer than two axes",
                                 shape.str()));
  double extent = 1;
  for (int i = 2; i < shape.rank(); ++i) extent *= static_cast<double>(shape[i]);
  return {static_cast<double>(shape[1]) * extent, static_cast<double>(shape[0]) * extent};
}

Tensor Initializer::operator()(const Shape& shape, const std::optional<DType>& dtype,
                               Generator* generator) const {
  const NoGrad no_grad;
  const DType t = dtype.value_or(default_dtype());
  if (!is_floating(t)) throw_not_floating("init", t);
  check_shape("init", shape);
  if (!std::isfinite(a_) || !std::isfinite(b_) || (fan_ != Fan::none && a_ < 0))
    throw ValueError("init", fmt::format("parameters {} and {} of a distribution for shape {}: give finite "
                                         "numbers, and a gain that is 0 or more",
                                         a_, b_, shape.str()));
  if (fan_ == Fan::none && kind_ == Kind::uniform && a_ > b_)
    throw ValueError("init",
                     fmt::format("uniform from {} to {} for shape {}: low must not be above high: swap "
                                 "them",
                                 a_, b_, shape.str()));
  if (fan_ == Fan::none && (kind_ == Kind::normal || kind_ == Kind::truncated_normal) && b_ < 0)
    throw ValueError(
        "init",
        fmt::format("a standard deviation of {} for shape {}: give one that is 0 or more", b_, shape.str()));
  double a = a_, b = b_;
  if (fan_ != Fan::none) {
    const Fans f = fans(shape);
    const double fan = fan_ == Fan::in ? f.in : fan_ == Fan::out ? f.out : (f.in + f.out) / 2;
    const double std = fan > 0 ? a_ / std::sqrt(fan) : 0;
    if (kind_ == Kind::uniform) {
      b = std::sqrt(3.0) * std;
      a = -b;
    } else {
      a = 0;
      b = kind_ == Kind::truncated_normal ? std / truncated_std : std;
    }
  }
  switch (kind_) {
    case Kind::constant:
      return full(shape, a, {.dtype = t});
    case Kind::uniform:
      return rand(shape, {.dtype = t}, generator) * (b - a) + a;
    case Kind::normal:
      return randn(shape, {.dtype = t}, generator) * b + a;
    case Kind::truncated_normal:
      return truncated(shape, t, generator) * b + a;
    case Kind::pytorch:
    case Kind::keras:
      break;
  }
  throw ValueError("init",
                   "the default of a layer is known to the layer alone: pass a distribution, such as "
                   "glorot_uniform()");
}

Initializer he_uniform(HeOptions options) { return he("he_uniform", Initializer::Kind::uniform, options); }
Initializer he_normal(HeOptions options) {
  return he("he_normal", options.truncated ? Initializer::Kind::truncated_normal : Initializer::Kind::normal,
            options);
}

}  // namespace xgrad::inline v0::nn::init
