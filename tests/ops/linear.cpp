// What `linear` ends with: an activation given to it, or one applied to its fresh result.
#include <xgrad/xgrad.hpp>

#include <catch2/catch.hpp>

using namespace xgrad;

namespace {

using Values = std::vector<double>;
const TensorOptions leaf{.dtype = float64, .requires_grad = true};

struct Inputs {
  Tensor x = randn({5, 3}, leaf), w = randn({4, 3}, leaf), b = randn({4}, leaf);
  Tensor product() const { return linear(x, w, b); }
};

struct Case {
  Activation activation;
  const char* name;
  Tensor (*f)(Tensor);
};
const Case cases[] = {{Activation::relu, "linear_relu", relu},
                      {Activation::sigmoid, "linear_sigmoid", sigmoid},
                      {Activation::tanh, "linear_tanh", tanh}};

bool is_one_operation(const Tensor& y, const Case& c) {
  return io::to_dot(y).find(std::string("\"") + c.name) != std::string::npos;
}

/// The value, the gradients, and the gradients of a function of those.
std::vector<Values> everything(const Inputs& in, const Tensor& y) {
  const Tensor weights = (1.0 + arange(20, {.dtype = float64})).reshape({5, 4});
  const std::vector<Tensor> leaves{in.x, in.w, in.b};
  const std::vector<Tensor> first = grad(sum(y * y * weights), leaves, {.create_graph = true});
  Tensor total = tensor(0.0, {.dtype = float64});
  for (const Tensor& g : first) total = total + sum(g * g);
  std::vector<Values> all{y.to_vector<double>()};
  for (const Tensor& g : first) all.push_back(g.to_vector<double>());
  for (const Tensor& g : grad(total, leaves)) all.push_back(g.to_vector<double>());
  return all;
}

}  // namespace

TEST_CASE("an activation of a product that nobody else holds is a part of it, and changes no bit") {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Inputs in;
    const Tensor product = in.product(), apart = c.f(product);
    CHECK_FALSE(is_one_operation(apart, c));
    const std::vector<Values> expected = everything(in, apart);

    const Tensor joined = c.f(in.product());
    CHECK(is_one_operation(joined, c));
    CHECK(everything(in, joined) == expected);

    const Tensor given = linear(in.x, in.w, in.b, c.activation);
    CHECK(is_one_operation(given, c));
    CHECK(everything(in, given) == expected);
  }
}

TEST_CASE("kernels and the tape agree on the gradients of a product that ends with an activation") {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Inputs in;
    const std::vector<Tensor> leaves{in.x, in.w, in.b};
    const std::vector<Tensor> by_kernels = grad(sum(square(c.f(in.product()))), leaves),
                              by_tape = grad(sum(square(c.f(in.product()))), leaves, {.create_graph = true});
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      const Values a = by_kernels[i].to_vector<double>(), b = by_tape[i].to_vector<double>();
      for (std::size_t k = 0; k < a.size(); ++k) CHECK(a[k] == Approx(b[k]).epsilon(1e-13).margin(1e-14));
    }
  }
}

TEST_CASE("a product that somebody holds keeps its value") {
  const Inputs in;
  const Case& c = cases[0];
  SECTION("as a name") {
    const Tensor h = in.product(), before = h.detach() * 1.0, y = relu(h);
    CHECK(h.to_vector<double>() == before.to_vector<double>());
    CHECK_FALSE(is_one_operation(y, c));
  }
  SECTION("as another handle") {
    Tensor h = in.product();
    const Tensor other = h, before = h.detach() * 1.0, y = relu(std::move(h));
    CHECK(other.to_vector<double>() == before.to_vector<double>());
    CHECK_FALSE(is_one_operation(y, c));
  }
  SECTION("as a view") {
    Tensor h = in.product();
    const Tensor view = h.detach(), before = view * 1.0, y = relu(std::move(h));
    CHECK(view.to_vector<double>() == before.to_vector<double>());
  }
  SECTION("as what another operation saved") {
    Tensor h = in.product();
    const Tensor s = square(h);
    const Values expected = (2.0 * h.detach()).to_vector<double>();
    const Tensor y = relu(std::move(h));
    CHECK_FALSE(is_one_operation(y, c));
    CHECK(grad(s.sum() + 0.0 * y.sum(), in.b).to_vector<double>() ==
          sum(tensor(expected, {.dtype = float64}).reshape({5, 4}), 0).to_vector<double>());
  }
}

TEST_CASE("a second activation, a hook, anomaly mode and NoGrad leave the product an operation of its own") {
  const Inputs in;
  SECTION("two activations") {
    const Tensor y = sigmoid(relu(in.product()));
    const Tensor product = in.product(), inner = relu(product), apart = sigmoid(inner);
    CHECK(is_one_operation(y, cases[0]));
    CHECK(everything(in, y) == everything(in, apart));
  }
  SECTION("a hook on the product sees the product's gradient") {
    Tensor h = in.product(), seen;
    const HookHandle handle = h.register_hook([&](const Tensor& g) {
      seen = g;
      return Tensor();
    });
    const Values active = (h.detach() > 0).astype(float64).to_vector<double>();
    relu(std::move(h)).sum().backward();
    CHECK(seen.to_vector<double>() == active);
  }
  SECTION("anomaly mode names each operation") {
    const Anomaly anomaly;
    CHECK_FALSE(is_one_operation(relu(in.product()), cases[0]));
  }
  SECTION("under NoGrad the result is a constant") {
    Tensor h = in.product();
    const NoGrad no_grad;
    CHECK_FALSE(relu(std::move(h)).requires_grad());
  }
  SECTION("a product whose history a sweep has freed stays so") {
    Tensor h = in.product();
    h.sum().backward();
    const Tensor y = relu(std::move(h));
    CHECK_THROWS_AS(y.sum().backward(), GraphError);
  }
}

TEST_CASE("modules pass a product on to the activation that follows") {
  const nn::Sequential model{nn::Linear{3, 4}, nn::ReLU{}, nn::Linear{4, 4}, nn::Tanh{}, nn::Linear{4, 1}};
  const Tensor y = model(randn({2, 3}));
  CHECK(is_one_operation(y, cases[0]));
  CHECK(is_one_operation(y, cases[2]));
}
