// xgrad's side of the single operations: softmax, layer norm, GELU written out, and every elementwise op and
// reduction on 1024 × 1024 elements, with the peers' inputs.
#include <xgrad/ops/fused.hpp>
#include <xgrad/xgrad.hpp>

#include "workload.hpp"

namespace {

using namespace xgrad;
using Step = std::function<void()>;
using Inputs = const std::vector<Tensor>&;

/// y = f(x), then the gradients of the leaves for a given cotangent.
Step forward_backward(std::vector<Tensor> leaves, std::function<Tensor(Inputs)> f) {
  for (Tensor& leaf : leaves) leaf = leaf.detach().set_requires_grad(true);
  const Tensor cotangent = rand(leaves[0].shape());
  return [=] {
    for (const Tensor& leaf : leaves) leaf.set_grad({});
    f(leaves).backward({.gradient = cotangent});
  };
}

/// The gradient of Σ f(x).
Step gradient_of_sum(Tensor x, std::function<Tensor(const Tensor&)> f) {
  x.set_requires_grad(true);
  return [=] {
    x.set_grad({});
    sum(f(x)).backward();
  };
}

Step forward_only(std::vector<Tensor> inputs, std::function<Tensor(Inputs)> f) {
  return [=] {
    const NoGrad guard;
    f(inputs);
  };
}

Tensor gelu_written_out(const Tensor& x) {
  return fused(
      "gelu", [](auto v) { return 0.5 * v * (1 + tanh(0.7978845608028654 * (v + 0.044715 * v * v * v))); },
      x);
}

void add(const std::string& name, std::function<Step()> make) {
  bench::workloads().push_back({name, "xgrad", [=](int) {
                                  manual_seed(1);
                                  return make();
                                }});
}

void add_both(const std::string& name, std::function<std::vector<Tensor>()> inputs,
              std::function<Tensor(Inputs)> f) {
  add(name, [=] { return forward_only(inputs(), f); });
  add(name + "_grad", [=] { return forward_backward(inputs(), f); });
}

/// Inputs of the op_ workloads: a and b uniform in (low, high), c in (0, 1), random masks.
struct Operands {
  Operands(double low, double high)
      : a(rand({1024, 1024}) * (high - low) + low),
        b(rand({1024, 1024}) * (high - low) + low),
        c(rand({1024, 1024})),
        mask(rand({1024, 1024}) > 0.5),
        other_mask(rand({1024, 1024}) > 0.5) {}
  Tensor a, b, c, mask, other_mask;
};

void add_op(const std::string& name, double low, double high, std::function<Tensor(const Operands&)> f) {
  add("op_" + name, [=]() -> Step {
    return [in = Operands(low, high), f] {
      const NoGrad guard;
      f(in);
    };
  });
}

void add_unary_ops() {
  struct Unary {
    const char* name;
    double low, high;
    Tensor (*f)(const Tensor&);
  };
  const Unary table[] = {
      {"neg", -1, 1, neg},
      {"abs", -1, 1, abs},
      {"sign", -1, 1, sign},
      {"exp", -1, 1, exp},
      {"expm1", -1, 1, expm1},
      {"log", 0.1, 4, log},
      {"log1p", -0.9, 4, log1p},
      {"log2", 0.1, 4, log2},
      {"log10", 0.1, 4, log10},
      {"sqrt", 0.1, 4, sqrt},
      {"rsqrt", 0.1, 4, rsqrt},
      {"square", -1, 1, square},
      {"reciprocal", 0.1, 4, reciprocal},
      {"sin", -3, 3, sin},
      {"cos", -3, 3, cos},
      {"tan", -1, 1, tan},
      {"asin", -0.9, 0.9, asin},
      {"acos", -0.9, 0.9, acos},
      {"atan", -3, 3, atan},
      {"sinh", -3, 3, sinh},
      {"cosh", -3, 3, cosh},
      {"tanh", -3, 3, [](const Tensor& x) { return tanh(x); }},
      {"asinh", -3, 3, asinh},
      {"acosh", 1.1, 4, acosh},
      {"atanh", -0.9, 0.9, atanh},
      {"sigmoid", -3, 3, [](const Tensor& x) { return sigmoid(x); }},
      {"log_sigmoid", -3, 3, log_sigmoid},
      {"relu", -1, 1, [](const Tensor& x) { return relu(x); }},
      {"leaky_relu", -1, 1, [](const Tensor& x) { return leaky_relu(x); }},
      {"elu", -1, 1, [](const Tensor& x) { return elu(x); }},
      {"selu", -1, 1, selu},
      {"celu", -1, 1, [](const Tensor& x) { return celu(x); }},
      {"silu", -3, 3, silu},
      {"mish", -3, 3, mish},
      {"softplus", -3, 3, [](const Tensor& x) { return softplus(x); }},
      {"softsign", -3, 3, softsign},
      {"hardtanh", -3, 3, [](const Tensor& x) { return hardtanh(x); }},
      {"hardsigmoid", -4, 4, hardsigmoid},
      {"hardswish", -4, 4, hardswish},
      {"gelu", -3, 3, [](const Tensor& x) { return gelu(x); }},
      {"gelu_tanh", -3, 3, [](const Tensor& x) { return gelu(x, GeluForm::tanh); }},
      {"erf", -3, 3, erf},
      {"erfc", -3, 3, erfc},
      {"clip", -1, 1, [](const Tensor& x) { return clip(x, -0.5, 0.5); }},
      {"floor", -9, 9, floor},
      {"ceil", -9, 9, ceil},
      {"round", -9, 9, round},
      {"isnan", -1, 1, isnan},
      {"isinf", -1, 1, isinf},
      {"isfinite", -1, 1, isfinite},
  };
  for (const Unary& op : table)
    add_op(op.name, op.low, op.high, [f = op.f](const Operands& in) { return f(in.a); });
}

void add_binary_ops() {
  struct Binary {
    const char* name;
    Tensor (*f)(const Operands&);
  };
  const Binary table[] = {
      {"add", [](const Operands& in) { return in.a + in.b; }},
      {"sub", [](const Operands& in) { return in.a - in.b; }},
      {"mul", [](const Operands& in) { return in.a * in.b; }},
      {"div", [](const Operands& in) { return in.a / in.b; }},
      {"pow", [](const Operands& in) { return pow(in.a, in.b); }},
      {"atan2", [](const Operands& in) { return atan2(in.a, in.b); }},
      {"maximum", [](const Operands& in) { return maximum(in.a, in.b); }},
      {"minimum", [](const Operands& in) { return minimum(in.a, in.b); }},
      {"fmod", [](const Operands& in) { return fmod(in.a, in.b); }},
      {"where", [](const Operands& in) { return where(in.mask, in.a, in.b); }},
      {"lerp", [](const Operands& in) { return lerp(in.a, in.b, in.c); }},
      {"equal", [](const Operands& in) { return in.a == in.b; }},
      {"not_equal", [](const Operands& in) { return in.a != in.b; }},
      {"less", [](const Operands& in) { return in.a < in.b; }},
      {"less_equal", [](const Operands& in) { return in.a <= in.b; }},
      {"greater", [](const Operands& in) { return in.a > in.b; }},
      {"greater_equal", [](const Operands& in) { return in.a >= in.b; }},
      {"logical_and", [](const Operands& in) { return logical_and(in.mask, in.other_mask); }},
      {"logical_or", [](const Operands& in) { return logical_or(in.mask, in.other_mask); }},
      {"logical_xor", [](const Operands& in) { return logical_xor(in.mask, in.other_mask); }},
      {"logical_not", [](const Operands& in) { return logical_not(in.mask); }},
  };
  for (const Binary& op : table) add_op(op.name, 0.5, 2, op.f);
}

/// The one axis named, if any.
std::optional<std::int64_t> axis_of(const Axes& axes) {
  if (axes.every()) return {};
  return axes.list()[0];
}

/// Each reduction over everything, over rows (the last axis) and over columns (axis 0).
void add_reductions() {
  struct Reduction {
    const char* name;
    Tensor (*over)(const Operands&, const Axes&);
  };
  const Reduction table[] = {
      {"sum", [](const Operands& in, const Axes& axes) { return sum(in.a, axes); }},
      {"mean", [](const Operands& in, const Axes& axes) { return mean(in.a, axes); }},
      {"max", [](const Operands& in, const Axes& axes) { return max(in.a, axes); }},
      {"min", [](const Operands& in, const Axes& axes) { return min(in.a, axes); }},
      {"var", [](const Operands& in, const Axes& axes) { return var(in.a, axes); }},
      {"std", [](const Operands& in, const Axes& axes) { return xgrad::std(in.a, axes); }},
      {"norm", [](const Operands& in, const Axes& axes) { return norm(in.a, axes); }},
      {"logsumexp", [](const Operands& in, const Axes& axes) { return logsumexp(in.a, axes); }},
      {"any", [](const Operands& in, const Axes& axes) { return any(in.mask, axes); }},
      {"all", [](const Operands& in, const Axes& axes) { return all(in.mask, axes); }},
      {"count_nonzero", [](const Operands& in, const Axes& axes) { return count_nonzero(in.mask, axes); }},
      {"prod", [](const Operands& in, const Axes& axes) { return prod(in.a, axes); }},
      {"argmax", [](const Operands& in, const Axes& axes) { return argmax(in.a, axis_of(axes)); }},
      {"argmin", [](const Operands& in, const Axes& axes) { return argmin(in.a, axis_of(axes)); }},
  };
  for (const Reduction& op : table) {
    const std::string name = op.name;
    const auto over = [f = op.over](Axes axes) { return [=](const Operands& in) { return f(in, axes); }; };
    add_op(name, 0.99, 1.01, over(every_axis));
    add_op(name + "_rows", 0.99, 1.01, over(1));
    add_op(name + "_columns", 0.99, 1.01, over(0));
  }
  for (const std::int64_t axis : {1, 0}) {
    const std::string suffix = axis == 1 ? "_rows" : "_columns";
    add_op("cumsum" + suffix, 0.99, 1.01, [axis](const Operands& in) { return cumsum(in.a, axis); });
    add_op("cumprod" + suffix, 0.99, 1.01, [axis](const Operands& in) { return cumprod(in.a, axis); });
  }
}

[[maybe_unused]] const bool registered = [] {
  const auto square = [] { return std::vector{randn({1024, 1024})}; };
  add("gelu", [] { return gradient_of_sum(randn({1'000'000}), gelu_written_out); });
  add("gelu_10m", [] { return gradient_of_sum(randn({10'000'000}), gelu_written_out); });
  add_both("softmax", square, [](Inputs in) { return softmax(in[0]); });
  add_both("log_softmax", square, [](Inputs in) { return log_softmax(in[0]); });
  add_both(
      "layer_norm",
      [] {
        return std::vector{randn({1024, 1024}), ones({1024}), zeros({1024})};
      },
      [](Inputs in) { return layer_norm(in[0], {1024}, in[1], in[2]); });
  add_unary_ops();
  add_binary_ops();
  add_reductions();
  return true;
}();

}  // namespace
