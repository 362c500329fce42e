#include <xgrad/ops/kernels/gemm.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include <xgrad/ops/kernels/map.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

#include "tests/support/levels.hpp"

namespace {

using namespace xgrad;
using kernels::Activation;

struct ThreadsGuard {
  int before = kernels::num_threads();
  ~ThreadsGuard() { kernels::set_num_threads(before); }
};

struct Shape {
  std::int64_t m, n, k;
};

// A product with its operands: rows are `slack` elements further apart than they are long, and what lies
// between is NaN in the operands, so that reading it shows, and a mark in the result, so that writing it
// does.
template <class T>
struct Problem {
  Shape s;
  bool ta, tb;
  std::int64_t lda, ldb, ldc;
  std::vector<T> a, b, c, bias;

  Problem(Shape shape, bool transpose_a, bool transpose_b, std::int64_t slack = 0, unsigned seed = 1)
      : s(shape), ta(transpose_a), tb(transpose_b) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> uniform(-1, 1);
    const auto fill = [&](std::vector<T>& x, std::int64_t rows, std::int64_t columns, std::int64_t ld,
                          T between) {
      x.assign(static_cast<std::size_t>(rows * ld), between);
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < columns; ++j) {
          x[static_cast<std::size_t>(i * ld + j)] = static_cast<T>(uniform(engine));
        }
      }
    };
    const T nan = std::numeric_limits<T>::quiet_NaN();
    lda = (ta ? s.m : s.k) + slack;
    ldb = (tb ? s.k : s.n) + slack;
    ldc = s.n + slack;
    fill(a, ta ? s.k : s.m, ta ? s.m : s.k, lda, nan);
    fill(b, tb ? s.n : s.k, tb ? s.k : s.n, ldb, nan);
    fill(c, s.m, s.n, ldc, mark);
    fill(bias, 1, s.n, s.n, nan);
  }

  static constexpr T mark = T(-77);

  T at_a(std::int64_t i, std::int64_t p) const {
    return a[static_cast<std::size_t>(ta ? p * lda + i : i * lda + p)];
  }
  T at_b(std::int64_t p, std::int64_t j) const {
    return b[static_cast<std::size_t>(tb ? j * ldb + p : p * ldb + j)];
  }

  std::vector<T> run(const kernels::GemmOptions<T>& options) const {
    std::vector<T> out = c;
    kernels::gemm(s.m, s.n, s.k, a.data(), lda, ta, b.data(), ldb, tb, out.data(), ldc, options);
    return out;
  }
};

long double apply(Activation activation, long double x) {
  switch (activation) {
    case Activation::relu:
      return x > 0 ? x : 0;
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
    case Activation::none:
      break;
  }
  return x;
}

// The largest error over its bound: (k + 3) roundings of sums no larger than sum |a||b| + |bias| + |c|, which
// no activation magnifies, and 4 more in the activation. Above 1 is a failure; infinite if a gap was written.
template <class T>
long double worst_error(const Problem<T>& p, const std::vector<T>& out,
                        const kernels::GemmOptions<T>& options) {
  long double worst = 0;
  const long double eps = std::numeric_limits<T>::epsilon();
  for (std::int64_t i = 0; i < p.s.m; ++i) {
    for (std::int64_t j = 0; j < p.ldc; ++j) {
      const T got = out[static_cast<std::size_t>(i * p.ldc + j)];
      if (j >= p.s.n) {
        if (got != Problem<T>::mark) return std::numeric_limits<long double>::infinity();
        continue;
      }
      long double sum = 0, magnitude = 0;
      const auto add = [&](long double term) { sum += term, magnitude += std::abs(term); };
      for (std::int64_t q = 0; q < p.s.k; ++q) {
        add(static_cast<long double>(p.at_a(i, q)) * static_cast<long double>(p.at_b(q, j)));
      }
      if (options.accumulate) add(p.c[static_cast<std::size_t>(i * p.ldc + j)]);
      if (options.bias) add(p.bias[static_cast<std::size_t>(j)]);
      const long double want = apply(options.activation, sum);
      const long double k = static_cast<long double>(p.s.k);
      const long double bound = (k + 3) * eps * magnitude + 4 * eps * std::abs(want);
      const long double error = std::abs(static_cast<long double>(got) - want);
      if (!(error <= bound)) worst = std::max(worst, bound > 0 && error >= 0 ? error / bound : 1e30L);
    }
  }
  return worst;
}

template <class T>
void check(const Problem<T>& p, const kernels::GemmOptions<T>& options) {
  CAPTURE(p.s.m, p.s.n, p.s.k, p.ta, p.tb, p.lda, p.ldb, p.ldc, options.accumulate, options.bias != nullptr,
          static_cast<int>(options.activation), sizeof(T));
  CHECK(worst_error(p, p.run(options), options) == 0);
}

template <class T>
void check_layouts(Shape s, std::int64_t slack) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const Problem<T> p(s, ta, tb, slack);
      check(p, {});
      check(p, {.accumulate = true});
    }
  }
}

template <class T>
void check_activations(Shape s) {
  for (const std::int64_t slack : {0, 1}) {
    for (const bool tb : {false, true}) {
      const Problem<T> p(s, false, tb, slack);
      for (const Activation activation :
           {Activation::none, Activation::relu, Activation::sigmoid, Activation::tanh}) {
        check(p, {.bias = p.bias.data(), .activation = activation});
        check(p, {.activation = activation});
        check(p, {.accumulate = true, .bias = p.bias.data(), .activation = activation});
      }
    }
  }
}

template <class T>
bool same_bits(const std::vector<T>& x, const std::vector<T>& y) {
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0;
}

}  // namespace

TEMPLATE_TEST_CASE("a matrix product is the sum of products, in every layout and odd size", "", float,
                   double) {
  test::LevelGuard guard;
  for (const kernels::Level level : test::levels()) {
    guard.set(level);
    CAPTURE(kernels::name(level));
    const std::vector<std::int64_t> sizes{1, 2, 3, 5, 7, 8, 12, 14, 16, 17, 31, 33};
    for (const std::int64_t m : sizes) {
      for (const std::int64_t n : sizes) {
        for (const std::int64_t k : {1, 2, 4, 7, 19, 34}) check_layouts<TestType>({m, n, k}, (m + n) % 3);
      }
    }
  }
}

TEMPLATE_TEST_CASE("how far apart the rows of a single row are does not matter", "", float, double) {
  using T = TestType;
  for (const Shape s : {Shape{1, 5, 1}, {1, 5, 3}, {1, 40, 9}, {1, 1, 60}}) {
    const Problem<T> p(s, false, false, 0);
    std::vector<T> expected(static_cast<std::size_t>(s.n)), got = expected;
    kernels::gemm(1, s.n, s.k, p.a.data(), s.k, false, p.b.data(), s.n, false, expected.data(), s.n);
    kernels::gemm(1, s.n, s.k, p.a.data(), 0, false, p.b.data(), s.n, false, got.data(), 0);
    CAPTURE(s.n, s.k);
    CHECK(same_bits(expected, got));
    CHECK(expected[0] != 0);
  }
}

TEMPLATE_TEST_CASE("a matrix product is the sum of products, whichever kernel serves its shape", "", float,
                   double) {
  test::LevelGuard guard;
  for (const kernels::Level level : test::levels()) {
    guard.set(level);
    CAPTURE(kernels::name(level));
    for (const Shape s : {Shape{1, 512, 784},
                          {1, 300, 131},
                          {32, 10, 512},
                          {130, 10, 70},
                          {16, 140, 200},
                          {5, 1, 300},
                          {300, 1, 5},
                          {65, 63, 67},
                          {31, 70, 300},
                          {33, 50, 140},
                          {64, 95, 257},
                          {96, 130, 129},
                          {40, 70, 128},
                          {40, 70, 129},
                          {129, 65, 257},
                          {100, 530, 90}}) {
      check_layouts<TestType>(s, 0);
      check_layouts<TestType>(s, 5);
    }
  }
}

TEMPLATE_TEST_CASE("bias and activation follow the product and what it is added to", "", float, double) {
  test::LevelGuard guard;
  for (const kernels::Level level : test::levels()) {
    guard.set(level);
    CAPTURE(kernels::name(level));
    for (const Shape s : {Shape{1, 10, 2},
                          {1, 1, 10},
                          {32, 10, 8},
                          {32, 1, 8},
                          {1, 200, 96},
                          {20, 11, 100},
                          {70, 90, 140},
                          {6, 7, 0}}) {
      check_activations<TestType>(s);
    }
  }
}

TEMPLATE_TEST_CASE("a fused activation has the bits of the same function applied afterwards", "", float,
                   double) {
  for (const Shape s : {Shape{1, 10, 2}, {32, 10, 8}, {1, 200, 96}, {32, 70, 300}, {130, 90, 140}}) {
    const Problem<TestType> p(s, false, true);
    for (const Activation activation : {Activation::relu, Activation::sigmoid, Activation::tanh}) {
      auto expected = p.run({.bias = p.bias.data()});
      const auto n = static_cast<std::int64_t>(expected.size());
      TestType* y = expected.data();
      if (activation == Activation::relu) kernels::map([](auto x) { return relu(x); }, n, y, y);
      if (activation == Activation::sigmoid) kernels::map([](auto x) { return sigmoid(x); }, n, y, y);
      if (activation == Activation::tanh) kernels::map([](auto x) { return tanh(x); }, n, y, y);
      CAPTURE(s.m, s.n, s.k, static_cast<int>(activation));
      CHECK(same_bits(p.run({.bias = p.bias.data(), .activation = activation}), expected));
    }
  }
}

TEMPLATE_TEST_CASE("a product over no terms is zero", "", float, double) {
  const Problem<TestType> p({3, 5, 0}, false, false, 2);
  const std::vector<TestType> out = p.run({});
  CHECK(worst_error(p, out, {}) == 0);
  CHECK(out[0] == 0);
  CHECK(same_bits(p.run({.accumulate = true}), p.c));
}

TEMPLATE_TEST_CASE("a product without rows or without columns writes nothing", "", float, double) {
  TestType untouched = 3;
  kernels::gemm(0, 4, 5, &untouched, 5, false, &untouched, 4, false, &untouched, 4);
  kernels::gemm(4, 0, 5, &untouched, 5, false, &untouched, 1, false, &untouched, 1);
  CHECK(untouched == 3);
}

TEMPLATE_TEST_CASE("relu after a product keeps NaN", "", float, double) {
  for (const std::int64_t m : {1, 40}) {
    for (const std::int64_t k : {1, 2, 5, 40, 300}) {
      for (const std::int64_t n : {3, 90}) {
        Problem<TestType> p({m, n, k}, false, true);
        p.a[0] = std::numeric_limits<TestType>::quiet_NaN();
        const auto out = p.run({.bias = p.bias.data(), .activation = Activation::relu});
        CAPTURE(m, n, k);
        CHECK(std::isnan(out[0]));
        CHECK(std::isnan(out[static_cast<std::size_t>(n - 1)]));
      }
    }
  }
}

TEMPLATE_TEST_CASE("a product of a few numbers keeps infinities and the sign of zero", "", float, double) {
  const TestType infinity = std::numeric_limits<TestType>::infinity();
  for (const std::int64_t k : {2, 3}) {
    Problem<TestType> p({1, 2, k}, false, true);
    std::fill(p.a.begin(), p.a.end(), TestType(1));
    std::fill_n(p.b.begin(), k, TestType(-0.0));
    std::fill_n(p.b.begin() + k, k, -infinity);
    const auto out = p.run({});
    CAPTURE(k);
    CHECK(out[0] == 0);
    CHECK(std::signbit(out[0]));
    CHECK(out[1] == -infinity);
    CHECK(p.run({.activation = Activation::relu})[1] == 0);
  }
}

TEMPLATE_TEST_CASE("the bits of a product do not depend on the number of threads", "", float, double) {
  const ThreadsGuard guard;
  for (const Shape s : {Shape{1, 2000, 784},
                        {1, 512, 784},
                        {16, 512, 300},
                        {900, 10, 512},
                        {32, 512, 784},
                        {64, 511, 300},
                        {128, 512, 784},
                        {512, 784, 128},
                        {300, 333, 200},
                        {1024, 65, 128}}) {
    for (const auto& [ta, tb] : {std::pair{false, true}, {false, false}, {true, false}}) {
      const Problem<TestType> p(s, ta, tb);
      const kernels::GemmOptions<TestType> options{.bias = p.bias.data(), .activation = Activation::relu};
      kernels::set_num_threads(1);
      const auto expected = p.run(options);
      for (const int threads : {2, 3, 4, 8}) {
        kernels::set_num_threads(threads);
        CAPTURE(s.m, s.n, s.k, ta, tb, threads);
        CHECK(same_bits(p.run(options), expected));
      }
    }
  }
}

TEMPLATE_TEST_CASE("products on several threads of the program's own agree", "", float, double) {
  const ThreadsGuard guard;
  kernels::set_num_threads(2);
  const Problem<TestType> p({128, 300, 257}, false, true);
  const auto expected = p.run({});
  std::vector<std::vector<TestType>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&result, &p] {
      for (int round = 0; round < 5; ++round) result = p.run({});
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(same_bits(result, expected));
}

TEMPLATE_TEST_CASE("a batch of products is each product by itself", "", float, double) {
  const ThreadsGuard guard;
  for (const Shape s : {Shape{4, 4, 4}, {17, 9, 33}, {64, 64, 32}, {100, 120, 140}, {2, 3, 0}}) {
    const Problem<TestType> p({s.m * 6, s.n, s.k}, false, true);  // six A below each other, one B
    const std::int64_t batch = 6;
    for (const int threads : {1, 3}) {
      kernels::set_num_threads(threads);
      std::vector<TestType> out = p.c, expected = p.c;
      const kernels::GemmOptions<TestType> options{.accumulate = true, .bias = p.bias.data()};
      kernels::gemm_batched(batch, {s.m * p.lda, 0, s.m * p.ldc}, s.m, s.n, s.k, p.a.data(), p.lda, false,
                            p.b.data(), p.ldb, true, out.data(), p.ldc, options);
      for (std::int64_t i = 0; i < batch; ++i) {
        kernels::gemm(s.m, s.n, s.k, p.a.data() + i * s.m * p.lda, p.lda, false, p.b.data(), p.ldb, true,
                      expected.data() + i * s.m * p.ldc, p.ldc, options);
      }
      CAPTURE(s.m, s.n, s.k, threads);
      CHECK(same_bits(out, expected));
      CHECK(worst_error(p, out, options) == 0);
    }
  }
  TestType untouched = 3;
  kernels::gemm_batched(0, {1, 1, 1}, 1, 1, 1, &untouched, 1, false, &untouched, 1, false, &untouched, 1);
  CHECK(untouched == 3);
}
