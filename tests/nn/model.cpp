#include <xgrad/xgrad.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

struct Mlp {
  nn::Linear hidden{2, 3};
  nn::Dropout drop{0.5};
  nn::Linear out{3, 1};
  Tensor operator()(const Tensor& x) const { return out(drop(relu(hidden(x)))); }
};

/// The decoder's weight is the encoder's.
struct Tied {
  nn::Linear encoder{4, 4};
  nn::Linear decoder{4, 4};
  nn::BatchNorm1d norm{4};
  Tied() { decoder.weight = encoder.weight; }
  static constexpr std::size_t fields = 3;
  Tensor operator()(const Tensor& x) const { return decoder(norm(encoder(x))); }
};

template <class List>
std::vector<std::string> names(const List& list) {
  std::vector<std::string> all;
  for (const NamedTensor& t : list) all.push_back(t.name);
  return all;
}

using Names = std::vector<std::string>;

std::vector<float> values(const Tensor& t) { return t.to_vector<float>(); }

template <class F>
std::string message(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("parameters come in the order of the fields, each once") {
  CHECK(names(nn::parameters(Mlp())) == Names{"hidden.weight", "hidden.bias", "out.weight", "out.bias"});
  CHECK(names(nn::parameters(Tied())) ==
        Names{"encoder.weight", "encoder.bias", "decoder.bias", "norm.weight", "norm.bias"});
  CHECK(nn::parameters(Tied()).numel() == 16 + 4 + 4 + 4 + 4);
}

TEST_CASE("a frozen parameter stays among the parameters") {
  Mlp m;
  m.hidden.weight.set_requires_grad(false);
  CHECK(nn::named_parameters(m).size() == 4);
}

TEST_CASE("a state dict has buffers too, and tied parameters under both names") {
  CHECK(names(nn::state_dict(Tied())) ==
        Names{"encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias", "norm.weight", "norm.bias",
              "norm.running_mean", "norm.running_var", "norm.num_batches_tracked"});
}

TEST_CASE("a state dict follows the model unless it is a copy") {
  Mlp m;
  const StateDict shared = nn::state_dict(m), copy = nn::state_dict(m, {.copy = true});
  const std::vector<float> before = values(m.out.bias);
  m.out.bias.assign(full({1}, 42.0));
  CHECK(values(*find(shared, "out.bias")) == std::vector<float>{42});
  CHECK(values(*find(copy, "out.bias")) == before);
}

TEST_CASE("load_state_dict assigns in place, so whoever holds a parameter sees it") {
  Mlp a, b;
  const Tensor held = b.hidden.weight;
  nn::load_state_dict(b, nn::state_dict(a));
  CHECK(values(held) == values(a.hidden.weight));
  CHECK(held.impl() == b.hidden.weight.impl());
  a.hidden.weight.assign(zeros({3, 2}));
  CHECK(values(held) != values(a.hidden.weight));
}

TEST_CASE("load_state_dict lists every problem and changes nothing") {
  Mlp m;
  const StateDict before = nn::state_dict(m, {.copy = true});
  StateDict s = nn::state_dict(m, {.copy = true});
  s[0].tensor = zeros({2, 3});
  s[1].tensor = zeros({3}, {.dtype = float64});
  s[2].tensor = zeros({1, 3});
  s[3].name = "last.bias";
  s.push_back(s[2]);
  const std::string what = message([&] { nn::load_state_dict(m, s); });
  CHECK_THAT(what, Catch::Contains("[load_state_dict] 5 problems"));
  CHECK_THAT(what, Catch::Contains("\"hidden.weight\" has shape (3, 2) and the state's (2, 3)"));
  CHECK_THAT(what, Catch::Contains("\"hidden.bias\" is float32 and the state's float64"));
  CHECK_THAT(what, Catch::Contains("\"out.weight\" is twice in the state"));
  CHECK_THAT(what, Catch::Contains("\"out.bias\" is missing"));
  CHECK_THAT(what, Catch::Contains("\"last.bias\" is unexpected"));
  for (const NamedTensor& t : nn::state_dict(m)) CHECK(values(t.tensor) == values(*find(before, t.name)));
}

TEST_CASE("load_state_dict that is not strict takes what fits by name and still checks shapes") {
  Mlp m;
  nn::load_state_dict(m, {{"out.bias", full({1}, 7.0)}, {"other", ones({2})}}, {.strict = false});
  CHECK(values(m.out.bias) == std::vector<float>{7});
  CHECK_THROWS_AS(nn::load_state_dict(m, {{"out.bias", ones({2})}}, {.strict = false}), ValueError);
}

TEST_CASE("one of a tied parameter's names suffices, and two values are an error") {
  Tied a, b;
  StateDict s = nn::state_dict(a, {.copy = true});
  StateDict one = s;
  one.erase(one.begin() + 2);
  nn::load_state_dict(b, one);
  CHECK(values(b.decoder.weight) == values(a.encoder.weight));
  StateDict other = s;
  other.erase(other.begin());
  nn::load_state_dict(b, other);
  s[2].tensor = zeros({4, 4});
  CHECK_THAT(message([&] { nn::load_state_dict(b, s); }),
             Catch::Contains("\"encoder.weight\" and \"decoder.weight\" are one tied parameter"));
}

TEST_CASE("a state that lies in the model's own memory is loaded as it was") {
  struct Two {
    nn::Parameter a{tensor({1.0, 2.0})};
    nn::Parameter b{tensor({3.0, 4.0})};
  };
  Two m;
  nn::load_state_dict(m, {{"a", m.b}, {"b", m.a}});
  CHECK(values(m.a) == std::vector<float>{3, 4});
  CHECK(values(m.b) == std::vector<float>{1, 2});
}

TEST_CASE("copying a model shares its weights and clone does not") {
  Mlp m;
  const Mlp copy = m, clone = nn::clone(m);
  CHECK(values(clone.out.weight) == values(m.out.weight));
  m.out.weight.assign(zeros({1, 3}));
  CHECK(values(copy.out.weight) == std::vector<float>{0, 0, 0});
  CHECK(values(clone.out.weight) != std::vector<float>{0, 0, 0});
}

TEST_CASE("clone keeps ties, what is frozen, modes and names") {
  Tied m;
  nn::parameters(m);
  m.encoder.bias.set_requires_grad(false);
  nn::eval(m);
  const Tied c = nn::clone(m);
  CHECK(c.decoder.weight.impl() == c.encoder.weight.impl());
  CHECK(c.decoder.weight.impl() != m.encoder.weight.impl());
  CHECK_FALSE(c.encoder.bias.requires_grad());
  CHECK(c.decoder.bias.requires_grad());
  CHECK_FALSE(c.norm.running_mean.requires_grad());
  CHECK_FALSE(c.norm.mode.training());
  CHECK(c.decoder.weight.name() == "encoder.weight");
}

TEST_CASE("train and eval set the modes of modules at every depth, users' own among them") {
  struct Noisy {
    nn::Mode mode;
    Tensor operator()(const Tensor& x) const { return mode.training() ? x + 1 : x; }
  };
  struct Model {
    std::vector<Noisy> noisy{{}, {}};
    nn::Sequential body{nn::Dropout{0.5}, Noisy{}};
  };
  Model m;
  nn::eval(m);
  CHECK_FALSE(m.noisy[1].mode.training());
  CHECK(values(m.body(ones({2}))) == std::vector<float>{1, 1});
  nn::train(m);
  CHECK(m.noisy[0].mode.training());
  CHECK(values(m.body(zeros({2}))) == std::vector<float>{1, 1});
}

TEST_CASE("errors call a parameter by its path") {
  Mlp m;
  nn::parameters(m);
  CHECK_THAT(message([&] { matmul(m.hidden.weight, ones({5})); }), Catch::Contains("\"hidden.weight\""));
}

TEST_CASE("value_and_grad of a model gives a struct of the model's shape and leaves the model alone") {
  Mlp m;
  nn::eval(m);
  const Tensor x = tensor({{1.0, 2.0}, {-1.0, 0.5}});
  const auto loss = [](const Mlp& model, const Tensor& input) { return mean(square(model(input))); };
  const auto [value, gradient] = value_and_grad(loss)(m, x);
  const Tensor direct = loss(m, x);
  CHECK(value.item() == direct.item());
  CHECK_FALSE(m.hidden.weight.grad().defined());
  direct.backward();
  CHECK(values(gradient.hidden.weight) == values(m.hidden.weight.grad()));
  CHECK(values(gradient.out.bias) == values(m.out.bias.grad()));
  CHECK(names(nn::parameters(gradient)) == names(nn::parameters(m)));
}

TEST_CASE("value_and_grad gives zeros where the value does not depend, nothing where frozen, one for a tie") {
  Tied m;
  m.encoder.bias.set_requires_grad(false);
  const auto g =
      value_and_grad([](const Tied& t) { return sum(t.encoder.weight * t.decoder.weight); })(m).grad;
  CHECK(values(g.encoder.weight) == values(m.encoder.weight * 2));
  CHECK(g.decoder.weight.impl() == g.encoder.weight.impl());
  CHECK(values(g.decoder.bias) == std::vector<float>(4, 0.0f));
  CHECK_FALSE(g.encoder.bias.defined());
}

TEST_CASE("value_and_grad of a model that is frozen as a whole has no gradients") {
  struct One {
    nn::Parameter w{ones({2})};
  };
  One m;
  m.w.set_requires_grad(false);
  CHECK_FALSE(value_and_grad([](const One& o) { return sum(o.w); })(m).grad.w.defined());
}

TEST_CASE("summary shows layers, output shapes, counts and what is shared") {
  struct Model {
    nn::Linear embed{4, 8};
    std::vector<nn::Sequential> blocks{nn::Sequential{nn::Linear{8, 8}, nn::ReLU{}}};
    nn::Linear head{8, 8};
    nn::BatchNorm1d norm{8};
    Tensor operator()(const Tensor& x) const { return norm(head(blocks[0](embed(x)))); }
  };
  Model m;
  const std::string expected =
      R"(Layer                    Output shape    Parameters
---------------------------------------------------
Model                    (5, 8)
  embed (Linear)         (5, 8)                  40
  blocks.0 (Sequential)  (5, 8)
    0 (Linear)           (5, 8)                  72
    1 (ReLU)             (5, 8)
  head (Linear)          (5, 8)                  72
  norm (BatchNorm1d)     (5, 8)                  16
---------------------------------------------------
Parameters: 200 (200 trained, 0 frozen); buffers: 17
)";
  CHECK(nn::summary(m, {5, 4}) == expected);
  CHECK(m.norm.num_batches_tracked.item<std::int64_t>() == 0);
  CHECK(m.norm.mode.training());
}

TEST_CASE("summary marks shared parameters and counts them once") {
  Tied m;
  const std::string table = nn::summary(m);
  CHECK_THAT(table, Catch::Contains("decoder (Linear)              20  shared"));
  CHECK_THAT(table, Catch::Contains("Parameters: 32 (32 trained, 0 frozen)"));
  m.encoder.weight.set_requires_grad(false);
  CHECK_THAT(nn::summary(m), Catch::Contains("32 (16 trained, 16 frozen)"));
}

TEST_CASE("summary shows every entry of a Sequential, functions and lambdas as function") {
  const nn::Sequential s{nn::Linear{2, 4}, xgrad::tanh, [](const Tensor& x) { return x.sum(1); }};
  const std::string expected =
      R"(Layer           Output shape    Parameters
------------------------------------------
Sequential      (3,)
  0 (Linear)    (3, 4)                  12
  1 (function)  (3, 4)
  2 (function)  (3,)
------------------------------------------
Parameters: 12 (12 trained, 0 frozen)
)";
  CHECK(nn::summary(s, {3, 2}) == expected);
}

TEST_CASE("summary of an embedding takes int64 input") {
  const nn::Embedding e(10, 4);
  CHECK_THAT(nn::summary(e, {2, 3}, {.dtype = int64}), Catch::Contains("(2, 3, 4)"));
}

TEST_CASE("load_keras takes get_weights in Keras's order and transposes kernels") {
  struct Model {
    nn::Linear dense{2, 3};
    nn::BatchNorm1d norm{3};
    nn::Embedding table{2, 2};
    nn::Linear last{3, 1, {.bias = false}};
  };
  Model m;
  std::vector<Tensor> arrays{tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}, {.dtype = float64}),
                             tensor({0.1, 0.2, 0.3}),
                             full({3}, 2.0),
                             full({3}, 3.0),
                             full({3}, 4.0),
                             full({3}, 5.0),
                             tensor({{1.0, 2.0}, {3.0, 4.0}}),
                             tensor({{7.0}, {8.0}, {9.0}})};
  nn::load_keras(m, arrays);
  CHECK(values(m.dense.weight) == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(values(m.norm.weight) == std::vector<float>(3, 2.0f));
  CHECK(values(m.norm.bias) == std::vector<float>(3, 3.0f));
  CHECK(values(m.norm.running_mean) == std::vector<float>(3, 4.0f));
  CHECK(values(m.norm.running_var) == std::vector<float>(3, 5.0f));
  CHECK(values(m.table.weight) == std::vector<float>{1, 2, 3, 4});
  CHECK(values(m.last.weight) == std::vector<float>{7, 8, 9});

  arrays[0] = zeros({3, 2});
  arrays.pop_back();
  const std::string what = message([&] { nn::load_keras(m, arrays); });
  CHECK_THAT(what,
             Catch::Contains("[load_keras] 2 problems: array 0 has shape (3, 2) and \"dense.weight\" takes "
                             "(2, 3); there is no array 7 for \"last.weight\""));
  CHECK(values(m.dense.weight) == std::vector<float>{1, 4, 2, 5, 3, 6});
  arrays.resize(10, zeros({1}));
  CHECK_THAT(message([&] { nn::load_keras(m, arrays); }),
             Catch::Contains("there are 10 arrays and the model takes 8"));
}
