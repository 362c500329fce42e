// Groups, state, threads, rules of one's own, and what is refused.
#include <algorithm>
#include <array>
#include <cmath>
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/create.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/ops/kernels/parallel.hpp>
#include <xgrad/optim/adam.hpp>
#include <xgrad/optim/clip.hpp>
#include <xgrad/optim/rmsprop.hpp>
#include <xgrad/optim/rule.hpp>
#include <xgrad/optim/sgd.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;
using Catch::Contains;

namespace {

nn::Parameters model() {
  const TensorOptions o{.dtype = float32, .requires_grad = true};
  return nn::Parameters(
      {{"hidden.weight", full({4, 3}, 0.5, o)}, {"hidden.bias", ones({4}, o)}, {"out.bias", ones({2}, o)}});
}

void set_gradients(const nn::Parameters& parameters, int t) {
  for (const auto& [name, p] : parameters) {
    std::vector<double> g(static_cast<std::size_t>(p.numel()));
    for (std::size_t i = 0; i < g.size(); ++i)
      g[i] = std::sin(0.37 * t + 0.11 * static_cast<double>(i)) + 0.1 * static_cast<double>(name.size() % 3);
    p.set_grad(tensor(g, p.shape(), {.dtype = p.dtype()}));
  }
}

std::vector<std::vector<double>> values(const nn::Parameters& parameters) {
  std::vector<std::vector<double>> v;
  for (const auto& [name, p] : parameters) v.push_back(p.to_vector<double>());
  return v;
}

template <class O>
void check_restored(const typename O::Options& options) {
  const auto first = model(), second = model();
  O saved(first, options);
  for (int t = 1; t <= 70; ++t) {
    set_gradients(first, t);
    if (t % 3 == 0) first[1].tensor.set_grad(Tensor());
    saved.step();
  }
  const StateDict state = saved.state_dict();
  O restored(second, options);
  for (std::size_t k = 0; k < first.size(); ++k) second[k].tensor.assign(first[k].tensor);
  restored.load_state_dict(state);
  for (int t = 71; t <= 140; ++t) {
    set_gradients(first, t);
    set_gradients(second, t);
    saved.step();
    restored.step();
    REQUIRE(values(first) == values(second));
  }
}

struct LionOptions {
  double lr = 1e-4;
  std::array<double, 2> betas = {0.9, 0.99};
  double weight_decay = 0;
};
/// Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2: all that its author
/// writes.
struct LionRule {
  using Options = LionOptions;
  static constexpr std::string_view name = "lion";
  static std::vector<std::string_view> states(const Options&) { return {"exp_avg"}; }

  template <class T, class Pass>
  void update(const Options& o, std::int64_t, const Pass& pass) {
    pass([lr = T(o.lr), b1 = T(o.betas[0]), b2 = T(o.betas[1])](auto p, auto g, auto m) XGRAD_SIMD_LAMBDA {
      return simd::several(p - lr * sign(b1 * m + (1 - b1) * g), b2 * m + (1 - b2) * g);
    });
  }
};
using Lion = optim::OptimizerOf<LionRule>;

struct WrongRule {
  using Options = LionOptions;
  static constexpr std::string_view name = "wrong";
  static std::vector<std::string_view> states(const Options&) { return {"exp_avg"}; }
  template <class T, class Pass>
  void update(const Options&, std::int64_t, const Pass& pass) {
    pass([](auto p, auto g) XGRAD_SIMD_LAMBDA { return p - g; });
  }
};

}  // namespace

TEST_CASE("a rule of one's own is an optimizer") {
  const Tensor x = tensor({1.0, -1.0}, {.dtype = float64, .requires_grad = true});
  Lion lion({x}, {.lr = 0.125, .betas = {0.5, 0.75}});
  x.set_grad(tensor({3.0, -5.0}, {.dtype = float64}));
  lion.step();
  CHECK(x.to_vector<double>() == std::vector<double>{0.875, -0.875});
  CHECK(find(lion.state_dict(), "0.exp_avg")->to_vector<double>() == std::vector<double>{0.75, -1.25});
  x.set_grad(tensor({-0.5, -1.0}, {.dtype = float64}));
  lion.step();  // 0.5 · 0.75 - 0.5 · 0.5 > 0
  CHECK(x.to_vector<double>() == std::vector<double>{0.75, -0.75});
  check_restored<Lion>({.lr = 0.01, .weight_decay = 0.1});
}

TEST_CASE("groups have options of their own and are picked by name") {
  const auto parameters = model();
  optim::SGD sgd(parameters, {.lr = 0.5});
  CHECK(sgd.group("*.bias", {.lr = 0.25}) == 1);
  REQUIRE(sgd.groups() == 2);
  CHECK(sgd.parameters(0).size() == 1);
  REQUIRE(sgd.parameters(1).size() == 2);
  CHECK(sgd.parameters(1)[1].name == "out.bias");
  const Tensor extra = ones({1}, {.requires_grad = true});
  CHECK(sgd.group({extra}, {.lr = 0.125}) == 2);
  for (const auto& [name, p] : parameters) p.set_grad(ones_like(p));
  extra.set_grad(ones({1}));
  sgd.step();
  CHECK(values(parameters)[0] == std::vector<double>(12, 0.0));
  CHECK(values(parameters)[1] == std::vector<double>(4, 0.75));
  CHECK(extra.item() == 0.875);
  sgd.set_lr(1, 1);
  CHECK(sgd.lr() == 0.5);
  CHECK(sgd.lr(1) == 1);
  sgd.set_lr(2);
  CHECK(sgd.lr() == 2);
  CHECK(sgd.lr(2) == 2);
  CHECK(sgd.options(2).lr == 2);
}

TEST_CASE("state moves with its parameter into another group, and stays when options change") {
  const auto parameters = model(), same = model();
  optim::RMSprop moved(parameters, {.centered = true}), kept(same, {.centered = true});
  for (int t = 1; t <= 3; ++t) {
    for (const auto* m : {&parameters, &same}) set_gradients(*m, t);
    moved.step();
    kept.step();
    if (t == 1) moved.group("hidden.*", {.centered = true});
    if (t == 2) moved.group("*.bias", {.centered = true});
    CHECK(values(parameters) == values(same));
  }
  moved.set_options({.momentum = 0.9}, 2);
  CHECK(find(moved.state_dict(), "out.bias.grad_avg") == nullptr);
  CHECK(find(moved.state_dict(), "out.bias.square_avg")->to_vector<double>() ==
        find(kept.state_dict(), "out.bias.square_avg")->to_vector<double>());
  CHECK(find(moved.state_dict(), "hidden.weight.grad_avg") != nullptr);
  set_gradients(parameters, 4);
  moved.step();
  CHECK(find(moved.state_dict(), "out.bias.momentum_buffer") != nullptr);
}

TEST_CASE("a restored optimizer goes on to the bit") {
  check_restored<optim::SGD>({.lr = 0.1, .momentum = 0.9, .dampening = 0.1});
  check_restored<optim::Adam>({});
  check_restored<optim::Adam>({.eps_hat = true, .amsgrad = true, .clip_norm = 0.5});
  check_restored<optim::AdamW>({});
  check_restored<optim::RMSprop>({.momentum = 0.5, .centered = true});
}

TEST_CASE("a saved state does not change with later steps") {
  const auto parameters = model();
  optim::Adam adam(parameters);
  set_gradients(parameters, 1);
  adam.step();
  const StateDict state = adam.state_dict();
  const auto before = find(state, "hidden.bias.exp_avg")->to_vector<double>();
  adam.step();
  CHECK(find(state, "hidden.bias.exp_avg")->to_vector<double>() == before);
  CHECK(find(state, "hidden.bias.step")->item<int>() == 1);
}

TEST_CASE("a state that does not fit is refused and changes nothing") {
  const auto parameters = model();
  optim::Adam adam(parameters);
  set_gradients(parameters, 1);
  adam.step();
  const StateDict good = adam.state_dict();
  const auto refuses = [&](const StateDict& state, const char* message) {
    const auto before = adam.state_dict();
    CHECK_THROWS_WITH(adam.load_state_dict(state), Contains("[load_state_dict]") && Contains(message));
    const auto after = adam.state_dict();
    REQUIRE(after.size() == before.size());
    for (std::size_t k = 0; k < after.size(); ++k)
      CHECK(after[k].tensor.to_vector<double>() == before[k].tensor.to_vector<double>());
  };
  const auto with = [&](std::string_view name, const Tensor& t) {
    StateDict state = good;
    for (auto& e : state) e.tensor = e.name == name ? t : e.name.ends_with(".step") ? tensor(7) : e.tensor;
    return state;
  };
  REQUIRE(good.back().name == "out.bias.exp_avg_sq");
  refuses({},
          "adam needs \"hidden.weight.step\", which is not among the 0 entries given: load the state of the "
          "same");
  refuses(with("out.bias.exp_avg_sq", ones({3})), "\"out.bias.exp_avg_sq\" has shape (3,), and (2,) here");
  refuses(with("out.bias.exp_avg", ones({2}, {.dtype = float64})),
          "\"out.bias.exp_avg\" is float64, and float32 here");
  refuses(with("out.bias.step", tensor(-1)), "\"out.bias.step\" is -1: a count of steps is not negative");
  refuses(with("out.bias.step", Tensor()), "entry \"out.bias.step\" is undefined");
  StateDict longer = good;
  longer.push_back({"out.bias.momentum_buffer", ones({2})});
  refuses(longer, "adam has no place for 1 of the entries, \"out.bias.momentum_buffer\" among them");
  longer.back().name = "out.bias.step";
  refuses(longer, "two entries are called \"out.bias.step\"");
  adam.load_state_dict(good);
}

TEST_CASE("any number of threads gives the same bits") {
  const auto train = [](int threads) {
    const int before = kernels::num_threads();
    kernels::set_num_threads(threads);
    const TensorOptions o{.requires_grad = true};
    const std::vector<Tensor> parameters = {zeros({40000}, o), zeros({3}, o), zeros({211, 211}, o),
                                            zeros({17000}, o)};
    optim::Adam adam(parameters, {.lr = 0.01, .weight_decay = 0.01, .clip_norm = 1, .clip_value = 0.01});
    for (int t = 1; t <= 5; ++t) {
      for (const Tensor& p : parameters) {
        std::vector<float> g(static_cast<std::size_t>(p.numel()));
        for (std::size_t i = 0; i < g.size(); ++i)
          g[i] = static_cast<float>(std::sin(0.1 * t + 0.01 * static_cast<double>(i)));
        p.set_grad(tensor(g, p.shape()));
      }
      adam.step();
    }
    kernels::set_num_threads(before);
    std::vector<std::vector<float>> all;
    for (const Tensor& p : parameters) all.push_back(p.to_vector<float>());
    return all;
  };
  const auto one = train(1);
  CHECK(train(2) == one);
  CHECK(train(4) == one);
  CHECK(one[0][39999] != 0);  // every element was reached
  CHECK(one[3][16999] != 0);
}

TEST_CASE("parameters move together as each by itself, wherever chunks of them begin and end") {
  const auto parameter = [](std::int64_t n) {
    Tensor p = zeros({n}, {.requires_grad = true});
    std::vector<float> g(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < g.size(); ++i)
      g[i] = static_cast<float>(std::sin(0.01 * static_cast<double>(i) + 1));
    p.set_grad(tensor(g));
    return p;
  };
  const std::int64_t chunk = optim::detail::grain;
  for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{5, 0, 64, 1, 130},
                                                 {0, chunk + 1, 0},
                                                 {chunk, chunk, 0, 1},
                                                 {chunk - 64, 64, chunk - 1, 1, chunk},
                                                 {40000, 3, 0, 2 * chunk, 1, chunk - 1, 64, 50001}}) {
    std::vector<Tensor> together;
    for (const std::int64_t n : sizes) together.push_back(parameter(n));
    optim::Adam adam(together, {.lr = 0.01});
    adam.step();
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      CAPTURE(i, sizes);
      const Tensor alone = parameter(sizes[i]);
      optim::Adam(std::vector<Tensor>{alone}, {.lr = 0.01}).step();
      const std::vector<float> moved = alone.to_vector<float>();
      REQUIRE(std::count(moved.begin(), moved.end(), 0.0F) == 0);
      REQUIRE(together[i].to_vector<float>() == moved);
    }
  }
}

TEST_CASE("an element moves the same wherever it stands") {
  const auto last_of = [](std::int64_t n) {
    const Tensor x = ones({n}, {.requires_grad = true});
    x.set_grad(full({n}, 0.3, {.dtype = float32}));
    optim::Adam adam({x}, {.lr = 0.01});
    adam.step();
    return x.to_vector<float>().back();
  };
  const float expected = last_of(1);
  for (const std::int64_t n : {2, 3, 7, 8, 15, 16, 17, 33, 16384, 16385, 50001})
    CHECK(last_of(n) == expected);
}

TEST_CASE("bad parameters and options are refused with a reason") {
  const Tensor x = ones({2}, {.requires_grad = true});
  const auto refuses = [](auto&& make, const char* message) {
    INFO(message);
    CHECK_THROWS_WITH(make(), Contains(message));
  };
  using optim::Adam, optim::SGD, optim::RMSprop, optim::ParameterList;
  refuses([&] { Adam{ParameterList(std::vector<Tensor>())}; }, "[adam] the list of parameters is empty");
  refuses([&] { Adam({Tensor()}); }, "[adam] parameter \"0\" is undefined");
  refuses([&] { SGD({x, tensor({1, 2})}); }, "[sgd] parameter \"1\" of shape (2,) is int64");
  refuses([&] { SGD({add(x, x)}); }, "is the result of add, and a step would not reach");
  refuses(
      [&] {
        SGD({Tensor(x.array().broadcast_to({3, 2}))});
      },
      "is a view of shape (3, 2) with strides (0, 1)");
  refuses(
      [&] {
        SGD(nn::Parameters({{"w", x}, {"w", ones({3})}}));
      },
      "the second of shape (3,), are called \"w\"");
  refuses([&] { Adam({x}, {.lr = -1}); }, "[adam] option lr = -1 is outside [0, inf)");
  refuses([&] { Adam({x}, {.lr = NAN}); }, "[adam] option lr = nan");
  refuses([&] { Adam({x}, {.betas = {0.9, 1}}); }, "[adam] option betas[1] = 1 is outside [0, 1)");
  refuses([&] { optim::AdamW({x}, {.weight_decay = -1}); }, "[adamw] option weight_decay = -1");
  refuses([&] { Adam({x}, {.clip_norm = 0}); }, "option clip_norm = 0 would stop all learning");
  refuses([&] { SGD({x}, {.nesterov = true}); }, "option nesterov needs momentum and no dampening");
  refuses([&] { RMSprop({x}, {.alpha = 1}); }, "[rmsprop] option alpha = 1");
  refuses([&] { optim::clip_grad_norm({x}, -1); }, "[clip_grad_norm] max_norm = -1");
  refuses([&] { optim::clip_grad_value({x}, NAN); }, "[clip_grad_value] limit = nan");

  Adam adam(nn::Parameters({{"w", x}}));
  refuses([&] { adam.group("*.bias", {}); }, "[adam] no parameter's name matches \"*.bias\"");
  refuses([&] { adam.group({x}, {}); }, "belongs to another group already, as \"w\"");
  refuses([&] { adam.lr(1); }, "[adam] group 1 of 1: use 0 to 0");
  refuses([&] { adam.set_lr(INFINITY); }, "[adam] option lr = inf");
  refuses([&] { adam.set_options({.eps = -1}); }, "[adam] option eps = -1");
  CHECK(adam.lr() == 1e-3);
  CHECK(adam.groups() == 1);

  optim::OptimizerOf<WrongRule> wrong({x});
  x.set_grad(ones({2}));
  refuses([&] { wrong.step(); }, "[wrong] states() names 1 states and the update takes 0");
  CHECK(x.to_vector<double>() == std::vector<double>{1, 1});
}
