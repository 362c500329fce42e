#include <cmath>
#include <xgrad/xgrad.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;
namespace init = nn::init;

namespace {

constexpr std::int64_t in = 200, out = 300;

struct Moments {
  double mean, std, low, high;
};

Moments moments(const init::Initializer& i, const Shape& shape = {out, in}) {
  Generator g(17);
  const Tensor t = i(shape, float64, &g);
  return {mean(t).item(), xgrad::std(t).item(), min(t).item(), max(t).item()};
}

/// 60,000 values: the standard error of a mean is std / 245, of a standard deviation at most std / 346.
void check_normal(const init::Initializer& i, double std) {
  const Moments m = moments(i);
  CHECK(m.mean == Approx(0).margin(std / 60));
  CHECK(m.std == Approx(std).epsilon(0.012));
  CHECK(m.high > 3.5 * std);
}

void check_uniform(const init::Initializer& i, double bound) {
  const Moments m = moments(i);
  CHECK(m.mean == Approx(0).margin(bound / 100));
  CHECK(m.std == Approx(bound / std::sqrt(3.0)).epsilon(0.01));
  CHECK(m.low >= -bound);
  CHECK(m.high <= bound);
  CHECK(m.low < -0.999 * bound);
  CHECK(m.high > 0.999 * bound);
}

void check_truncated(const init::Initializer& i, double std) {
  const Moments m = moments(i);
  const double cut = 2 * std / 0.87962566103423978;
  CHECK(m.std == Approx(std).epsilon(0.012));
  CHECK(m.low >= -cut);
  CHECK(m.high <= cut);
  CHECK(m.high > 0.995 * cut);
}

}  // namespace

TEST_CASE("fans count a kernel's extent") {
  CHECK(init::fans({6, 4}).in == 4);
  CHECK(init::fans({6, 4}).out == 6);
  CHECK(init::fans({6, 4, 3, 5}).in == 60);
  CHECK(init::fans({6, 4, 3, 5}).out == 90);
  CHECK_THROWS_WITH(init::fans({6}), Catch::Contains("[init] shape (6,)"));
}

TEST_CASE("uniform initialisers have the bounds of their papers") {
  check_uniform(init::glorot_uniform(), std::sqrt(6.0 / (in + out)));
  check_uniform(init::glorot_uniform(2), 2 * std::sqrt(6.0 / (in + out)));
  check_uniform(init::he_uniform(), std::sqrt(6.0 / in));
  check_uniform(init::he_uniform({.negative_slope = std::sqrt(5.0)}), 1 / std::sqrt(in));
  check_uniform(init::he_uniform({.fan = init::Fan::out}), std::sqrt(6.0 / out));
  check_uniform(init::lecun_uniform(), std::sqrt(3.0 / in));
}

TEST_CASE("normal initialisers have the standard deviations of their papers") {
  check_normal(init::glorot_normal(), std::sqrt(2.0 / (in + out)));
  check_normal(init::he_normal(), std::sqrt(2.0 / in));
  check_normal(init::he_normal({.negative_slope = 1, .fan = init::Fan::out}), std::sqrt(1.0 / out));
  check_normal(init::lecun_normal({.truncated = false}), std::sqrt(1.0 / in));
}

TEST_CASE("truncated ones keep the standard deviation and end at two of the normal that was cut") {
  check_truncated(init::glorot_normal({.truncated = true}), std::sqrt(2.0 / (in + out)));
  check_truncated(init::he_normal({.truncated = true}), std::sqrt(2.0 / in));
  check_truncated(init::lecun_normal(), std::sqrt(1.0 / in));
  const Moments m = moments(init::truncated_normal(1, 0.5));
  CHECK(m.mean == Approx(1).margin(0.01));
  CHECK(m.low >= 0);
  CHECK(m.high <= 2);
  CHECK(m.std == Approx(0.5 * 0.8796).epsilon(0.012));
}

TEST_CASE("plain distributions have the parameters that they were given") {
  const Moments u = moments(init::uniform(2, 5), {60000});
  CHECK(u.low >= 2);
  CHECK(u.high < 5);
  CHECK(u.mean == Approx(3.5).margin(0.02));
  const Moments n = moments(init::normal(-1, 2), {60000});
  CHECK(n.mean == Approx(-1).margin(0.04));
  CHECK(n.std == Approx(2).epsilon(0.012));
  CHECK(init::constant(0.25)({2}).to_vector<float>() == std::vector<float>{0.25f, 0.25f});
  CHECK(init::zeros()({1}).item() == 0);
  CHECK(init::ones()({1}).item() == 1);
}

TEST_CASE("initialisers repeat from a seed") {
  Generator a(3), b(3);
  CHECK(init::he_normal()({4, 4}, {}, &a).to_vector<float>() ==
        init::he_normal()({4, 4}, {}, &b).to_vector<float>());
  manual_seed(5);
  const nn::Linear first(3, 3);
  manual_seed(5);
  CHECK(nn::Linear(3, 3).weight.to_vector<float>() == first.weight.to_vector<float>());
}

TEST_CASE("initialisers refuse shapes without fans, integer dtypes and defaults of layers") {
  CHECK_THROWS_AS(init::glorot_uniform()({5}), ShapeError);
  CHECK_THROWS_AS(init::zeros()({5}, int64), DTypeError);
  CHECK_THROWS_WITH(init::keras()({5}), Catch::Contains("[init] the default of a layer"));
}
