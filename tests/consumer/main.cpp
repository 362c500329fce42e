// What a program outside the project does with the library: it computes, differentiates, adds an op of its
// own, and catches the library's errors. CMakeLists.txt beside this file builds it against each form of the
// library.
#include <xgrad/xgrad.hpp>

#include <cstdio>
#include <cstring>

namespace {

using namespace xgrad;

int failures = 0;

void check(bool fact, const char* text) {
  if (fact) return;
  std::printf("failed: %s\n", text);
  ++failures;
}

/// a * b of two numbers.
struct Product {
  static constexpr std::string_view name = "consumer_product";
  static std::vector<Sample> samples() { return {sample({}, {})}; }
  static long double reference(long double a, long double b) { return a * b; }

  Array forward(const Array& a, const Array& b) const {
    return Array::scalar(*a.data<double>() * *b.data<double>());
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& a, const Tensor& b, Needs needs) const;
};

Tensor product(const Tensor& a, const Tensor& b) { return record(Product{}, a, b); }

Grads<2> Product::vjp(const Tensor& dy, const Tensor& a, const Tensor& b, Needs needs) const {
  return {needs[0] ? product(dy, b) : Tensor(), needs[1] ? product(dy, a) : Tensor()};
}

void check_gradients() {
  const Tensor x = tensor(3.0, {.dtype = float64, .requires_grad = true});
  const Tensor y = add(product(x, x), x);
  const Tensor first = grad(y, x, {.create_graph = true});
  check(first.item() == 7, "the derivative of x² + x at 3 is 7");
  check(grad(first, x).item() == 2, "its second derivative is 2");
}

void check_errors() {
  try {
    add(zeros({2, 3}), zeros({4}));
    check(false, "shapes (2, 3) and (4,) cannot be added");
  } catch (const ShapeError& error) {
    check(std::strstr(error.what(), "(2, 3)") != nullptr, "the error names the shapes");
  }
}

}  // namespace

int main() {
  check(std::strcmp(version(), XGRAD_VERSION) == 0, "headers and library are of one version");
  check_gradients();
  check_errors();
  return failures == 0 ? 0 : 1;
}
