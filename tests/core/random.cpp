#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>
#include <thread>
#include <xgrad/core/random.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

// Words of seed 0x123456789abcdef0, stream 5 from block 2^32 - 1 on, by a Philox of Python's integers.
constexpr kernels::RandomKey key{0x123456789abcdef0, 5};
constexpr std::uint64_t offset = 0xffffffff;
const std::vector<std::uint32_t> words{0x29f6c989, 0x951681e1, 0x9423d533, 0x34c370d9,
                                       0xc97733af, 0x700903d9, 0x882a3bf6, 0x7fb665ac,
                                       0xf84b4a62, 0xcc9fca63, 0xe7f91399, 0xc2931f97};

template <class T, class F>
std::vector<T> drawn(std::int64_t n, F&& fill) {
  std::vector<T> v(static_cast<std::size_t>(n));
  fill(v.data(), n);
  return v;
}

struct Moments {
  double mean = 0, variance = 0, skew = 0, kurtosis = 0;
};
Moments moments(const std::vector<double>& v) {
  const double n = static_cast<double>(v.size());
  Moments m;
  for (double x : v) m.mean += x / n;
  for (double x : v) {
    const double d = x - m.mean;
    m.variance += d * d / n;
    m.skew += d * d * d / n;
    m.kurtosis += d * d * d * d / n;
  }
  return m;
}

template <class T>
std::uint64_t hash_of(const std::vector<T>& v) {
  std::uint64_t h = 0;
  for (T x : v) {
    if constexpr (sizeof(T) == 4)
      h = h * 1000003 + std::bit_cast<std::uint32_t>(x);
    else
      h = h * 1000003 + std::bit_cast<std::uint64_t>(x);
  }
  return h;
}

/// Restores the thread count of the process.
struct Threads {
  int before = kernels::num_threads();
  ~Threads() { kernels::set_num_threads(before); }
};

}  // namespace

TEST_CASE("words are those of Philox, across the carry of the counter") {
  CHECK(drawn<std::uint32_t>(12, [](auto* p, auto n) { kernels::fill_bits(key, offset, p, n); }) == words);
  const auto u = drawn<float>(12, [](auto* p, auto n) { kernels::fill_uniform(key, offset, p, n); });
  const auto d = drawn<double>(6, [](auto* p, auto n) { kernels::fill_uniform(key, offset, p, n); });
  for (std::size_t i = 0; i < 12; ++i) CHECK(u[i] == std::ldexp(static_cast<float>(words[i] >> 8), -24));
  CHECK(d[0] == 0.5823746847836119);
  CHECK(d[1] == 0.20610719024638446);
  CHECK(d[3] == 0.4988769098492093);
}

TEST_CASE("normals are those of Box and Muller") {
  const auto f = drawn<float>(8, [](auto* p, auto n) { kernels::fill_normal(key, offset, p, n); });
  const std::vector<float> expected{-1.6526789631622822f, -0.9409475607479393f, 0.2848200055518685f,
                                    1.0064379201093647f,  -0.6397223889219228f, 0.2643341406652386f,
                                    -1.1236358738834522f, 0.00792916289261135f};
  CHECK(f == expected);

  const std::int64_t n = 20000;
  const auto w = drawn<std::uint64_t>(n, [](auto* p, auto k) { kernels::fill_bits(key, 0, p, k); });
  const auto z = drawn<double>(n, [](auto* p, auto k) { kernels::fill_normal(key, 0, p, k); });
  double worst = 0;
  for (std::size_t i = 0; i < z.size(); i += 2) {
    const long double u = (static_cast<long double>(w[i] >> 12) + 0.5L) * 0x1p-52L;
    const long double angle =
        2 * std::numbers::pi_v<long double> * static_cast<long double>(w[i + 1] >> 12) * 0x1p-52L;
    const long double r = std::sqrt(-2 * std::log(u));
    worst = std::max(worst, static_cast<double>(std::abs(z[i] - r * std::cos(angle)) / r));
    worst = std::max(worst, static_cast<double>(std::abs(z[i + 1] - r * std::sin(angle)) / r));
  }
  CHECK(worst < 4e-16);
}

TEST_CASE("uniforms and normals have the same bits on every machine") {
  const kernels::RandomKey k{42, 0};
  const std::int64_t n = 1 << 14;
  CHECK(hash_of(drawn<float>(n, [&](auto* p, auto m) { kernels::fill_uniform(k, 0, p, m); })) ==
        0xa68c0b991cf9f5dc);
  CHECK(hash_of(drawn<double>(n, [&](auto* p, auto m) { kernels::fill_uniform(k, 0, p, m); })) ==
        0x6ae511efba7a4429);
  CHECK(hash_of(drawn<float>(n, [&](auto* p, auto m) { kernels::fill_normal(k, 0, p, m); })) ==
        0x2472a33be0f4a370);
  CHECK(hash_of(drawn<double>(n, [&](auto* p, auto m) { kernels::fill_normal(k, 0, p, m); })) ==
        0xe624271bdce1fa04);
}

TEST_CASE("numbers do not depend on the number of threads, nor on how many are drawn at once") {
  const Threads restore;
  const std::int64_t n = 300001;
  const auto normals = [&](auto* p, auto m) { kernels::fill_normal(key, 7, p, m); };
  kernels::set_num_threads(1);
  const auto alone = drawn<float>(n, normals);
  for (int threads : {2, 3, 8}) {
    kernels::set_num_threads(threads);
    CHECK(drawn<float>(n, normals) == alone);
  }
  for (std::int64_t m : {1, 2, 3, 127, 128, 129, 1000}) {
    const auto part = drawn<float>(m, normals);
    CHECK(std::equal(part.begin(), part.end(), alone.begin()));
  }
  const auto rest = drawn<float>(1000, [&](auto* p, auto m) { kernels::fill_normal(key, 7 + 25, p, m); });
  CHECK(std::equal(rest.begin(), rest.end(), alone.begin() + 100));
}

TEST_CASE("uniforms and normals have the moments of their distributions") {
  const std::int64_t n = 1 << 20;
  const double e =
      5 / std::sqrt(static_cast<double>(n));  // five standard errors of the mean of a unit variance
  for (DType t : {float32, float64}) {
    Generator g(1);
    const auto u = rand({n}, {.dtype = t}, &g).to_vector<double>();
    const Moments m = moments(u);
    CHECK(std::abs(m.mean - 0.5) < e * std::sqrt(1.0 / 12));
    CHECK(std::abs(m.variance - 1.0 / 12) < e * std::sqrt(1.0 / 180));
    CHECK(*std::min_element(u.begin(), u.end()) >= 0);
    CHECK(*std::max_element(u.begin(), u.end()) < 1);

    const auto z = randn({n}, {.dtype = t}, &g).to_vector<double>();
    const Moments s = moments(z);
    CHECK(std::abs(s.mean) < e);
    CHECK(std::abs(s.variance - 1) < e * std::sqrt(2.0));
    CHECK(std::abs(s.skew) < e * std::sqrt(15.0));
    CHECK(std::abs(s.kurtosis - 3) < e * std::sqrt(96.0));
    double neighbours = 0;
    for (std::size_t i = 0; i + 1 < z.size(); ++i) neighbours += z[i] * z[i + 1] / static_cast<double>(n);
    CHECK(std::abs(neighbours) < e);
  }
}

TEST_CASE("the same seed draws the same numbers, another seed or stream others") {
  manual_seed(3);
  const auto a = rand({100}).to_vector<float>();
  const auto b = rand({100}).to_vector<float>();
  CHECK(a != b);
  manual_seed(3);
  CHECK(rand({100}).to_vector<float>() == a);
  CHECK(rand({100}).to_vector<float>() == b);
  manual_seed(4);
  CHECK(rand({100}).to_vector<float>() != a);

  Generator g(9), copy = g, other(9, 1);
  CHECK(randn({10}, {}, &g).to_vector<float>() == randn({10}, {}, &copy).to_vector<float>());
  CHECK(randn({10}, {}, &g).to_vector<float>() != randn({10}, {}, &other).to_vector<float>());
  Generator saved(g.seed(), g.stream(), g.offset());
  CHECK(randn({10}, {}, &saved).to_vector<float>() == randn({10}, {}, &g).to_vector<float>());
}

TEST_CASE("threads draw from streams of their own, and manual_seed reaches them") {
  manual_seed(5);
  const auto here = rand({50}).to_vector<float>();
  std::vector<float> there, again, chosen;
  std::thread([&] {
    there = rand({50}).to_vector<float>();
    manual_seed(5);
    again = rand({50}).to_vector<float>();
    default_generator() = Generator(5, default_generator().stream());
    chosen = rand({50}).to_vector<float>();
  }).join();
  CHECK(there != here);
  CHECK(again == there);
  CHECK(chosen == there);
  CHECK(rand({50}).to_vector<float>() == here);
}

TEST_CASE("what was reserved can be drawn again") {
  Generator g(11);
  const RandomDraw draw = g.reserve(10);
  CHECK(g.offset() == 3);
  const auto first =
      drawn<float>(10, [&](auto* p, auto n) { kernels::fill_uniform(draw.key, draw.offset, p, n); });
  g.reserve(1000);
  const auto second =
      drawn<float>(10, [&](auto* p, auto n) { kernels::fill_uniform(draw.key, draw.offset, p, n); });
  CHECK(first == second);
}

TEST_CASE("randint is uniform over its range") {
  Generator g(2);
  const Tensor x = randint(-3, 4, {70000}, {}, &g);
  CHECK(x.dtype() == int64);
  std::vector<int> count(7);
  for (int v : x.to_vector<int>()) {
    REQUIRE(v >= -3);
    REQUIRE(v < 4);
    ++count[static_cast<std::size_t>(v + 3)];
  }
  double chi = 0;
  for (int c : count) chi += (c - 10000.0) * (c - 10000.0) / 10000.0;
  CHECK(chi < 22.5);  // chi squared, 6 degrees of freedom: 0.1%
  CHECK(randint(0, 256, {3}, {.dtype = uint8}, &g).dtype() == uint8);
  CHECK(randint(INT64_MIN, INT64_MAX, {3}, {}, &g).numel() == 3);
  CHECK(randint(5, 6, {2, 2}, {}, &g).to_vector<int>() == std::vector<int>{5, 5, 5, 5});
}

TEST_CASE("randperm is a permutation, and each place is equally likely") {
  Generator g(3);
  std::vector<int> first(5);
  for (int k = 0; k < 5000; ++k) {
    auto p = randperm(5, {}, &g).to_vector<int>();
    ++first[static_cast<std::size_t>(p[0])];
    std::sort(p.begin(), p.end());
    REQUIRE(p == std::vector<int>{0, 1, 2, 3, 4});
  }
  double chi = 0;
  for (int c : first) chi += (c - 1000.0) * (c - 1000.0) / 1000.0;
  CHECK(chi < 18.5);  // 4 degrees of freedom: 0.1%
  CHECK(randperm(0).numel() == 0);
}

TEST_CASE("bernoulli gives ones with the probability asked for") {
  Generator g(4);
  const auto v = bernoulli(0.3, {100000}, {}, &g).to_vector<double>();
  CHECK(std::abs(std::accumulate(v.begin(), v.end(), 0.0) / 1e5 - 0.3) < 5 * std::sqrt(0.21 / 1e5));
  CHECK(bernoulli(1, {4}, {.dtype = xgrad::bool_}, &g).to_vector<int>() == std::vector<int>{1, 1, 1, 1});
  CHECK(bernoulli(0, {4}, {}, &g).to_vector<int>() == std::vector<int>{0, 0, 0, 0});
}

TEST_CASE("random creation follows the options and refuses bad ones") {
  CHECK(rand({2, 3}).shape() == Shape{2, 3});
  CHECK(randn({}, {.dtype = float64, .requires_grad = true}).requires_grad());
  CHECK(randn({0, 3}).numel() == 0);
  CHECK_THROWS_WITH(rand({2}, {.dtype = int64}), Catch::Contains("[rand]") && Catch::Contains("int64"));
  CHECK_THROWS_AS(randn({-1}), ShapeError);
  CHECK_THROWS_WITH(randint(3, 3, {2}), Catch::Contains("[randint] there is no integer in [3, 3)"));
  CHECK_THROWS_WITH(randint(0, 300, {2}, {.dtype = uint8}), Catch::Contains("do not fit uint8"));
  CHECK_THROWS_WITH(randperm(-1), Catch::Contains("n is -1"));
  CHECK_THROWS_WITH(bernoulli(1.5, {2}), Catch::Contains("p is 1.5: a probability lies in [0, 1]"));
}
