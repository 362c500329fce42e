#include <xgrad/ops/index.hpp>

#include "tests/support/values.hpp"

using namespace xgrad;
using namespace xgrad::test;
using Catch::Contains;

TEST_CASE("basic indexing gives what NumPy gives") {
  const Tensor x = counting({2, 3, 4});
  check(x(1), {3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  check(x(-1, 2, -4), {}, {20});
  check(x(0, slice(1, 5), newaxis, ellipsis, 2), {2, 1}, {6, 10});
  check(x(ellipsis, slice(none, none, -2)), {2, 3, 2}, {3, 1, 7, 5, 11, 9, 15, 13, 19, 17, 23, 21});
  check(x(slice(), slice(2, none, -1), slice(-3, -1)), {2, 3, 2},
        {9, 10, 5, 6, 1, 2, 21, 22, 17, 18, 13, 14});
  check(x(slice(5, 7)), {0, 3, 4}, {});
  check(x(slice(), slice(-9, 2), 1), {2, 2}, {1, 5, 13, 17});
  check(x(ellipsis), {2, 3, 4},
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  check(x(newaxis, 1, ellipsis, newaxis), {1, 3, 4, 1}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
}

TEST_CASE("indexing with tensors gives what NumPy gives") {
  const Tensor x = counting({2, 3, 4});
  const Tensor rows = tensor({0, 1, 2, 0, 1}), cols = tensor({3, 2, 1, 0, -1});
  const Tensor pair = tensor({1, 0}), grid = tensor({{0, 2}, {1, 1}});
  const Tensor first = tensor({false, true}), mask = tensor({{true, false, true}, {false, true, false}});
  const Tensor even = tensor({true, false, true, false});
  const Tensor every_fifth = fmod(x, 5.0) == 0;
  check(x(slice(), rows), {2, 5, 4},
        {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 0,  1,  2,  3,  4,  5,  6,  7,
         12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18, 19});
  check(x(1, rows), {5, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18, 19});
  check(x(slice(), rows, cols), {2, 5}, {3, 6, 9, 0, 7, 15, 18, 21, 12, 19});
  check(x(slice(), rows, ellipsis, cols), {5, 2}, {3, 15, 6, 18, 9, 21, 0, 12, 7, 19});
  check(x(0, slice(), cols), {5, 3}, {3, 7, 11, 2, 6, 10, 1, 5, 9, 0, 4, 8, 3, 7, 11});
  check(x(ellipsis, 1, cols), {2, 5}, {7, 6, 5, 4, 7, 19, 18, 17, 16, 19});
  check(x(ellipsis, newaxis, cols), {2, 3, 1, 5},
        {3,  2,  1,  0,  3,  7,  6,  5,  4,  7,  11, 10, 9,  8,  11,
         15, 14, 13, 12, 15, 19, 18, 17, 16, 19, 23, 22, 21, 20, 23});
  check(x(slice(), rows, newaxis, cols), {5, 2, 1}, {3, 15, 6, 18, 9, 21, 0, 12, 7, 19});
  check(x(slice(), grid), {2, 2, 2, 4}, {0,  1,  2,  3,  8,  9,  10, 11, 4,  5,  6,  7,  4,  5,  6,  7,
                                         12, 13, 14, 15, 20, 21, 22, 23, 16, 17, 18, 19, 16, 17, 18, 19});
  check(x(pair, grid, slice(1, 3)), {2, 2, 2}, {13, 14, 9, 10, 17, 18, 5, 6});
  check(x(pair, slice(none, none, 2), grid), {2, 2, 2}, {12, 20, 2, 10, 13, 21, 1, 9});
  check(x(first), {1, 3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  check(x(mask), {3, 4}, {0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19});
  check(x(mask, slice(none, none, 2)), {3, 2}, {0, 2, 8, 10, 16, 18});
  check(x(every_fifth), {5}, {0, 5, 10, 15, 20});
  check(x(slice(), 1, even), {2, 2}, {4, 6, 16, 18});
  check(x(pair, slice(), even), {2, 3}, {12, 16, 20, 2, 6, 10});
  check(x(tensor(true)), {1, 2, 3, 4},
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  check(x(slice(), tensor(false)), {2, 0, 3, 4}, {});
  check(x(slice(), rows, slice(none, none, -1)).T(), {4, 5, 2},
        {3, 15, 7, 19, 11, 23, 3, 15, 7, 19, 2, 14, 6, 18, 10, 22, 2, 14, 6, 18,
         1, 13, 5, 17, 9,  21, 1, 13, 5, 17, 0, 12, 4, 16, 8,  20, 0, 12, 4, 16});
}

TEST_CASE("basic indexing is a view, indexing with tensors a copy") {
  const Tensor x = counting({4, 5});
  CHECK(x(1, slice(1, 3)).array().shares_storage_with(x.array()));
  CHECK(x(newaxis, slice(none, none, -1), 2).array().shares_storage_with(x.array()));
  CHECK(slice(x, 1, 4, none, -2).array().shares_storage_with(x.array()));
  CHECK_FALSE(x(tensor({1, 2})).array().shares_storage_with(x.array()));
}

TEST_CASE("an index tensor picks from views whatever their strides") {
  const Tensor x = counting({3, 4}).T();
  check(x(tensor({3, 0})), {2, 3}, {3, 7, 11, 0, 4, 8});
  check(x(slice(none, none, -1), tensor({2, 2})), {4, 2}, {11, 11, 10, 10, 9, 9, 8, 8});
}

TEST_CASE("other dtypes are indexed, and by other integer dtypes") {
  const Tensor x = tensor({{1, 2}, {3, 4}});
  const Tensor picked = x(tensor({1, 1}, {.dtype = uint8}));
  CHECK(picked.dtype() == int64);
  check(picked, {2, 2}, {3, 4, 3, 4});
  check(tensor({true, false})(tensor({1, 0}, {.dtype = int32})), {2}, {0, 1});
}

TEST_CASE("the gradient of indexing lands where the elements came from") {
  const Tensor x = counting({2, 3}, true);
  CHECK(weighted_gradient(x(1, slice(none, none, -2)), x) == Values{0, 0, 0, 2, 0, 1});
  CHECK(weighted_gradient(x(slice(), newaxis, 1), x) == Values{0, 1, 0, 0, 2, 0});
  CHECK(weighted_gradient(x(slice(), tensor({2, 0})), x) == Values{2, 0, 1, 4, 0, 3});
  CHECK(weighted_gradient(x(x > 2.5), x) == Values{0, 0, 0, 1, 2, 3});
}

TEST_CASE("the gradient of an element that was picked twice is the sum of both") {
  const Tensor x = counting({3, 2}, true);
  CHECK(weighted_gradient(x(tensor({2, 0, 2})), x) == Values{3, 4, 0, 0, 1 + 5, 2 + 6});
  CHECK(weighted_gradient(x(tensor({1, 1, -2}), tensor({0, 0, 0})), x) == Values{0, 0, 6, 0, 0, 0});
}

TEST_CASE("second derivatives pass through indexing") {
  const Tensor x = counting({4}, true);
  const Tensor picked = x(tensor({3, 1, 3}));
  const Tensor d1 = grad(sum_to(picked * picked * picked, {}), x, {.create_graph = true});
  CHECK(d1.to_vector<double>() == Values{0, 3, 0, 54});
  CHECK(grad(sum_to(d1(slice(none, none, -1)), {}), x).to_vector<double>() == Values{0, 6, 0, 36});
}

TEST_CASE("misuse of an index is an error with index, axis and size") {
  const Tensor x = counting({2, 3});
  CHECK_THROWS_AS(x(2), IndexError);
  CHECK_THROWS_WITH(x(2), Contains("[index] index 2 is out of range for axis 0 of size 2 in shape (2, 3): "
                                   "give indices in [-2, 1]"));
  CHECK_THROWS_WITH(x(slice(), -4), Contains("index -4 is out of range for axis 1 of size 3"));
  CHECK_THROWS_WITH(x(slice(), tensor({0, 7})), Contains("index 7 is out of range for axis 1 of size 3"));
  CHECK_THROWS_WITH(x(slice(0, 0), tensor({1}))(0), Contains("index 0 is out of range for axis 0 of size 0"));
  CHECK_THROWS_WITH(x(0, 0, 0), Contains("shape (2, 3) has 2 axes, and 3 are indexed: drop 1"));
  CHECK_THROWS_WITH(x(ellipsis, 0, ellipsis), Contains("the ellipsis appears twice"));
  CHECK_THROWS_AS(x(slice(0, 2, 0)), ValueError);
  CHECK_THROWS_WITH(x(slice(0, 2, 0)), Contains("step 0"));
  CHECK_THROWS_AS(x(tensor({0, 1}), tensor({0, 1, 2})), ShapeError);
  CHECK_THROWS_WITH(x(tensor({0, 1}), tensor({0, 1, 2})), Contains("(2,) and (3,) do not broadcast"));
  CHECK_THROWS_AS(x(tensor({0.5})), DTypeError);
  CHECK_THROWS_WITH(x(tensor({0.5})), Contains("dtype float32") && Contains("astype(int64)"));
  CHECK_THROWS_AS(x(tensor({true, false, true})), ShapeError);
  CHECK_THROWS_WITH(x(tensor({true, false, true})),
                    Contains("mask of shape (3,)") && Contains("sizes 3 and 2"));
}

TEST_CASE("slice takes one axis, counted from the end too") {
  const Tensor x = counting({2, 5});
  check(slice(x, -1, 1, none, 2), {2, 2}, {1, 3, 6, 8});
  check(slice(x, 1, -2, 0, -2), {2, 2}, {3, 1, 8, 6});
  check(slice(x, 0, none, 1), {1, 5}, {0, 1, 2, 3, 4});
  CHECK_THROWS_AS(slice(x, 2, 0, 1), IndexError);
  CHECK_THROWS_AS(slice(x, 0, 0, 1, 0), ValueError);
}

TEST_CASE("gather gives what PyTorch gives") {
  const Tensor x = counting({3, 4}, true);
  check(gather(x, 1, tensor({{0, 3}, {2, 2}})), {2, 2}, {0, 3, 6, 6});
  check(gather(x, 0, tensor({{2, 1, 0, 2}})), {1, 4}, {8, 5, 2, 11});
  check(gather(x.T(), 0, tensor({{3, 0, 1}, {-1, 1, 1}})), {2, 3}, {3, 4, 9, 3, 5, 9});
  CHECK(weighted_gradient(gather(x, 1, tensor({{0, 3, 0}, {2, 2, 1}})), x) ==
        Values{1 + 3, 0, 0, 2, 0, 6, 4 + 5, 0, 0, 0, 0, 0});
  CHECK(weighted_gradient(gather(x, 0, tensor({{2, 1, 0, 2}})), x) ==
        Values{0, 0, 3, 0, 0, 2, 0, 0, 1, 0, 0, 4});
}

TEST_CASE("scatter_add gives what PyTorch gives") {
  const Tensor x = tensor({{1, 1, 1}, {2, 2, 2}}, {.dtype = float64, .requires_grad = true});
  const Tensor src = counting({3, 3}, true);
  const Tensor at = tensor({{0, 1, 1}, {1, 1, 1}});
  check(scatter_add(x, 0, at, src), {2, 3}, {1, 1, 1, 2 + 3, 2 + 1 + 4, 2 + 2 + 5});
  CHECK(weighted_gradient(scatter_add(x, 0, at, src), x) == Values{1, 2, 3, 4, 5, 6});
  CHECK(weighted_gradient(scatter_add(x, 0, at, src), src) == Values{1, 5, 6, 4, 5, 6, 0, 0, 0});
  CHECK(x.to_vector<double>() == Values{1, 1, 1, 2, 2, 2});
}

TEST_CASE("take_along_axis gives what NumPy gives") {
  const Tensor x = counting({2, 3}, true);
  check(take_along_axis(x, tensor({{2, 0, 0, 1}}), 1), {2, 4}, {2, 0, 0, 1, 5, 3, 3, 4});
  check(take_along_axis(x, tensor({{1}, {-1}}), -1), {2, 1}, {1, 5});
  CHECK(weighted_gradient(take_along_axis(x, tensor({{2, 0, 0, 1}}), 1), x) == Values{5, 4, 1, 13, 8, 5});
}

TEST_CASE("misuse of gather and its like is an error with the shapes") {
  const Tensor x = counting({2, 3});
  CHECK_THROWS_AS(gather(x, 1, tensor({{0, 3}})), IndexError);
  CHECK_THROWS_WITH(gather(x, 1, tensor({{0, 3}})),
                    Contains("[gather] index 3 is out of range for axis 1 of size 3"));
  CHECK_THROWS_AS(gather(x, 1, tensor({0})), ShapeError);
  CHECK_THROWS_WITH(gather(x, 1, tensor({{0}, {0}, {0}})), Contains("(3, 1)") && Contains("(2, 3)"));
  CHECK_THROWS_AS(gather(x, 2, tensor({{0}})), IndexError);
  CHECK_THROWS_AS(gather(x, 0, tensor({{0.0}})), DTypeError);
  CHECK_THROWS_AS(scatter_add(x, 0, tensor({{0, 0}}), counting({1, 1})), ShapeError);
  CHECK_THROWS_WITH(scatter_add(x, 0, tensor({{0, 0}}), counting({1, 1})),
                    Contains("(1, 2)") && Contains("(1, 1)"));
  CHECK_THROWS_AS(scatter_add(x, 0, tensor({{0}}), tensor({{1}})), DTypeError);
  CHECK_THROWS_AS(take_along_axis(x, tensor({0}), 0), ShapeError);
  CHECK_THROWS_AS(take_along_axis(x, tensor({{0}, {0}, {0}}), 1), ShapeError);
}
