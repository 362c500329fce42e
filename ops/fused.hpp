#pragma once
#include <xgrad/core/grad.hpp>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/elementwise.hpp>

/// Elementwise operations from a lambda. An include of its own: the SIMD loops are compiled into the user's
/// file.
namespace xgrad::inline v0 {

namespace detail {

/// The ops behind `fused`, for one, two and three inputs. No rule is written: an unrecorded sweep runs f on
/// dual numbers, a recorded one runs it on tensors and differentiates that. Of one input the derivative is
/// computed along with the value and saved, which costs less than f once more.
template <class F, int N>
struct Fused;

template <class F>
struct Fused<F, 1> {
  static constexpr std::string_view name = "fused";
  static std::vector<Sample> samples() { return {}; }
  Array forward(const Array& x, Save& save) const {
    if (!save.wanted()) return map_floating(label, f, x);
    auto [y, slope] = map_with_slope(label, f, x);
    save(std::move(slope));
    return std::move(y);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return local_grad(f(x), {x}, dy)[0]; }
  Array vjp_kernel(const Array& dy, Saved& saved) const {
    Array slope = saved.take(0);
    // A result that is summed up has the cotangent 1 everywhere, and nothing is left to multiply.
    if (slope.unique() && dy.is_one_number() && dy.value<double>() == 1) return slope;
    return map_in_place(
        label, [](auto s, auto d) { return d * s; }, std::move(slope), dy);
  }

  F f;
  std::string_view label;
};

template <class F>
struct Fused<F, 2> {
  static constexpr std::string_view name = "fused";
  static std::vector<Sample> samples() { return {}; }
  Array forward(const Array& x, const Array& y) const { return map_floating(label, f, x, y); }
  Grads<2> vjp(const Tensor& dy, const Tensor& x, const Tensor& y) const {
    std::vector<Tensor> g = local_grad(f(x, y), {x, y}, dy);
    return {g[0], g[1]};
  }
  GradArrays<2> vjp_kernel(const Array& dy, const Array& x, const Array& y) const {
    return map_gradient(f, dy, x, y);
  }

  F f;
  std::string_view label;
};

template <class F>
struct Fused<F, 3> {
  static constexpr std::string_view name = "fused";
  static std::vector<Sample> samples() { return {}; }
  Array forward(const Array& x, const Array& y, const Array& z) const {
    return map_floating(label, f, x, y, z);
  }
  Grads<3> vjp(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& z) const {
    std::vector<Tensor> g = local_grad(f(x, y, z), {x, y, z}, dy);
    return {g[0], g[1], g[2]};
  }
  GradArrays<3> vjp_kernel(const Array& dy, const Array& x, const Array& y, const Array& z) const {
    return map_gradient(f, dy, x, y, z);
  }

  F f;
  std::string_view label;
};

}  // namespace detail

/// f applied elementwise in one pass at the width of the CPU, with its derivative:
///
///     Tensor y = fused("swiglu", [](auto a, auto b) { return a * sigmoid(a) * b; }, a, b);
///
/// f is a generic lambda of one to three numbers. It is run on SIMD packs for the value, on dual numbers of
/// packs for the gradient, and on tensors where the gradient is to be differentiated again, so it may use
/// what all three have: arithmetic, comparisons, `where`, and the functions of ops/elementwise.hpp, called
/// without a namespace. Numbers it needs are captured by value. Inputs broadcast and are promoted to one
/// floating dtype. `name` stands in messages and graph drawings and must outlive the tape: a literal. Throws
/// ShapeError when shapes do not broadcast.
template <class F, class... T>
requires(sizeof...(T) >= 1 && sizeof...(T) <= 3 &&
         (std::convertible_to<const T&, const Tensor&> && ...)) Tensor
    fused(std::string_view name, F f, const T&... x) {
  const Tensor* const in[] = {&static_cast<const Tensor&>(x)...};
  constexpr int n = static_cast<int>(sizeof...(T));
  for (int i = 0; i < n; ++i)
    if (!in[i]->defined()) detail::throw_undefined_input(name, i);
  detail::Fused<F, n> op{std::move(f), name};
  return detail::run_forward(op, in, n);
}

}  // namespace xgrad::inline v0
