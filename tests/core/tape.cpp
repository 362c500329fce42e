#include <thread>
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/op.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

/// a * b on scalars of float64: an op as somebody outside the library writes it.
struct Product {
  static constexpr std::string_view name = "test_product";
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

Tensor leaf(double v) { return tensor(v, {.dtype = float64, .requires_grad = true}); }

}  // namespace

TEST_CASE("backward adds to the gradient of a leaf") {
  const Tensor x = leaf(3);
  CHECK_FALSE(x.grad().defined());
  product(x, x).backward();
  CHECK(x.grad().item() == 6);
  const Tensor held = x.grad();
  product(x, x).backward();
  CHECK(x.grad().item() == 12);
  CHECK(held.item() == 6);  // a gradient that somebody holds does not change
}

TEST_CASE("derivatives of derivatives come from the tape") {
  const Tensor x = leaf(3);
  const Tensor y = product(product(x, x), x);
  const Tensor d1 = grad(y, x, {.create_graph = true});
  const Tensor d2 = grad(d1, x, {.create_graph = true});
  const Tensor d3 = grad(d2, x);
  CHECK(d1.item() == 27);
  CHECK(d2.item() == 18);
  CHECK(d3.item() == 6);
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("a gradient is summed over broadcast axes and converted back to the input's dtype") {
  const Tensor a = tensor({{1, 2, 3}, {4, 5, 6}}, {.dtype = float64, .requires_grad = true});
  const Tensor b = tensor({1, 1, 1}, {.dtype = float32, .requires_grad = true});
  sum_to(add(a, b), {}).backward();
  CHECK(b.grad().dtype() == float32);
  CHECK(b.grad().to_vector<double>() == std::vector<double>{2, 2, 2});
  CHECK(a.grad().to_vector<double>() == std::vector<double>(6, 1.0));
}

TEST_CASE("a second sweep over freed history is an error that says so") {
  const Tensor x = leaf(2);
  const Tensor y = product(x, x);
  y.backward({.retain_graph = true});
  y.backward();
  CHECK(x.grad().item() == 8);
  CHECK_THROWS_WITH(y.backward(),
                    Catch::Contains("history of test_product was freed") && Catch::Contains("retain_graph"));
  CHECK(x.grad().item() == 8);
}

TEST_CASE("a saved value that was overwritten is an error and never a wrong gradient") {
  const Tensor x = leaf(2);
  const Tensor y = product(x, x);
  x.assign(tensor(5.0));
  CHECK_THROWS_WITH(y.backward(), Catch::Contains("was overwritten by assign"));
  CHECK_FALSE(x.grad().defined());
  CHECK(x.item() == 5);
}

TEST_CASE("grad refuses an input that the output does not depend on") {
  const Tensor x = leaf(2), other = leaf(1);
  const Tensor y = product(x, x);
  CHECK_THROWS_AS(grad(y, other), GraphError);
  CHECK_FALSE(grad(y, other, {.retain_graph = true, .allow_unused = true}).defined());
  CHECK(grad(y, x).item() == 4);
}

TEST_CASE("grad reaches intermediates") {
  const Tensor x = leaf(2);
  const Tensor u = product(x, x);
  const Tensor y = product(u, u);
  const std::vector<Tensor> g = grad(y, {u, x});
  CHECK(g[0].item() == 8);
  CHECK(g[1].item() == 32);
}

TEST_CASE("NoGrad and detach cut the tape") {
  const Tensor x = leaf(2);
  {
    NoGrad guard;
    CHECK_FALSE(product(x, x).requires_grad());
  }
  const Tensor y = product(x.detach(), x);
  y.backward();
  CHECK(x.grad().item() == 2);
}

TEST_CASE("hooks see and may replace the cotangent until they are removed") {
  const Tensor x = leaf(3);
  double seen = 0;
  const auto run = [&](bool hooked) {
    const Tensor u = product(x, x);
    HookHandle h = u.register_hook([&](const Tensor& g) {
      seen += g.item();
      return add(g, g);
    });
    if (!hooked) h.remove();
    return grad(product(u, u), x).item();
  };
  CHECK(run(true) == 216);
  CHECK(seen == 18);
  CHECK(run(false) == 108);
  CHECK(seen == 18);
}

TEST_CASE("a chain of a million entries is swept and dropped without recursion, and leaves nothing behind") {
  const Tensor x = leaf(1);
  const auto chain = [&](bool swept) {
    Tensor y = x;
    for (int i = 0; i < 1'000'000; ++i) y = product(y, x);
    x.set_grad({});
    if (!swept) return;
    y.backward();
    CHECK(x.grad().item() == 1'000'001);
  };
  chain(true);
  // What the first one gave back is enough for the others; a leak check sees it under the address sanitizer.
  const std::int64_t reserved = memory_stats().reserved;
  chain(false);
  chain(true);
  CHECK(memory_stats().reserved == reserved);
}

TEST_CASE("threads that differentiate over the same leaf with grad agree") {
  const Tensor x = leaf(3);
  double results[2] = {};
  const auto work = [&](int k) {
    for (int i = 0; i < 200; ++i) results[k] = grad(product(product(x, x), x), x).item();
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  CHECK(results[0] == 27);
  CHECK(results[1] == 27);
}

TEST_CASE("a graph that another thread built sweeps in order") {
  const Tensor x = leaf(2);
  Tensor u;
  std::thread([&] {
    u = x;
    for (int i = 0; i < 50; ++i) u = product(u, tensor(1.0, {.dtype = float64}));
  }).join();
  product(product(u, u), x).backward();
  CHECK(x.grad().item() == 12);
}

TEST_CASE("value_and_grad leaves its argument alone") {
  const auto f = value_and_grad([](const Tensor& x) { return product(x, x); });
  const Tensor x = tensor(4.0, {.dtype = float64});
  const auto [value, gradient] = f(x);
  CHECK(value.item() == 16);
  CHECK(gradient.item() == 8);
  CHECK_FALSE(x.requires_grad());
}
