#include "tests/support/values.hpp"

using namespace xgrad;
using namespace xgrad::test;
using Catch::Contains;

namespace {

bool shares(const Tensor& a, const Tensor& b) { return a.array().shares_storage_with(b.array()); }

}  // namespace

TEST_CASE("reshape keeps the row-major order and works out -1") {
  const Tensor x = counting({2, 3});
  check(x.reshape({3, -1}), {3, 2}, {0, 1, 2, 3, 4, 5});
  check(x.T().reshape({-1}), {6}, {0, 3, 1, 4, 2, 5});
  check(counting({0, 4}).reshape({4, -1}), {4, 0}, {});
  check(x.reshape({1, 6, 1}).flatten(), {6}, {0, 1, 2, 3, 4, 5});
  check(counting({2, 3, 4}).flatten(1), {2, 12}, counting({24}).to_vector<double>());
  check(counting({}).flatten(), {1}, {0});
}

TEST_CASE("axes are permuted as in NumPy") {
  const Tensor x = counting({2, 3, 2});
  check(x.T(), {2, 3, 2}, {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11});
  check(x.permute({1, -1, 0}), {3, 2, 2}, {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11});
  check(transpose(x, {1, 2, 0}), {3, 2, 2}, {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11});
  check(x.transpose(0, -2), {3, 2, 2}, {0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11});
  check(transpose(x), {2, 3, 2}, x.T().to_vector<double>());
}

TEST_CASE("axes of size 1 come and go") {
  const Tensor x = counting({1, 3, 1});
  check(x.squeeze(), {3}, {0, 1, 2});
  check(x.squeeze(-1), {1, 3}, {0, 1, 2});
  check(x.squeeze({0, 2}), {3}, {0, 1, 2});
  check(x.unsqueeze(-1), {1, 3, 1, 1}, {0, 1, 2});
  check(x.unsqueeze(1), {1, 1, 3, 1}, {0, 1, 2});
  check(expand(x, {2, -1, -1, 2}), {2, 1, 3, 2}, {0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2});
}

TEST_CASE("what can be a view is one") {
  const Tensor x = counting({2, 1, 6});
  CHECK(shares(x.reshape({3, 4}), x));
  CHECK(shares(x.T(), x));
  CHECK(shares(x.transpose(0, 2).squeeze(1).T(), x));
  CHECK(shares(x.squeeze().unsqueeze(0), x));
  CHECK(shares(expand(x, {2, 5, 6}), x));
  CHECK(shares(x.permute({2, 0, 1}).reshape({2, 3, 2}), x));  // an axis is split: strides allow it
  CHECK_FALSE(shares(x.T().reshape({12}), x));
  CHECK_FALSE(shares(x.T().contiguous(), x));
  CHECK(shares(x.contiguous(), x));
  for (const Tensor& part : split(x, 2, 2)) CHECK(shares(part, x));
}

TEST_CASE("the gradient of a view is the cotangent, put back") {
  const Tensor x = counting({2, 3}, true);
  CHECK(weighted_gradient(x.reshape({3, 2}), x) == Values{1, 2, 3, 4, 5, 6});
  CHECK(weighted_gradient(x.T(), x) == Values{1, 3, 5, 2, 4, 6});
  CHECK(weighted_gradient(x.T().contiguous(), x) == Values{1, 3, 5, 2, 4, 6});
  CHECK(weighted_gradient(x.unsqueeze(1).permute({2, 1, 0}).squeeze(), x) == Values{1, 3, 5, 2, 4, 6});
  CHECK(weighted_gradient(expand(x, {2, -1, -1}), x) == Values{8, 10, 12, 14, 16, 18});
}

TEST_CASE("misuse of a view op is an error with shapes and axes") {
  const Tensor x = counting({2, 3});
  CHECK_THROWS_AS(x.reshape({4, 2}), ShapeError);
  CHECK_THROWS_WITH(x.reshape({4, 2}),
                    Contains("[reshape] shape (2, 3) has 6 elements") && Contains("(4, 2)"));
  CHECK_THROWS_WITH(x.reshape({4, -1}), Contains("(2, 3)") && Contains("(4, -1)"));
  CHECK_THROWS_WITH(x.reshape({-1, -1}), Contains("two sizes are -1"));
  CHECK_THROWS_AS(counting({0, 2}).reshape({0, -1}), ShapeError);
  CHECK_THROWS_AS(x.permute({0, 0}), ValueError);
  CHECK_THROWS_WITH(x.permute({0}), Contains("name each of its 2 axes once"));
  CHECK_THROWS_AS(x.transpose(0, 2), IndexError);
  CHECK_THROWS_WITH(x.squeeze(1), Contains("axis 1 of shape (2, 3) has size 3"));
  CHECK_THROWS_AS(x.unsqueeze(3), IndexError);
  CHECK_THROWS_AS(expand(x, {-1, 2, 3}), ShapeError);
  CHECK_THROWS_AS(expand(x, {4, 3}), ShapeError);
  CHECK_THROWS_AS(x.flatten(1, 0), ShapeError);
}

TEST_CASE("concat and stack join as in NumPy") {
  const Tensor a = counting({2, 2}), b = counting({2, 1});
  check(concat({a, b, a}, 1), {2, 5}, {0, 1, 0, 0, 1, 2, 3, 1, 2, 3});
  check(concat({a, b.T()}), {3, 2}, {0, 1, 2, 3, 0, 1});
  check(concat({a, counting({0, 2})}), {2, 2}, {0, 1, 2, 3});
  check(stack({a, a.T()}), {2, 2, 2}, {0, 1, 2, 3, 0, 2, 1, 3});
  check(stack({a, a.T()}, -1), {2, 2, 2}, {0, 0, 1, 2, 2, 1, 3, 3});
  check(stack({counting({}), counting({})}), {2}, {0, 0});
}

TEST_CASE("concat promotes to one dtype") {
  const Tensor y = concat({tensor({1, 2}), tensor({0.5})});
  CHECK(y.dtype() == float32);
  check(y, {3}, {1, 2, 0.5});
}

TEST_CASE("concat of channels-last arrays is channels-last") {
  const Tensor a = counting({2, 4, 5, 3}).permute({0, 3, 1, 2});
  const Tensor y = concat({a, a}, 1);
  CHECK(y.array().strides() == Shape{120, 1, 30, 6});
  CHECK(y.to_vector<double>() == concat({a.contiguous(), a.contiguous()}, 1).to_vector<double>());
}

TEST_CASE("split takes sections or cuts, chunk a number of parts") {
  const Tensor x = counting({2, 6});
  const auto sections = split(x, 3, 1);
  REQUIRE(sections.size() == 3);
  check(sections[1], {2, 2}, {2, 3, 8, 9});
  const auto cuts = split(x, {1, -2}, 1);
  REQUIRE(cuts.size() == 3);
  check(cuts[0], {2, 1}, {0, 6});
  check(cuts[1], {2, 3}, {1, 2, 3, 7, 8, 9});
  check(cuts[2], {2, 2}, {4, 5, 10, 11});
  CHECK(split(x, {3}, 1).size() == 2);  // one cut, not three sections
  const auto chunks = chunk(x, 4, -1);
  REQUIRE(chunks.size() == 3);
  check(chunks[2], {2, 2}, {4, 5, 10, 11});
  CHECK(chunk(counting({7}), 3).back().shape() == Shape{1});
}

TEST_CASE("gradients of joins and splits are each other") {
  const Tensor a = counting({2, 2}, true), b = counting({2, 1}, true);
  CHECK(weighted_gradient(concat({a, b, a}, 1), a) == Values{1 + 4, 2 + 5, 6 + 9, 7 + 10});
  CHECK(weighted_gradient(concat({a, b, a}, 1), b) == Values{3, 8});
  CHECK(weighted_gradient(stack({a, a.T()}, 1), a) == Values{1 + 3, 2 + 7, 5 + 4, 6 + 8});
  CHECK(weighted_gradient(split(a, 2, 1)[1], a) == Values{0, 1, 0, 2});
}

TEST_CASE("second derivatives pass through joins") {
  const Tensor x = counting({4}, true);
  const auto halves = split(x, 2);
  const Tensor y = concat({halves[1] * halves[0] * halves[0], x * x});
  const Tensor d = grad(sum_to(y, {}), x, {.create_graph = true});
  CHECK(d.to_vector<double>() == Values{0, 8, 4, 7});  // 2 x₀ x₂ + 2 x₀, …, x₀² + 2 x₂, …
  CHECK(grad(sum_to(d * d, {}), x).to_vector<double>() ==
        Values{0, 2 * 8 * 8 + 2 * 7 * 2, 16, 2 * 8 * 2 + 2 * 7 * 2});
}

TEST_CASE("misuse of a join or a split is an error with shapes and axis") {
  const Tensor x = counting({2, 3});
  CHECK_THROWS_AS(concat({}), ValueError);
  CHECK_THROWS_AS(concat({x, counting({2, 4})}), ShapeError);
  CHECK_THROWS_WITH(concat({x, counting({2, 4})}),
                    Contains("[concat] shapes (2, 3) (input 0) and (2, 4) (input 1) differ beside axis 0"));
  CHECK_THROWS_AS(concat({x, counting({2})}, 1), ShapeError);
  CHECK_THROWS_AS(concat({x}, 2), IndexError);
  CHECK_THROWS_AS(concat({x, Tensor()}), ValueError);
  CHECK_THROWS_WITH(stack({x, x.T()}),
                    Contains("[stack] shapes (2, 3) (input 0) and (3, 2) (input 1) differ"));
  CHECK_THROWS_AS(stack({x}, 3), IndexError);
  CHECK_THROWS_WITH(split(x, 2, 1), Contains("2 sections do not divide size 3 of axis 1"));
  CHECK_THROWS_AS(split(x, {4}, 1), IndexError);
  CHECK_THROWS_AS(split(x, {2, 1}, 1), ValueError);
  CHECK_THROWS_AS(chunk(x, 0), ValueError);
}
