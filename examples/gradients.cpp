// Gradients: what the library is about, in one file.
//
// A neural network learns by walking downhill: it needs to know how its error changes when each of its
// numbers changes a little. Those rates are derivatives, thousands or millions of them, and nobody wants to
// derive them by hand. xgrad watches an ordinary C++ computation and derives them afterwards, exactly. This
// program shows how, from the first tensor to the fourth derivative. Read it top to bottom beside what it
// prints.
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <cstdio>

#include "tutorial.hpp"

using namespace xgrad;

// Two numbers that are the same but for rounding.
bool close(double a, double b) { return std::abs(a - b) <= 1e-9 * (1 + std::abs(b)); }

// Everything is computed with tensors: arrays of numbers in any number of dimensions, much like NumPy's.
void tensors() {
  section("1. Tensors");
  const Tensor a = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  show("a", to_string(a));
  show("a's shape", a.shape().str());  // two rows of three

  // Arithmetic goes element by element, and smaller shapes are stretched to fit: this is called broadcasting.
  show("a * 10 + 1", to_string(a * 10 + 1));
  show("a - {1, 2, 3}", to_string(a - tensor({1, 2, 3})));

  // Functions are free functions, and those that people chain are methods too.
  show("exp(a).sum(0)", to_string(exp(a).sum(0)));          // over axis 0: one sum for each column
  show("a · aᵀ", to_string(matmul(a, a.T())));              // a matrix product
  show("a(1, slice(0, 2))", to_string(a(1, slice(0, 2))));  // row 1, columns 0 and 1

  // A tensor is a value. Nothing above has changed a; `item` takes a single element out.
  expect(a.sum().item() == 21, "the elements of a add up to 21");
}

// A derivative says how fast a result changes with an input. Here is one worked out in three ways.
void one_derivative() {
  section("2. One derivative, three ways");
  // f(x) = x² sin(x) at x = 2. By the product rule, f'(x) = 2x sin(x) + x² cos(x).
  const auto f = [](const auto& x) {
    using std::sin;
    return x * x * sin(x);
  };
  const double by_rule = 2 * 2.0 * std::sin(2.0) + 2.0 * 2.0 * std::cos(2.0);
  std::printf("  by the product rule       %.12f\n", by_rule);

  // Without knowing any rule: nudge x and see. Easy, but inexact, and one evaluation for every input: a
  // network with a million weights would be run a million times for one step.
  const double nudge = 1e-6, by_nudging = (f(2.0 + nudge) - f(2.0 - nudge)) / (2 * nudge);
  std::printf("  by nudging x              %.12f\n", by_nudging);

  // By the tape. `requires_grad` says: I shall want derivatives in x. From then on every operation that x
  // takes part in leaves an entry on a tape. `backward` reads the tape from its end to its beginning and puts
  // the derivative into `x.grad()`: exact, and at the price of about two evaluations, however many inputs
  // there are.
  const Tensor x = tensor(2.0, {.dtype = float64, .requires_grad = true});
  const Tensor y = f(x);
  y.backward();
  std::printf("  by the tape               %.12f\n", x.grad().item());
  expect(close(x.grad().item(), by_rule), "the tape's derivative is the exact one");
}

// What the backward sweep does is the chain rule, one operation at a time, last operation first. Here it is
// once by hand, for the smallest piece of a neural network: one neuron with two inputs.
void chain_rule() {
  section("3. The sweep by hand: one neuron");
  const TensorOptions options{.dtype = float64, .requires_grad = true};
  const Tensor x = tensor({1.5, -0.5}, {.dtype = float64});  // the input: nobody wants a derivative in it
  const Tensor w = tensor({0.4, 0.8}, options);              // the weights: these are to be learned
  const Tensor b = tensor(0.1, options);                     // and so is the bias
  const double target = 1;                                   // what the neuron should have answered

  const Tensor z = dot(w, x) + b;          // weigh the inputs,
  const Tensor p = sigmoid(z);             // squash the sum into (0, 1),
  const Tensor loss = square(p - target);  // and measure how wrong that is
  show("answer", to_string(p));
  show("loss", to_string(loss));

  // By hand. Each line multiplies the rate so far by the derivative of one operation, from the loss upwards.
  const double d_loss = 1;                                          // the loss changes like itself
  const double d_p = d_loss * 2 * (p.item() - target);              // loss = (p - target)²
  const double d_z = d_p * p.item() * (1 - p.item());               // p = sigmoid(z)
  const double d_w0 = d_z * x(0).item(), d_w1 = d_z * x(1).item();  // z = w₀x₀ + w₁x₁ + b
  const double d_b = d_z;
  std::printf("  by hand:     d loss / d w = [%.8f, %.8f], d loss / d b = %.8f\n", d_w0, d_w1, d_b);

  loss.backward();
  std::printf("  by the tape: d loss / d w = [%.8f, %.8f], d loss / d b = %.8f\n", w.grad()(0).item(),
              w.grad()(1).item(), b.grad().item());
  expect(close(w.grad()(0).item(), d_w0) && close(w.grad()(1).item(), d_w1) && close(b.grad().item(), d_b),
         "the sweep finds what the chain rule gives by hand");

  // A negative derivative says: more of this, less loss; a positive one says the opposite. So a step against
  // the gradient must help. This is all there is to learning, and linear_regression.cpp takes it from here.
  const Tensor better = square(sigmoid(dot(w - w.grad(), x) + b - b.grad()) - target);
  show("loss one step later", to_string(better));
  expect(better.item() < loss.item(), "a step against the gradient lowers the loss");
}

// Three habits of the tape that surprise everybody once.
void habits() {
  section("4. Habits of the tape");
  const Tensor x = tensor(3.0, {.requires_grad = true});

  // Gradients add up until they are reset: several losses may contribute to one step.
  square(x).backward();
  square(x).backward();
  show("x.grad() after two sweeps of x²", to_string(x.grad()));
  expect(x.grad().item() == 12, "6 + 6: gradients accumulate");
  x.set_grad({});
  expect(!x.grad().defined(),
         "set_grad({}) resets them; an optimizer's zero_grad does that for all parameters");

  // What happens while a NoGrad lives is not recorded, for when only the values matter.
  {
    NoGrad guard;
    expect(!square(x).requires_grad(), "nothing is recorded under NoGrad");
  }

  // `detach` takes a value off the tape: to derivatives it is then a constant.
  const Tensor y = x * square(x).detach();
  expect(grad(y, x).item() == 9, "d(x · c)/dx = c = 9, though c was computed from x");
}

// A gradient may come as a value, from `grad`, and `create_graph` records the sweep itself. Then it can be
// differentiated like anything else.
void higher_derivatives() {
  section("5. Derivatives of derivatives");
  const Tensor x = tensor(0.5, {.dtype = float64, .requires_grad = true});
  Tensor y = sin(x);
  for (const char* name : {"sin", "cos", "-sin", "-cos", "sin again"}) {
    std::printf("  %-10s %+.12f\n", name, y.item());
    y = grad(y, x, {.create_graph = true});
  }
  expect(close(y.item(), std::cos(0.5)), "the fifth derivative of the sine is the cosine");

  // With second derivatives one can do better than walk downhill. Newton's method jumps to where the slope
  // would be 0 if the curvature stayed as it is.
  std::puts("\n  the minimum of x⁴ - 3x³ + 2 by Newton's method:");
  Tensor at = tensor(6.0, {.dtype = float64, .requires_grad = true});
  for (int step = 0; step < 8; ++step) {
    const Tensor f = pow(at, 4) - 3 * pow(at, 3) + 2;
    const Tensor slope = grad(f, at, {.create_graph = true});
    const Tensor curvature = grad(slope, at);
    std::printf("    x = %.12f   f'(x) = %12.6f\n", at.item(), slope.item());
    at = (at - slope / curvature).detach();  // a fresh start: the next step needs nothing of this one's tape
    at.set_requires_grad(true);
  }
  expect(close(at.item(), 2.25), "the minimum is at x = 9/4");
}

// The tape can be looked at. `to_dot` writes what led to a tensor in the language of Graphviz.
void drawing() {
  section("6. Drawing the graph");
  Tensor w = tensor({{0.5, -1.0}, {1.0, 2.0}}, {.requires_grad = true});
  Tensor b = tensor({0.0, 1.0}, {.requires_grad = true});
  w.set_name("weight");
  b.set_name("bias");
  const Tensor loss = mean(square(relu(matmul(tensor({{1.0, 2.0}}), w) + b)));
  const std::string graph = io::to_dot(loss);
  std::printf("%s", graph.c_str());
  if (std::FILE* file = std::fopen("gradients.dot", "w")) {
    std::fputs(graph.c_str(), file);
    std::fclose(file);
    std::puts("  The same is in gradients.dot. To see it: dot -Tsvg gradients.dot > gradients.svg");
  }
  expect(graph.find("relu") != std::string::npos && graph.find("weight") != std::string::npos,
         "the drawing names operations and parameters");
}

// Two things go wrong for everybody: shapes that do not fit, and numbers that stop being numbers.
void mistakes() {
  section("7. When something is wrong");
  // An error names the operation, the shapes, the reason and the remedy. It is thrown before anything
  // happened.
  try {
    matmul(zeros({128, 784}), zeros({500, 10}));
    expect(false, "matrices that do not fit cannot be multiplied");
  } catch (const ShapeError& error) {
    std::printf("  %s\n", error.what());
    expect(true, "matrices that do not fit cannot be multiplied");
  }

  // The derivative of √x at 0 is infinite, and infinity times 0 is not a number: such values spread quietly
  // through a model, and the place where they appear is rarely the place where they were made.
  const Tensor x = tensor({0.0, 4.0}, {.requires_grad = true});
  (sqrt(x) * tensor({0.0, 1.0})).sum().backward();
  show("gradient of √x · {0, 1} at {0, 4}", to_string(x.grad()));
  expect(std::isnan(x.grad()(0).item()), "0 · ∞ is not a number");

  // In anomaly mode every operation is watched, forward and backward, and the first that makes a NaN or an
  // infinity out of finite numbers throws. It costs time, so switch it on when something is wrong.
  try {
    Anomaly guard;
    sqrt(x).sum().backward();
    expect(false, "anomaly mode finds the operation");
  } catch (const ValueError& error) {
    std::printf("  %s\n", error.what());
    expect(true, "anomaly mode finds the operation");
  }
}

int main() {
  tensors();
  one_derivative();
  chain_rule();
  habits();
  higher_derivatives();
  drawing();
  mistakes();
  std::puts("\nNext: linear_regression.cpp, where gradients make a model learn.");
  return result();
}
