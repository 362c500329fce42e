#pragma once
#include <vector>

#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/shape.hpp>

#include "tests/support/catch.hpp"

/// For tests of ops that move elements about.
namespace xgrad::test {

using Values = std::vector<double>;

inline void check(const Tensor& x, const Shape& shape, const Values& values) {
  CHECK(x.shape() == shape);
  CHECK(x.to_vector<double>() == values);
}

/// 0, 1, 2, … in float64.
inline Tensor counting(const Shape& shape, bool requires_grad = false) {
  const Tensor x = arange(0, shape.numel(), 1, {.dtype = float64}).reshape(shape).detach();
  if (requires_grad) x.set_requires_grad(true);
  return x;
}

/// d Σ w·y / dx with weights 1, 2, 3, …: tells apart where each element of the cotangent went.
inline Values weighted_gradient(const Tensor& y, const Tensor& x) {
  return grad(sum_to(y * (counting(y.shape()) + 1), {}), x).to_vector<double>();
}

}  // namespace xgrad::test
