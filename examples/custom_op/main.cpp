// Custom ops: an operation of your own, in your own project, as good as a built-in one.
//
// The operation is a gate, as found in many language models: x · σ(y), where σ is the sigmoid. y decides how
// much of x passes. It is written here in four ways, from the most control to the least work:
//
//   1. one struct              its value and its gradient, both by hand
//   2. one xtensor expression  the same, where the value is an expression on whole arrays
//   3. a fused lambda          the value alone, for one element; the gradient is derived
//   4. a composition           a function that calls existing operations
//
// Which one to take? 4, until a profile says otherwise; then 3, if the operation goes element by element;
// else 2 or 1. Nothing else in your program can tell them apart.
#include <xgrad/core/check.hpp>  // to check what we have written
#include <xgrad/core/map.hpp>    // for 1: runs a function of one element over whole arrays
#include <xgrad/ops/fused.hpp>   // for 3
#include <xgrad/xgrad.hpp>
#include <xgrad/xtensor.hpp>  // for 2

#include <chrono>
#include <cmath>
#include <cstdio>

using namespace xgrad;

// ---- 1. One struct. This is how the library's own operations are written, and this block is all there is:
// no list, no registration, no build file names it.
struct Gate {
  static constexpr std::string_view name = "gate";

  // Inputs on which the generic tests try it; sample({3, 4}, {4}) is one with two inputs, the second
  // broadcast.
  static std::vector<Sample> samples() { return {sample({3, 4}, {3, 4}), sample({3, 4}, {4})}; }
  // The value once more, slow and plainly right: what the tests compare with.
  static long double reference(long double x, long double y) { return x / (1 + std::exp(-y)); }

  // The value. Arrays know nothing of gradients. map_floating takes care of shapes, strides and dtypes, and
  // runs the lambda on as many elements at once as the CPU can; a loop of your own or a call into another
  // library would do as well.
  Array forward(const Array& x, const Array& y) const {
    return map_floating(
        name, [](auto a, auto b) { return a * sigmoid(b); }, x, y);
  }

  // The gradient (vjp: vector-Jacobian product). Given how the loss changes with the result, dy, it says how
  // the loss changes with each input. What it takes by its parameters is saved for it: here both inputs. It
  // is written with operations on Tensors, so it can be differentiated again: second derivatives come for
  // free.
  Grads<2> vjp(const Tensor& dy, const Tensor& x, const Tensor& y) const {
    const Tensor s = sigmoid(y);
    return {dy * s, dy * x * s * (1 - s)};
  }
};
Tensor gate(const Tensor& x, const Tensor& y) { return record(Gate{}, x, y); }

// ---- 2. One xtensor expression. Where the value is easier to say for whole arrays than for one element,
// write it with xtensor, which speaks NumPy's language. xt_forward hands the arrays over, as the type of
// their elements asks, and takes the result.
struct GateOnArrays {
  static constexpr std::string_view name = "gate_on_arrays";
  static std::vector<Sample> samples() { return Gate::samples(); }
  // A reference on single numbers, as above, says that an op goes element by element, and such an op must do
  // whatever a built-in one does: mix dtypes, keep the order of axes in memory. One on arrays says less.
  static Array reference(const Array& x, const Array& y) {
    const std::vector<double> a = x.to_vector<double>(), b = y.broadcast_to(x.shape()).to_vector<double>();
    std::vector<double> z(a.size());
    for (std::size_t i = 0; i < z.size(); ++i) {
      z[i] = static_cast<double>(Gate::reference(a[i], b[i]));
    }
    return Array::from<double>(z, x.shape());
  }

  Array forward(const Array& x, const Array& y) const {
    const Shape shape = broadcast_shapes(name, x.shape(), y.shape());
    return xt_forward<Elements::floating>(name, x, y, shape,
                                          [](const auto& a, const auto& b) { return a / (1 + xt::exp(-b)); });
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& x, const Tensor& y) const { return Gate{}.vjp(dy, x, y); }
};
Tensor gate_on_arrays(const Tensor& x, const Tensor& y) { return record(GateOnArrays{}, x, y); }

// ---- 3. A fused lambda. It says what happens to one element; it is run on the CPU's vectors for the value
// and on dual numbers for the gradient, each in one pass over memory. There is no gradient to get wrong.
Tensor gate_fused(const Tensor& x, const Tensor& y) {
  return fused(
      "gate_fused", [](auto a, auto b) { return a * sigmoid(b); }, x, y);
}

// ---- 4. A composition: any C++ function of tensors. The tape records what it calls.
Tensor gate_composed(const Tensor& x, const Tensor& y) { return x * sigmoid(y); }

// A mistake for the tests to find: the gradient in y has lost the factor 1 - σ(y).
struct WrongGate {
  static constexpr std::string_view name = "wrong_gate";
  static std::vector<Sample> samples() { return Gate::samples(); }
  static long double reference(long double x, long double y) { return Gate::reference(x, y); }
  Array forward(const Array& x, const Array& y) const { return Gate{}.forward(x, y); }
  Grads<2> vjp(const Tensor& dy, const Tensor& x, const Tensor& y) const {
    const Tensor s = sigmoid(y);
    return {dy * s, dy * x * s};
  }
};

// ---- the program

int failures = 0;

void expect(bool fact, const char* text) {
  std::printf("  %s %s\n", fact ? "✓" : "✗", text);
  if (!fact) ++failures;
}

using Function2 = Tensor (*)(const Tensor&, const Tensor&);
constexpr struct {
  const char* name;
  Function2 call;
} ways[] = {{"one struct", gate},
            {"one xtensor expression", gate_on_arrays},
            {"a fused lambda", gate_fused},
            {"a composition", gate_composed}};

// check_op tries an op on its samples: values against the reference, first and second derivatives against
// finite differences, float32 against float64, and odd inputs: broadcast, transposed, empty, the same tensor
// twice.
void check() {
  std::puts("\nAre they right? check_op says:");
  const CheckReport one = check_op<Gate>(), two = check_op<GateOnArrays>();
  std::printf("%s\n%s\n", one.str().c_str(), two.str().c_str());
  expect(one.ok() && two.ok(), "value and gradients of both structs are right");

  // Functions are not ops, but they are checked in the same way once they have a name and samples.
  OpInfo function;
  function.samples = &Gate::samples;
  function.inputs = 2;

  function.name = "gate_fused";
  function.scalar_reference = [](const void*, const long double* v) { return Gate::reference(v[0], v[1]); };
  function.apply = [](const Sample&, std::span<const Tensor> in) {
    return std::vector<Tensor>{gate_fused(in[0], in[1])};
  };
  const CheckReport three = check_op(function);

  function.name = "gate_composed";
  function.scalar_reference = nullptr;
  function.array_reference = [](const void*, std::span<const Array> in) {
    return std::vector<Array>{GateOnArrays::reference(in[0], in[1])};
  };
  function.apply = [](const Sample&, std::span<const Tensor> in) {
    return std::vector<Tensor>{gate_composed(in[0], in[1])};
  };
  const CheckReport four = check_op(function);
  std::printf("%s\n%s\n", three.str().c_str(), four.str().c_str());
  expect(three.ok() && four.ok(), "and so are both functions");

  std::puts("\nWould it notice a mistake? The same op with a factor missing in its gradient:");
  const CheckReport wrong = check_op<WrongGate>();
  const std::string text = wrong.str();
  std::printf("%s\n", text.substr(0, text.find('\n', text.find("FAILED"))).c_str());  // the first of many
  expect(!wrong.ok(), "the wrong gradient is found");
}

// The largest difference between two tensors.
double distance(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item(); }

void compare() {
  std::puts("\nAre they the same? Value, gradient and second derivative of each against the first:");
  manual_seed(0);
  const TensorOptions options{.dtype = float64, .requires_grad = true};
  const Tensor x = randn({50, 20}, options), y = randn({20}, options);  // y is broadcast to every row of x
  std::vector<Tensor> first;
  for (const auto& way : ways) {
    const Tensor value = way.call(x, y);
    const std::vector<Tensor> gradient = grad(sum(square(value)), {x, y}, {.create_graph = true});
    const Tensor second = grad(sum(square(gradient[1])), y);
    const std::vector<Tensor> all = {value, gradient[0], gradient[1], second};
    if (first.empty()) first = all;
    double worst = 0;
    for (std::size_t i = 0; i < all.size(); ++i) worst = std::max(worst, distance(all[i], first[i]));
    std::printf("  %-24s largest difference %.1e\n", way.name, worst);
    expect(worst < 1e-9, "the same numbers");
  }
}

void race() {
  std::puts("\nHow fast are they? 100,000 elements, value and gradient, on one thread:");
  set_num_threads(1);
  const Tensor x = randn({100, 1000}, {.requires_grad = true}),
               y = randn({100, 1000}, {.requires_grad = true});
  for (const auto& way : ways) {
    double best = 1e9;
    for (int i = 0; i < 100; ++i) {
      const auto start = std::chrono::steady_clock::now();
      grad(sum(way.call(x, y)), {x, y});
      const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
      best = std::min(best, time.count());
    }
    std::printf("  %-24s %7.1f µs\n", way.name, best);
  }
}

int main() {
  std::puts("x · σ(y) in four ways");
  const Tensor x = tensor({1.0, 2.0, 3.0}, {.requires_grad = true});
  const Tensor y = tensor({-5.0, 0.0, 5.0}, {.requires_grad = true});
  const Tensor z = gate(x, y);
  z.backward({.gradient = ones({3})});
  std::printf("  x = %s, y = %s: gate(x, y) = %s\n", to_string(x).c_str(), to_string(y).c_str(),
              to_string(z).c_str());
  std::printf("  its derivative in x is %s, in y %s\n", to_string(x.grad()).c_str(),
              to_string(y.grad()).c_str());

  check();
  compare();
  race();
  return failures == 0 ? 0 : 1;
}
