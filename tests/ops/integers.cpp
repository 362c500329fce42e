#include <xgrad/xgrad.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;
using Catch::Matchers::Contains;

TEST_CASE("powers and remainders of integers are exact integers, as in NumPy") {
  const Tensor large = tensor({16777217, -7, 7});
  CHECK(pow(large, 1).to_vector<std::int64_t>() == large.to_vector<std::int64_t>());
  CHECK(pow(tensor({3, -2, 0}), tensor({20, 3, 0})).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{3486784401, -8, 1});
  CHECK(pow(tensor({2}, {.dtype = int32}), 31).to_vector<std::int32_t>() ==
        std::vector<std::int32_t>{std::numeric_limits<std::int32_t>::min()});
  CHECK(pow(2, tensor({{1}, {2}})).to_vector<std::int64_t>() == std::vector<std::int64_t>{2, 4});
  CHECK(fmod(large, 2).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, -1, 1});
  CHECK(fmod(tensor({std::numeric_limits<std::int64_t>::min()}), -1).item<std::int64_t>() == 0);
  CHECK(fmod(tensor({7, 250}, {.dtype = uint8}), tensor({4}, {.dtype = uint8})).dtype() == uint8);
  CHECK(pow(large, 0.5).dtype() == float32);
  CHECK_THROWS_WITH(pow(large, -1),
                    Contains("[pow] 16777217 to the power of -1 is no integer") && Contains("float32"));
  CHECK_THROWS_WITH(fmod(large, 0), Contains("[fmod] the integer 16777217 is divided by 0"));
}

TEST_CASE("clip keeps integers unless a limit has a fraction") {
  const Tensor x = tensor({1, 2, 3});
  CHECK(clip(x, 2, 5).dtype() == int64);
  CHECK(clip(x, -INFINITY, 2).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 2, 2});
  CHECK(clip(x, 0.5, 2.5).to_vector<float>() == std::vector<float>{1, 2, 2.5});
  CHECK_THROWS_WITH(clip(x, 0, NAN), Contains("give two numbers"));
}

TEST_CASE("clip takes a limit for each element, as NumPy's does") {
  const Tensor x = tensor({1.0, 2.0, 3.0, 4.0});
  CHECK(clip(x, tensor({2.0, 0.0, 0.0, 5.0}), tensor({9.0, 1.0, 9.0, 9.0})).to_vector<float>() ==
        std::vector<float>{2, 1, 3, 5});
  CHECK(clip(x, tensor({2.0, 0.0, 0.0, 5.0}), 3.5).to_vector<float>() == std::vector<float>{2, 2, 3, 3.5});
  CHECK(clip(x, 1.5, tensor(3.0)).to_vector<float>() == std::vector<float>{1.5, 2, 3, 3});
}

TEST_CASE("named arithmetic takes numbers on either side") {
  const Tensor x = tensor({1.0, 2.0});
  CHECK(add(x, 2).to_vector<float>() == std::vector<float>{3, 4});
  CHECK(sub(2, x).to_vector<float>() == std::vector<float>{1, 0});
  CHECK(mul(2.5, x).to_vector<float>() == std::vector<float>{2.5, 5});
  CHECK(div(1, x).to_vector<float>() == std::vector<float>{1, 0.5});
}
