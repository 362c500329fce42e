#include <algorithm>
#include <cstdio>
#include <string>
#include <xgrad/core/check.hpp>

#include "tests/support/catch.hpp"

// Would the walk notice a wrong gradient? Each input of each op is passed through an identity whose own
// gradient is wrong, which makes the op's gradient in that input wrong in the same way. The checks must fail.

using namespace xgrad;

namespace {

/// Whether a cotangent other than zero has passed since it was last cleared.
bool any_nonzero = false;

void note(const Array& dy) {
  for (double v : dy.to_vector<double>()) any_nonzero = any_nonzero || v != 0;
}

/// x, with a gradient that is 1% too large.
struct TestScaledIdentity {
  static constexpr std::string_view name = "test_scaled_identity";
  static std::vector<Sample> samples() { return {sample({3})}; }
  static long double reference(long double x) { return x; }
  Array forward(const Array& x) const { return x; }
  Tensor vjp(const Tensor& dy) const;
};

/// 1.01 x.   dx = 1.01 dy
struct TestPercentMore {
  static constexpr std::string_view name = "test_percent_more";
  static std::vector<Sample> samples() { return {sample({3})}; }
  static long double reference(long double x) { return 1.01 * x; }
  Array forward(const Array& x) const {
    std::vector<double> values = x.to_vector<double>();
    for (double& v : values) v *= 1.01;
    Array y = Array::empty_like(x, x.shape(), x.dtype());
    y.copy_in(Array::from<double>(values, x.shape()));
    return y;
  }
  Tensor vjp(const Tensor& dy) const { return record(TestPercentMore{}, dy); }
};

Tensor TestScaledIdentity::vjp(const Tensor& dy) const {
  note(dy.array());
  return record(TestPercentMore{}, dy);
}

/// x, with a gradient of the right value that is cut from the tape.
struct TestDetachedIdentity {
  static constexpr std::string_view name = "test_detached_identity";
  static std::vector<Sample> samples() { return {sample({3})}; }
  static long double reference(long double x) { return x; }
  Array forward(const Array& x) const { return x; }
  Tensor vjp(const Tensor& dy) const {
    note(dy.array());
    return dy.detach();
  }
};

/// The op with the identity before input `which`; other inputs and the value stay what they are.
template <class Identity>
OpInfo mutated(const OpInfo& op, std::size_t which) {
  OpInfo wrong = op;
  wrong.apply = [&op, which](const Sample& s, std::span<const Tensor> in) {
    std::vector<Tensor> inputs(in.begin(), in.end());
    if (which < inputs.size() && is_floating(inputs[which].dtype()))
      inputs[which] = record(Identity{}, inputs[which]);
    return op.apply(s, inputs);
  };
  return wrong;
}

std::size_t most_inputs(const OpInfo& op) {
  std::size_t n = 0;
  for (const Sample& s : op.samples()) n = std::max(n, s.inputs().size());
  return n;
}

/// Mutates each input of each differentiable op, and expects `check` to fail.
template <class Identity>
void mutate_all(std::string_view check) {
  std::string without;
  int caught = 0;
  for (const OpInfo& op : registered_ops()) {
    if (op.name.starts_with("test_") || !op.differentiable) continue;
    bool any = false;
    for (std::size_t i = 0; i < most_inputs(op); ++i) {
      any_nonzero = false;
      const CheckReport report = check_op(mutated<Identity>(op, i), {check});
      if (!any_nonzero) continue;  // nothing to scale or detach
      any = true;
      INFO(op.name << ", input " << i);
      CHECK(report.failed(check));
      caught += report.failed(check) ? 1 : 0;
    }
    if (!any) without.append(" ").append(op.name);
  }
  std::printf("%s: %d mutations caught; left out, because the gradient is zero everywhere:%s\n",
              std::string(Identity::name).c_str(), caught, without.c_str());
}

}  // namespace

TEST_CASE("a gradient that is 1% too large does not pass the first derivatives") {
  mutate_all<TestScaledIdentity>("first derivatives");
}

TEST_CASE("a gradient that is cut from the tape does not pass the second derivatives") {
  mutate_all<TestDetachedIdentity>("second derivatives");
}

TEST_CASE("a value that is off by one part in a million fails") {
  const CheckReport right = check_op<TestPercentMore>();
  CHECK(right);
  OpInfo wrong = detail::op_info<TestPercentMore>();
  wrong.scalar_reference = [](const void*, const long double* x) { return 1.010001L * x[0]; };
  CHECK(check_op(wrong).failed("value"));
}
