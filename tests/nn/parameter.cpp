#include <xgrad/core/create.hpp>
#include <xgrad/nn/parameter.hpp>
#include <xgrad/ops/elementwise.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

TEST_CASE("a parameter requires a gradient and a buffer does not") {
  CHECK(nn::Parameter(ones({2})).requires_grad());
  CHECK_FALSE(nn::Buffer(ones({2})).requires_grad());
  CHECK_FALSE(nn::Parameter().defined());
}

TEST_CASE("training a parameter leaves the tensor that it was made from alone") {
  const Tensor t = tensor({1.0, 2.0});
  const nn::Parameter p(t);
  p.assign(zeros({2}));
  CHECK(t.to_vector<float>() == std::vector<float>{1, 2});
  CHECK_FALSE(t.requires_grad());
  const nn::Parameter view(t.reshape({2, 1}));
  view.assign(zeros({2, 1}));
  CHECK(t.to_vector<float>() == std::vector<float>{1, 2});
}

TEST_CASE("a parameter made from a temporary takes its memory") {
  Tensor t = ones({4});
  const float* data = t.data<float>();
  CHECK(nn::Parameter(std::move(t)).data<float>() == data);
}

TEST_CASE("a parameter made from a broadcast view or a recorded result is a leaf that can be assigned to") {
  const nn::Parameter row(broadcast_to(ones({1, 3}), {2, 3}));
  row.assign(tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}));
  CHECK(row.to_vector<float>() == std::vector<float>{1, 2, 3, 4, 5, 6});
  const Tensor x = ones({2}, {.requires_grad = true});
  const nn::Parameter p(x * 2.0);
  CHECK(p.is_leaf());
}

TEST_CASE("a parameter reads as a tensor in operations") {
  const nn::Parameter p(tensor({1.0, -2.0}));
  const nn::Buffer b(tensor({3.0, 4.0}));
  CHECK((p * b + 1.0).to_vector<float>() == std::vector<float>{4, -7});
  CHECK(maximum(p, 0.0).to_vector<float>() == std::vector<float>{1, 0});
  const Tensor& t = p;
  CHECK(t.impl() == p.impl());
}

TEST_CASE("a frozen parameter gets no gradient and stays a parameter") {
  const nn::Parameter w(tensor({2.0})), frozen(tensor({3.0}));
  frozen.set_requires_grad(false);
  (w * frozen).backward();
  CHECK(w.grad().item() == 3.0);
  CHECK_FALSE(frozen.grad().defined());
}

TEST_CASE("an integer parameter is a DTypeError, an integer buffer is not") {
  CHECK_THROWS_AS(nn::Parameter(tensor({1, 2})), DTypeError);
  CHECK(nn::Buffer(tensor({1, 2})).dtype() == int64);
}

TEST_CASE("an override goes before a module's mode, on its thread, while it lives") {
  nn::Mode mode;
  CHECK(mode.training());
  {
    nn::ModeOverride evaluate(false);
    CHECK_FALSE(mode.training());
    {
      nn::ModeOverride train(true);
      CHECK(mode.training());
    }
    CHECK_FALSE(mode.training());
    CHECK(mode.set_to_training());
  }
  CHECK(mode.training());
  mode.set(false);
  CHECK_FALSE(mode.training());
}

TEST_CASE("parameters are picked by patterns of their names") {
  const Tensor t = ones({2, 3});
  const nn::Parameters all({{"hidden.weight", t}, {"hidden.bias", t}, {"out.weight", t}, {"out.bias", t}});
  const auto names = [](const nn::Parameters& p) {
    std::string s;
    for (const auto& [name, tensor] : p) s += name + ' ';
    return s;
  };
  CHECK(names(all.matching("*.bias")) == "hidden.bias out.bias ");
  CHECK(names(all.except("*.bias")) == "hidden.weight out.weight ");
  CHECK(names(all.matching("hidden.*")) == "hidden.weight hidden.bias ");
  CHECK(names(all.matching("*d*i*t")) == "hidden.weight ");
  CHECK(names(all.matching("out.bias")) == "out.bias ");
  CHECK(names(all.matching("out")).empty());
  CHECK(all.matching("*").size() == 4);
  CHECK(all.numel() == 24);
  CHECK(all["out.bias"].shape() == Shape{2, 3});
  CHECK_THROWS_WITH(all["missing"], Catch::Contains("[parameters] none of the 4 is called \"missing\""));
}
