#include <string>
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/check.hpp>
#include <xgrad/core/create.hpp>
#include <xgrad/core/map.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

/// a * b, or with `wrong` what somebody who forgot the second term would write.
struct Times {
  static constexpr std::string_view name = "test_times";
  static std::vector<Sample> samples() { return {sample({3, 4}, {3, 4}), sample({3}, {})}; }
  static long double reference(long double a, long double b) { return a * b; }
  Array forward(const Array& a, const Array& b) const {
    return map_floating(
        name, [](auto p, auto q) { return p * q; }, a, b);
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& a, const Tensor& b) const;
  double wrong = 1;
};
Tensor times(const Tensor& a, const Tensor& b) { return record(Times{}, a, b); }
Grads<2> Times::vjp(const Tensor& dy, const Tensor& a, const Tensor& b) const {
  const Tensor factor(Array::full({}, wrong, dy.dtype()));
  return {times(dy, b), times(times(dy, a), factor)};
}

const Tensor a = tensor({{0.5, -1.25}, {2.0, 0.75}}), b = tensor({1.5, -0.25});

}  // namespace

TEST_CASE("gradcheck accepts right derivatives of any order, of lists, of broadcast and integer inputs") {
  const auto f = [](std::span<const Tensor> x) { return times(times(x[0], x[0]), x[1]); };
  const GradcheckResult r = gradcheck(f, {a, b}, {.order = 3});
  CHECK(r);
  CHECK(r.message.empty());
  CHECK(gradcheck([](const Tensor& x) { return times(x, x); }, a));
  CHECK(gradcheck(
      [](std::span<const Tensor> x) {
        return std::vector<Tensor>{times(x[0], x[1]), x[0]};
      },
      {a, tensor({3, 4})}));
}

TEST_CASE("gradcheck names the input, the direction, both numbers and the worst element of a wrong one") {
  const auto f = [](std::span<const Tensor> x) { return record(Times{1.01}, x[0], x[1]); };
  const GradcheckResult r = gradcheck(f, {a, b});
  CHECK_FALSE(r);
  CHECK_THAT(r.message,
             Catch::Contains("[gradcheck] first derivative in input 1 of shape (2,), direction 0") &&
                 Catch::Contains("from the tape") && Catch::Contains("from finite differences") &&
                 Catch::Contains("relative error 0.01, allowed") && Catch::Contains("furthest off at (0,)"));
}

TEST_CASE("gradcheck finds a gradient that is right and cut from the tape, in the second derivative alone") {
  struct Cut {
    static Tensor of(const Tensor& x) {
      Tensor y = times(x, x);
      if (y.requires_grad()) y.register_hook([](const Tensor& dy) { return dy.detach(); });
      return times(y, y);
    }
  };
  CHECK(gradcheck(Cut::of, a, {.order = 1}));
  const GradcheckResult r = gradcheck(Cut::of, a);
  CHECK_FALSE(r);
  CHECK_THAT(r.message, Catch::Contains("second derivative in"));
}

TEST_CASE("gradcheck refuses a function that changes and inputs that have no derivative") {
  double calls = 0;
  CHECK_THROWS_AS(gradcheck([&](const Tensor& x) { return times(x, tensor(++calls)); }, a), ValueError);
  CHECK_THROWS_AS(gradcheck([](const Tensor& x) { return times(x, x); }, tensor({1, 2})), ValueError);
}

TEST_CASE("gradcheck is as good at large inputs and with float32 ones") {
  CHECK(gradcheck([](const Tensor& x) { return times(x, times(x, x)); }, tensor({1e6, -3e5})));
  CHECK(gradcheck([](const Tensor& x) { return times(x, x); }, tensor({1.5, 2.5}, {.dtype = float32})));
}
