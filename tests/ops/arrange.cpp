#include <xgrad/ops/index.hpp>

#include "tests/support/values.hpp"

using namespace xgrad;
using namespace xgrad::test;
using Catch::Contains;

TEST_CASE("flip gives what NumPy gives") {
  const Tensor a = counting({2, 3}), v = counting({4}), c = counting({2, 2, 3});
  check(flip(a), {2, 3}, {5, 4, 3, 2, 1, 0});
  check(flip(a, 1), {2, 3}, {2, 1, 0, 5, 4, 3});
  check(flip(c, {0, -1}), {2, 2, 3}, {8, 7, 6, 11, 10, 9, 2, 1, 0, 5, 4, 3});
  check(flip(a.T(), 0), {3, 2}, {2, 5, 1, 4, 0, 3});
}

TEST_CASE("roll gives what NumPy gives") {
  const Tensor a = counting({2, 3}), v = counting({4}), c = counting({2, 2, 3});
  check(roll(v, 1), {4}, {3, 0, 1, 2});
  check(roll(a, -2), {2, 3}, {2, 3, 4, 5, 0, 1});
  check(roll(a, 4, -1), {2, 3}, {2, 0, 1, 5, 3, 4});
  check(roll(c, -1, 1), {2, 2, 3}, {3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8});
  check(roll(a.T(), 1, 0), {3, 2}, {2, 5, 0, 3, 1, 4});
  check(roll(a, {1, -1}, {0, 1}), {2, 3}, {4, 5, 3, 1, 2, 0});
  check(roll(v, {1, 2}, {0, -1}), {4}, {1, 2, 3, 0});  // shifts along one axis add up
}

TEST_CASE("pad gives what NumPy gives in every mode") {
  const Tensor a = counting({2, 3}), v = counting({4}), c = counting({2, 2, 3});
  check(pad(a, {{1, 0}, {0, 2}}, {.value = 9}), {3, 5}, {9, 9, 9, 9, 9, 0, 1, 2, 9, 9, 3, 4, 5, 9, 9});
  check(pad(v, 1), {6}, {0, 0, 1, 2, 3, 0});
  check(pad(v, {{6, 5}}, {.mode = PadMode::edge}), {15}, {0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3});
  check(pad(v, {{6, 5}}, {.mode = PadMode::reflect}), {15}, {0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2});
  check(pad(v, {{6, 5}}, {.mode = PadMode::symmetric}), {15}, {2, 3, 3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0, 0});
  check(pad(v, {{6, 5}}, {.mode = PadMode::wrap}), {15}, {2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0});
  check(pad(a, {{1, 1}, {2, 0}}, {.mode = PadMode::reflect}), {4, 5},
        {5, 4, 3, 4, 5, 2, 1, 0, 1, 2, 5, 4, 3, 4, 5, 2, 1, 0, 1, 2});
  check(pad(counting({0, 2}), {{1, 0}, {0, 1}}, {.value = 7}), {1, 3}, {7, 7, 7});
}

TEST_CASE("repeat and tile give what NumPy gives") {
  const Tensor a = counting({2, 3}), v = counting({4}), c = counting({2, 2, 3});
  check(repeat(a, 2), {12}, {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
  check(repeat(a, 2, 0), {4, 3}, {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
  check(repeat(c, 2, -1), {2, 2, 6},
        {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11});
  check(repeat(a, tensor({2, 0, 1}), 1), {2, 3}, {0, 0, 2, 3, 3, 5});
  check(tile(v, {2}), {8}, {0, 1, 2, 3, 0, 1, 2, 3});
  check(tile(a, {2}), {2, 6}, {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
  check(tile(v, {2, 1}), {2, 4}, {0, 1, 2, 3, 0, 1, 2, 3});
  check(tile(a.T(), {2, 2}), {6, 4},
        {0, 3, 0, 3, 1, 4, 1, 4, 2, 5, 2, 5, 0, 3, 0, 3, 1, 4, 1, 4, 2, 5, 2, 5});
  check(tile(a, {0, 1}), {0, 3}, {});
}

TEST_CASE("diag, tril and triu give what NumPy gives") {
  const Tensor a = counting({2, 3}), v = counting({4}), c = counting({2, 2, 3});
  const Tensor b = counting({3, 4}) + 1;
  check(diag(v), {4, 4}, {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3});
  check(diag(slice(v, 0, 2, 4), -1), {3, 3}, {0, 0, 0, 2, 0, 0, 0, 3, 0});
  check(diag(a, 1), {2}, {1, 5});
  check(diag(a, -1), {1}, {3});
  check(diag(a.T(), 0), {2}, {0, 4});
  check(diag(a, 3), {0}, {});
  check(tril(b), {3, 4}, {1, 0, 0, 0, 5, 6, 0, 0, 9, 10, 11, 0});
  check(tril(b, 1), {3, 4}, {1, 2, 0, 0, 5, 6, 7, 0, 9, 10, 11, 12});
  check(triu(b), {3, 4}, {1, 2, 3, 4, 0, 6, 7, 8, 0, 0, 11, 12});
  check(triu(b, -1), {3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 0, 10, 11, 12});
  check(triu(c, 1), {2, 2, 3}, {0, 1, 2, 0, 0, 5, 0, 7, 8, 0, 0, 11});
  check(tril(c, -1), {2, 2, 3}, {0, 0, 0, 3, 0, 0, 0, 0, 0, 9, 0, 0});
}

TEST_CASE("one_hot marks the classes along a last axis") {
  const Tensor y = one_hot(tensor({{0, 2}, {1, 1}}), 3);
  CHECK(y.dtype() == float32);
  check(y, {2, 2, 3}, {1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0});
  check(one_hot(tensor({2, 0})), {2, 3}, {0, 0, 1, 1, 0, 0});
  CHECK(one_hot(tensor({0}, {.dtype = uint8}), 2, {.dtype = int64}).dtype() == int64);
}

TEST_CASE("what arranges keeps the dtype") {
  CHECK(flip(tensor({1, 2})).dtype() == int64);
  CHECK(pad(tensor({true}), 1).to_vector<bool>() == std::vector<bool>{false, true, false});
  CHECK(tile(tensor({0.5}), {2}).dtype() == float32);
  CHECK(triu(tensor({{1, 2}, {3, 4}}, {.dtype = int32})).dtype() == int32);
}

TEST_CASE("gradients of what arranges go back to where the elements came from") {
  const Tensor x = counting({2, 3}, true);
  CHECK(weighted_gradient(flip(x, 1), x) == Values{3, 2, 1, 6, 5, 4});
  CHECK(weighted_gradient(roll(x, 1), x) == Values{2, 3, 4, 5, 6, 1});
  CHECK(weighted_gradient(roll(x, -1, 1), x) == Values{3, 1, 2, 6, 4, 5});
  CHECK(weighted_gradient(pad(x, {{1, 0}, {0, 1}}), x) == Values{5, 6, 7, 9, 10, 11});
  CHECK(weighted_gradient(pad(x, {{0, 0}, {1, 2}}, {.mode = PadMode::edge}), x) ==
        Values{1 + 2, 3, 4 + 5 + 6, 7 + 8, 9, 10 + 11 + 12});
  CHECK(weighted_gradient(pad(x, {{0, 0}, {1, 0}}, {.mode = PadMode::reflect}), x) ==
        Values{2, 1 + 3, 4, 6, 5 + 7, 8});
  CHECK(weighted_gradient(repeat(x, 2, 1), x) == Values{3, 7, 11, 15, 19, 23});
  CHECK(weighted_gradient(repeat(x, tensor({0, 3}), 0), x) == Values{0, 0, 0, 12, 15, 18});
  CHECK(weighted_gradient(tile(x, {2, 1}), x) == Values{8, 10, 12, 14, 16, 18});
  CHECK(weighted_gradient(tile(x, {0, 1}), x) == Values{0, 0, 0, 0, 0, 0});
  CHECK(weighted_gradient(diag(x, 1), x) == Values{0, 1, 0, 0, 0, 2});
  CHECK(weighted_gradient(diag(x(0), -1), x) == Values{5, 10, 15, 0, 0, 0});
  CHECK(weighted_gradient(tril(x), x) == Values{1, 0, 0, 4, 5, 0});
  CHECK(weighted_gradient(triu(x, 1), x) == Values{0, 2, 3, 0, 0, 6});
}

TEST_CASE("misuse of what arranges is an error that says what to do") {
  const Tensor a = counting({2, 3}), v = counting({4}), c = counting({2, 2, 3});
  CHECK_THROWS_AS(flip(a, 2), IndexError);
  CHECK_THROWS_AS(roll(a, 1, -3), IndexError);
  CHECK_THROWS_AS(pad(a, {{1, 1}, {1, 1}, {1, 1}}), ShapeError);
  CHECK_THROWS_WITH(pad(a, {{1, 1}, {1, 1}, {1, 1}}), Contains("3 pairs of widths for shape (2, 3)"));
  CHECK_THROWS_AS(pad(a, -1), ValueError);
  CHECK_THROWS_WITH(pad(a, -1), Contains("widths -1 and -1 at axis 0") && Contains("slice"));
  CHECK_THROWS_WITH(pad(counting({0}), 1, {.mode = PadMode::edge}), Contains("no elements to repeat"));
  CHECK_THROWS_AS(repeat(a, -1), ValueError);
  CHECK_THROWS_AS(repeat(a, tensor({1, 2, 3}), 0), ShapeError);
  CHECK_THROWS_WITH(repeat(a, tensor({1, 2, 3}), 0), Contains("give 2 counts"));
  CHECK_THROWS_AS(repeat(a, tensor({0.5, 1.0}), 0), DTypeError);
  CHECK_THROWS_AS(tile(a, {-1}), ValueError);
  CHECK_THROWS_AS(diag(c), ShapeError);
  CHECK_THROWS_WITH(diag(c), Contains("shape (2, 2, 3) is neither a vector nor a matrix"));
  CHECK_THROWS_AS(tril(v), ShapeError);
  CHECK_THROWS_WITH(triu(v), Contains("[triu] shape (4,) has no matrix"));
  CHECK_THROWS_AS(one_hot(tensor({0, 3}), 3), IndexError);
  CHECK_THROWS_WITH(one_hot(tensor({0, 3}), 3),
                    Contains("index 3 in shape (2,) is no class: indices lie in [0, 2]"));
  CHECK_THROWS_AS(one_hot(tensor({0.0}), 3), DTypeError);
}
