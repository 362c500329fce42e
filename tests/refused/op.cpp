// Mistakes in an op that must not compile, and the message that each must give: see model.cpp.
//
// CASE 1: this op needs `static constexpr std::string_view name
// CASE 2: this op needs `static std::vector<Sample> samples\(\)`
// CASE 3: this op needs `Array forward\(const Array&...\) const`
// CASE 4: this op has no gradient rule: add `Tensor vjp
// CASE 5: vjp takes the cotangent, then const Tensor&, Skip, Output
// CASE 6: vjp_kernel takes the cotangent, then const Array&, Skip, Output
// CASE 7: forward takes one `const Array&` for each tensor that is passed to record
// CASE 8: forward must take `std::span<const Array>`
// CASE 9: this op has no gradient rule: add `Tensor vjp
#include <xgrad/xgrad.hpp>

using namespace xgrad;

struct Same {
#if CASE != 1
  static constexpr std::string_view name = "same";
#endif
#if CASE != 2  // nothing that the generic tests could try it on
  static std::vector<Sample> samples() { return {sample({3, 4})}; }
#endif
  static long double reference(long double x) { return x; }
#if CASE != 3
  Array forward(const Array& x) const { return x; }
#endif
#if CASE == 4 || CASE == 9  // neither a rule nor the word that there is none
#elif CASE == 5             // by value: saved or not?
  Tensor vjp(const Tensor& dy, std::vector<Tensor>) const { return dy; }
#else
  Tensor vjp(const Tensor& dy) const { return dy; }
#endif
#if CASE == 6  // a kernel takes arrays
  Array vjp_kernel(const Array& dy, const Tensor&) const { return dy; }
#endif
};

/// The same on purpose.
struct Constant {
  static constexpr std::string_view name = "constant";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return {sample({3, 4})}; }
  static long double reference(long double x) { return x; }
  Array forward(const Array& x) const { return x; }
};

Tensor use(const Tensor& x) {
#if CASE == 7
  return record(Same{}, x, x);
#elif CASE == 8
  return record(Same{}, std::span<const Tensor>(&x, 1));
#elif CASE == 9  // found by the test of the op as well
  return check_op<Same>() ? x : x + 1;
#else
  return record(Same{}, record(Constant{}, x));
#endif
}
