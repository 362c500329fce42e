#include <cmath>
#include <limits>
#include <vector>

#include <xgrad/ops/kernels/map.hpp>

#include "tests/support/levels.hpp"
#include "tests/support/ulp.hpp"

// accuracy.cpp measures the functions on packs, through the ops; here is what no op stands on.

using namespace xgrad;

TEST_CASE("trunc is exact and keeps the sign of zero") {
  const std::vector<float> x = test::sample_numbers<float>(20, 1000);
  for (const kernels::Level level : test::levels()) {
    CAPTURE(kernels::name(level));
    std::vector<float> y(x.size());
    kernels::map_at(
        level, [](auto v) { return trunc(v); }, 1, static_cast<std::int64_t>(x.size()),
        kernels::out(y.data()), kernels::in(x.data()));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (std::isnan(x[i]))
        wrong += !std::isnan(y[i]);
      else
        wrong += y[i] != std::trunc(x[i]) || std::signbit(y[i]) != std::signbit(x[i]);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("the scalar functions are those of packs") {
  CHECK(simd::exp(1.0) == Approx(2.718281828459045).epsilon(1e-15));
  CHECK(simd::tanh(0.5f) == Approx(0.46211716f).epsilon(1e-6));
  CHECK(simd::pow(2.0, 0.5) == Approx(1.4142135623730951).epsilon(1e-15));
  CHECK(simd::select(simd::maximum(1.0f, 2.0f) > 1, 3, 4) == 3);
  CHECK(std::isnan(simd::minimum(std::numeric_limits<float>::quiet_NaN(), 1.0f)));
  CHECK(std::isnan(simd::minimum(1.0f, std::numeric_limits<float>::quiet_NaN())));
}
