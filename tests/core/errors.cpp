#include <cmath>
#include <xgrad/core/check.hpp>
#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/random.hpp>
#include <xgrad/core/writable.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

#include "tests/support/refusals.hpp"

using namespace xgrad;
using test::is;
using test::Refusal;

TEST_CASE("wrong creations are refused") {
  const std::vector<float> six{1, 2, 3, 4, 5, 6};
  // clang-format off
  test::check({
      {is<ShapeError>, "tensor", [] { tensor({{1, 2}, {3}}); }, {"shapes (2,) and (1,)", "equally long"}},
      {is<ValueError>, "tensor", [] { tensor({1, 300}, {.dtype = uint8}); },
       {"300 does not fit uint8", "wider"}},
      {is<ValueError>, "tensor", [] { tensor({NAN}, {.dtype = int32}); }, {"nan does not fit int32"}},
      {is<DTypeError>, "tensor", [] { tensor({1, 2}, {.requires_grad = true}); },
       {"int64 values have no gradient", ".dtype = float32"}},
      {is<ShapeError>, "tensor", [&] { tensor(six, {2, 2}); },
       {"6 values for shape (2, 2), which has 4", "make them equal"}},
      {is<ShapeError>, "tensor", [&] { tensor(six, {-2, -3}); },
       {"(-2, -3) has a negative size", "0 or more"}},
      {is<ValueError>, "tensor", [] { tensor(static_cast<const float*>(nullptr), {2, 3}); },
       {"the values of shape (2, 3) is null", "pass one to 6 values"}},
      {is<ShapeError>, "shape", [] { zeros({1, 1, 1, 1, 1, 1, 1, 1, 1}); },
       {"9 axes", "at most 8", "reshape"}},
      {is<ShapeError>, "zeros", [] { zeros({2, -1}); }, {"(2, -1) has a negative size", "0 or more"}},
      {is<ShapeError>, "ones", [] { ones({1 << 30, 1 << 30}); }, {"more elements than memory", "smaller"}},
      {is<DTypeError>, "ones", [] { ones({2}, {.dtype = bool_, .requires_grad = true}); },
       {"bool values have no"}},
      {is<ValueError>, "full", [] { full({2}, 256, {.dtype = uint8}); },
       {"256 does not fit uint8", "0 to 255"}},
      {is<ValueError>, "full", [] { full({2}, -1e30, {.dtype = int64}); }, {"-1e+30 does not fit int64"}},
      {is<ValueError>, "zeros_like", [] { zeros_like(Tensor()); }, {"undefined tensor"}},
      {is<DTypeError>, "ones_like", [] { ones_like(tensor({1}), {.requires_grad = true}); },
       {"int64 values"}},
      {is<ValueError>, "full_like", [] { full_like(zeros({2}, {.dtype = uint8}), -1); },
       {"-1 does not fit uint8"}},
      {is<ShapeError>, "eye", [] { eye(3, -2); }, {"(3, -2) has a negative size"}},
      {is<ValueError>, "arange", [] { arange(0, 5, 0); }, {"a step of 0 never leads from 0 to 5", "another"}},
      {is<ValueError>, "arange", [] { arange(0, INFINITY); }, {"from 0 to inf by 1", "finite numbers"}},
      {is<ValueError>, "arange", [] { arange(0, 300, 1, {.dtype = uint8}); }, {"299 does not fit uint8"}},
      {is<ShapeError>, "linspace", [] { linspace(0, 1, -1); }, {"(-1,) has a negative size"}},
      {is<ValueError>, "linspace", [] { linspace(0, NAN); }, {"stop is nan", "finite number"}},
      {is<DTypeError>, "DefaultDType", [] { DefaultDType guard(int32); },
       {"floating dtype, got int32", "astype"}},
  });
  // clang-format on
}

TEST_CASE("arrays that memory cannot hold are refused") {
  // More bytes than addresses: no setting of the system grants them.
  const Shape shape{1 << 23, 1 << 23};
  const Tensor wide = tensor(1.0f).broadcast_to(shape), scaled = tensor(1.0, {.requires_grad = true}) * 2.0;
  const std::vector<std::string> parts{"(8388608, 8388608) of float32", "2.62e+05 GiB", "smaller batch"};
  test::check({
      {is<MemoryError>, "zeros", [&] { zeros(shape); }, parts},
      {is<MemoryError>, "ones_like", [&] { ones_like(wide); }, parts},
      {is<MemoryError>, "eye", [&] { eye(1 << 23); }, parts},
      {is<MemoryError>, "arange", [&] { arange(1LL << 46, {.dtype = float32}); }, {"GiB", "narrower dtype"}},
      {is<MemoryError>, "linspace", [&] { linspace(0, 1, 1LL << 46); }, {"GiB", "narrower dtype"}},
      {is<MemoryError>, "exp", [&] { exp(wide); }, parts},
      {is<MemoryError>, "mul", [&] { mul(wide, scaled); }, {"(8388608, 8388608)", "b is the result of mul"}},
      {is<MemoryError>,
       "concat",
       [&] {
         concat({wide, wide});
       },
       {"(16777216, 8388608)", "GiB"}},
  });
}

TEST_CASE("wrong draws are refused, and no random number is used up") {
  Generator own(3);
  // clang-format off
  test::check({
      {is<DTypeError>, "rand", [&] { rand({2}, {.dtype = int64}, &own); }, {"got int64"}},
      {is<MemoryError>, "rand", [&] { rand({1 << 23, 1 << 23}, {}, &own); }, {"(8388608, 8388608)", "GiB"}},
      {is<MemoryError>, "randint", [&] { randint(0, 3, {1 << 23, 1 << 23}, {}, &own); }, {"int64", "GiB"}},
      {is<MemoryError>, "randperm", [&] { randperm(1LL << 46, {}, &own); }, {"GiB"}},
      {is<MemoryError>, "bernoulli", [&] { bernoulli(0.5, {1 << 23, 1 << 23}, {}, &own); }, {"GiB"}},
      {is<ShapeError>, "randn", [&] { randn({-1}, {}, &own); }, {"(-1,) has a negative size"}},
      {is<ValueError>, "randint", [&] { randint(3, 3, {2}, {}, &own); },
       {"no integer in [3, 3)", "less than high"}},
      {is<ValueError>, "randint", [&] { randint(0, 300, {2}, {.dtype = uint8}, &own); },
       {"[0, 300)", "wider .dtype"}},
      {is<DTypeError>, "randint", [&] { randint(0, 3, {2}, {.requires_grad = true}, &own); },
       {"int64 values"}},
      {is<ValueError>, "randperm", [&] { randperm(-1, {}, &own); }, {"n is -1", "0 or more"}},
      {is<ValueError>, "randperm", [&] { randperm(300, {.dtype = uint8}, &own); },
       {"below 300 do not fit uint8"}},
      {is<ValueError>, "bernoulli", [&] { bernoulli(NAN, {2}, {}, &own); }, {"p is nan", "[0, 1]"}},
      {is<DTypeError>, "bernoulli",
       [&] { bernoulli(0.5, {2}, {.dtype = bool_, .requires_grad = true}, &own); },
       {"bool values have no gradient"}},
      {is<ValueError>, "Generator::reserve", [&] { own.reserve(-4); }, {"-4 words", "0 or more"}},
  });
  // clang-format on
  CHECK(own.offset() == 0);
}

TEST_CASE("an undefined tensor is refused by each member of Tensor, by its name") {
  const Tensor none, x = zeros({2});
  const Tensor leaf = zeros({2}, {.requires_grad = true});
  // clang-format off
  test::check({
      {is<ValueError>, "tensor", [&] { none.shape(); }, {"undefined", "give it a value"}},
      {is<ValueError>, "tensor", [&] { none.to_vector<float>(); }, {"undefined"}},
      {is<ValueError>, "size", [&] { none.size(0); }, {"undefined"}},
      {is<ValueError>, "item", [&] { none.item(); }, {"undefined"}},
      {is<ValueError>, "data", [&] { none.data<float>(); }, {"undefined"}},
      {is<ValueError>, "grad", [&] { none.grad(); }, {"undefined"}},
      {is<ValueError>, "detach", [&] { none.detach(); }, {"undefined"}},
      {is<ValueError>, "set_requires_grad", [&] { none.set_requires_grad(true); }, {"undefined"}},
      {is<ValueError>, "set_grad", [&] { none.set_grad(x); }, {"undefined"}},
      {is<ValueError>, "set_name", [&] { none.set_name("w"); }, {"undefined"}},
      {is<ValueError>, "register_hook", [&] { none.register_hook([](const Tensor& g) { return g; }); },
       {"undefined"}},
      {is<ValueError>, "backward", [&] { none.backward(); }, {"undefined"}},
      {is<ValueError>, "assign", [&] { none.assign(x); }, {"undefined"}},
      {is<ValueError>, "assign", [&] { leaf.assign(none); }, {"a tensor of shape (2,)", "undefined"}},
      {is<ValueError>, "Writable", [&] { Writable<float> w(none); }, {"undefined"}},
      {is<ValueError>, "add", [&] { none + 1; }, {"input 0 is an undefined tensor"}},
      {is<ValueError>, "sub", [&] { 1.5 - none; }, {"input 1 is an undefined tensor"}},
  });
  // clang-format on
}

TEST_CASE("values are not taken out of a tensor in another form than they have") {
  const Tensor x = zeros({2, 3});
  // clang-format off
  test::check({
      {is<ShapeError>, "item", [&] { x.item(); }, {"shape (2, 3) has 6 elements", "index it first"}},
      {is<DTypeError>, "data", [&] { x.data<double>(); }, {"float32, asked for as float64", "astype"}},
      {is<ShapeError>, "data", [&] { x.T().data<float>(); }, {"(3, 2)", "contiguous()"}},
      {is<IndexError>, "size", [&] { x.size(2); }, {"axis 2", "shape (2, 3)", "use -2 to 1"}},
      {is<IndexError>, "size", [] { tensor(1.0).size(0); }, {"axis 0 of shape ()", "leave the axis out"}},
      {is<DTypeError>, "Writable", [&] { Writable<double> w(x); }, {"(2, 3) holds float32, not float64"}},
      {is<GraphError>, "Writable", [&] { Writable<float> w(broadcast_to(ones({3}), {2, 3})); },
       {"shape (2, 3) is a broadcast view", "contiguous()"}},
  });
  // clang-format on
}

TEST_CASE("misuse of a leaf is refused, and its values, gradient and version stay") {
  const Tensor leaf = tensor({{1.0, 2.0}}, {.requires_grad = true});
  leaf.set_name("w");
  leaf.set_grad(tensor({{5.0, 6.0}}));
  const Tensor y = leaf * 2, view = broadcast_to(ones({2}), {3, 2});
  const auto version = leaf.array().version();
  // clang-format off
  test::check({
      {is<DTypeError>, "set_requires_grad", [] { tensor({1}).set_requires_grad(true); }, {"int64", "astype"}},
      {is<GraphError>, "set_requires_grad", [&] { y.set_requires_grad(false); },
       {"the result of mul of shape (1, 2)", "detach()"}},
      {is<ShapeError>, "set_grad", [&] { leaf.set_grad(zeros({2})); }, {"(2,) for \"w\" of shape (1, 2)"}},
      {is<DTypeError>, "set_grad", [&] { leaf.set_grad(zeros({1, 2}, {.dtype = float64})); },
       {"float64 for \"w\"", "astype(float32)"}},
      {is<GraphError>, "set_name", [&] { y.set_name("y"); }, {"the result of mul"}},
      {is<ValueError>, "register_hook", [&] { leaf.register_hook(nullptr); }, {"the hook is null"}},
      {is<GraphError>, "register_hook", [&] { view.register_hook([](const Tensor& g) { return g; }); },
       {"shape (3, 2) does not require a gradient", "set_requires_grad(true)"}},
      {is<GraphError>, "assign", [&] { y.assign(leaf); }, {"the result of mul", "use a leaf"}},
      {is<ShapeError>, "assign", [&] { leaf.assign(zeros({3})); },
       {"(3,) do not broadcast to \"w\" of shape (1, 2)"}},
      {is<DTypeError>, "assign", [] { tensor({1, 2}).assign(tensor({0.5, 1.5})); },
       {"float32 values would lose their fractions", "astype"}},
      {is<GraphError>, "assign", [&] { view.assign(ones({2})); }, {"shape (3, 2) is a broadcast view"}},
  });
  // clang-format on
  CHECK(leaf.array().version() == version);
  CHECK(leaf.to_vector<double>() == std::vector<double>{1, 2});
  CHECK(leaf.grad().to_vector<double>() == std::vector<double>{5, 6});
  Tensor sum = leaf;
  CHECK_THROWS_AS(sum += zeros({3}), ShapeError);
  CHECK(sum.impl() == leaf.impl());
}

TEST_CASE("a wrong sweep is refused before any gradient is touched") {
  const Tensor x = tensor({1.0, 2.0}, {.requires_grad = true}), other = ones({2}, {.requires_grad = true});
  x.set_name("x");
  const Tensor y = x * x, used = sum(exp(x)), stale = sum(square(other)), plain = ones({2});
  const Tensor hooked = ones({2}, {.requires_grad = true});
  hooked.register_hook([](const Tensor&) { return ones({3}); });
  used.backward();
  x.set_grad({});
  other.assign(other);
  // clang-format off
  test::check({
      {is<ShapeError>, "backward", [&] { y.backward(); }, {"shape (2,)", "reduce it with sum or mean"}},
      {is<ShapeError>, "backward", [&] { y.backward({.gradient = ones({3})}); },
       {"(3,) for an output of shape (2,)", "make them equal"}},
      {is<GraphError>, "backward", [&] { plain.backward(); },
       {"shape (2,) does not depend", "requires_grad"}},
      {is<GraphError>, "backward", [&] { used.backward(); }, {"freed", "retain_graph"}},
      {is<GraphError>, "backward", [&] { stale.backward(); },
       {"shape (2,)", "square", "call backward before"}},
      {is<ShapeError>, "grad", [&] { grad(y, x); }, {"the output has shape (2,)"}},
      {is<GraphError>, "grad", [&] { grad(sum(y), other); }, {"do not depend on input 0", "allow_unused"}},
      {is<GraphError>, "grad", [&] { grad(sum(y), plain); }, {"input 0 of shape (2,) does not require"}},
      {is<ValueError>, "grad", [&] { grad(sum(y), Tensor()); }, {"input 0 is an undefined tensor"}},
      {is<ValueError>, "grad", [&] { grad(sum(y), {x}, {.grad_outputs = {ones({}), ones({})}}); },
       {"2 grad_outputs for 1 outputs", "one for each"}},
      {is<ShapeError>, "grad", [&] { grad(y, {x}, {.grad_outputs = {ones({3})}}); }, {"(3,)", "(2,)"}},
      {is<ShapeError>, "grad", [&] { value_and_grad([](const Tensor& t) { return t * t; })(x); },
       {"shape (2,)"}},
      {is<DTypeError>, "value_and_grad",
       [&] { value_and_grad([](const Tensor& t) { return t; })(tensor({1})); }, {"int64", "astype"}},
      {is<ValueError>, "value_and_grad", [&] { value_and_grad([](const Tensor& t) { return t; })(Tensor()); },
       {"undefined"}},
      {is<ShapeError>, "register_hook",
       [&] { sum(hooked * hooked).backward(); },
       {"returned shape (3,) for a gradient of shape (2,)"}},
  });
  // clang-format on
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(other.grad().defined());
  y.backward({.gradient = ones({2})});  // the history is still there
  CHECK(x.grad().to_vector<double>() == std::vector<double>{2, 4});
}

TEST_CASE("what a forgotten backward or create_graph leads to is said") {
  const Tensor p = ones({3}, {.requires_grad = true});
  const Tensor g = grad(sum(square(p)), p);
  // clang-format off
  test::check({
      {is<ValueError>, "mul", [&] { mul(p, p.grad()); },
       {"input 1 is an undefined tensor beside shape (3,)", "until backward() has run"}},
      {is<ValueError>, "tensor", [&] { p.grad().to_vector<float>(); }, {"until backward() has run"}},
      {is<GraphError>, "grad", [&] { grad(sum(g), p); }, {"of shape ()", "{.create_graph = true}"}},
  });
  // clang-format on
}

TEST_CASE("wrong arguments of the checks are refused") {
  const auto f = [](const Tensor& x) { return square(x); };
  const Tensor x = tensor({1.0, 2.0});
  const OpInfo& op = registered_ops().front();
  // clang-format off
  test::check({
      {is<ValueError>, "gradcheck", [&] { gradcheck(f, tensor({1, 2})); },
       {"no input is floating", "pass one"}},
      {is<ValueError>, "gradcheck", [&] { gradcheck(f, Tensor()); }, {"input 0 is an undefined tensor"}},
      {is<ValueError>, "gradcheck", [&] { gradcheck(f, x, {.order = 0}); }, {"order is 0", "give 1"}},
      {is<ValueError>, "gradcheck", [&] { gradcheck(f, x, {.directions = 0}); }, {"directions is 0"}},
      {is<ValueError>, "gradcheck", [&] { gradcheck(f, x, {.step = 0}); }, {"step is 0", "positive"}},
      {is<ValueError>, "gradcheck", [&] { gradcheck(f, x, {.tolerance = NAN}); }, {"tolerance is nan"}},
      {is<ValueError>, "check_op", [&] { check_op(op, {"valeu"}); },
       {"\"valeu\" is no check", "choose among value"}},
  });
  // clang-format on
}

TEST_CASE("shapes and axes that cannot be are refused") {
  // clang-format off
  test::check({
      {is<ShapeError>, "shape", [] { Shape(std::vector<std::int64_t>(9, 1)); }, {"9 axes", "at most 8"}},
      {is<ShapeError>, "op", [] { broadcast_shapes("op", {2, 3}, {2}); },
       {"(2, 3) and (2,) do not broadcast", "3 and 2 at axis -1", "reshape"}},
      {is<IndexError>, "op", [] { normalize_axis("op", -3, {2, 3}); }, {"axis -3", "(2, 3)", "use -2 to 1"}},
      {is<IndexError>, "op", [] { normalize_new_axis("op", 3, {2, 3}); },
       {"axis 3", "(2, 3)", "use -3 to 2"}},
      {is<ValueError>, "op", [] { Axes({0, -2}).resolve("op", {2, 3}); },
       {"axis -2 of shape (2, 3) is named twice"}},
      {is<ShapeError>, "op", [] { check_shape("op", {1 << 30, 1 << 30}); }, {"(1073741824, 1073741824)"}},
  });
  // clang-format on
}
