#include <xgrad/xgrad.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

std::vector<std::string> names(const StateDict& list) {
  std::vector<std::string> all;
  for (const NamedTensor& t : list) all.push_back(t.name);
  return all;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("Sequential calls its modules in order") {
  const nn::Sequential s{[](const Tensor& x) { return x + 1; }, [](const Tensor& x) { return x * 10; }};
  CHECK(s(tensor(2.0)).item() == 30);
  CHECK(s.size() == 2);
}

TEST_CASE("an empty Sequential returns its input") { CHECK(nn::Sequential()(tensor(2.0)).item() == 2); }

TEST_CASE("Sequential nests, and numbers are the paths") {
  const nn::Sequential s{nn::Linear{2, 4}, nn::ReLU{}, nn::Sequential{nn::Tanh{}, nn::Linear{4, 4}},
                         nn::Linear{4, 1, {.bias = false}}};
  CHECK(names(nn::state_dict(s)) == Names{"0.weight", "0.bias", "2.1.weight", "2.1.bias", "3.weight"});
  CHECK(s(ones({3, 2})).shape() == Shape{3, 1});
}

TEST_CASE("Sequential holds users' structs, functions and lambdas without captures") {
  struct Scale {
    nn::Parameter factor{full({1}, 3.0)};
    Tensor operator()(const Tensor& x) const { return x * factor; }
  };
  const nn::Sequential s{Scale{}, xgrad::tanh, [](const Tensor& x) { return x.sum(); }};
  CHECK(names(nn::state_dict(s)) == Names{"0.factor"});
  CHECK(s(ones({2})).item() == Approx(2 * std::tanh(3.0)));
}

TEST_CASE("Sequential is a value: a copy shares weights, and has modes of its own") {
  nn::Sequential a{nn::Linear{2, 2}, nn::Dropout{0.5}};
  nn::Sequential b = a;
  CHECK(nn::parameters(b)["0.weight"].impl() == nn::parameters(a)["0.weight"].impl());
  nn::eval(b);
  const Tensor x = ones({100, 2});
  CHECK(b(x).to_vector<float>() == nn::Sequential(b)(x).to_vector<float>());
  CHECK(count_nonzero(a(x)).item() < 200);
  b = nn::Sequential{nn::Tanh{}};
  CHECK(b.size() == 1);
  CHECK(a.size() == 2);
}

TEST_CASE("Sequential grows by append") {
  nn::Sequential s;
  for (int i = 0; i < 3; ++i) s.append(nn::Linear(2, 2));
  s.append(nn::ReLU{});
  CHECK(nn::parameters(s).size() == 6);
}

TEST_CASE("Sequential is a field with a default") {
  struct Model {
    nn::Sequential body{nn::Linear{2, 3}, nn::ReLU{}};
    nn::Linear out{3, 1};
  };
  Model m;
  CHECK(names(nn::state_dict(m)) == Names{"body.0.weight", "body.0.bias", "out.weight", "out.bias"});
  const Model c = nn::clone(m);
  CHECK(nn::parameters(c)[0].tensor.impl() != nn::parameters(m)[0].tensor.impl());
}
