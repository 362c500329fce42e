#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/ops/cumulative.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/linalg.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

#include "tests/support/levels.hpp"

// Sums of a million and of ten million floats against long double, at every level of vector instructions. The
// measure is the error over eps times the sum of the magnitudes that were added up. Constants are among the
// data because their roundings all go the same way.

using namespace xgrad;

namespace {

using Real = long double;
constexpr Real eps = std::numeric_limits<float>::epsilon();

struct Data {
  const char* name;
  std::vector<float> values;
};
/// Constants, numbers that cancel, positive ones, and ones of very different size.
std::vector<Data> data(std::size_t n) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> unit(-1, 1), exponent(-20, 20);
  std::vector<Data> all = {
      {"0.1", std::vector<float>(n, 0.1f)}, {"both signs", {}}, {"positive", {}}, {"wide", {}}};
  for (std::size_t i = 0; i < n; ++i) {
    const float u = unit(random);
    all[1].values.push_back(u);
    all[2].values.push_back(std::abs(u));
    all[3].values.push_back(u * std::exp2(exponent(random)));
  }
  return all;
}

/// A tensor with its elements in an order that kernels have to cope with, and the axes to reduce.
struct View {
  const char* name;
  Tensor (*of)(const Tensor& million);
  Axes axes;
};
const View views[] = {
    {"everything", [](const Tensor& x) { return x; }, {}},
    {"rows",
     [](const Tensor& x) {
       return x.reshape({1000, 1000});
     },
     {1}},
    {"columns",
     [](const Tensor& x) {
       return x.reshape({1000, 1000});
     },
     {0}},
    {"long rows",
     [](const Tensor& x) {
       return x.reshape({2, 500'000});
     },
     {1}},
    {"long columns",
     [](const Tensor& x) {
       return x.reshape({200'000, 5});
     },
     {0}},
    {"middle axis",
     [](const Tensor& x) {
       return x.reshape({10, 10'000, 10});
     },
     {1}},
    {"outer axes",
     [](const Tensor& x) {
       return x.reshape({100, 20, 500});
     },
     {0, 2}},
    {"every third", [](const Tensor& x) { return x(slice(1, 1'000'000, 3)); }, {}},
    {"backwards",
     [](const Tensor& x) {
       return x.reshape({1000, 1000})(slice(), slice(999, -1001, -1));
     },
     {1}},
    {"transposed part",
     [](const Tensor& x) {
       return x.reshape({1000, 1000})(slice(3, 998), slice(1, 996, 2)).T();
     },
     {0}},
};

/// The elements that each result is formed from.
std::vector<std::vector<double>> groups_of(const Tensor& x, const Axes& axes) {
  const unsigned mask = axes.mask("test", x.shape());
  Shape order;
  std::size_t n = 1;
  for (int pass = 0; pass < 2; ++pass)
    for (int i = 0; i < x.rank(); ++i)
      if (static_cast<int>(mask >> i & 1) == pass) {
        order.push_back(i);
        if (pass == 1) n *= static_cast<std::size_t>(x.shape()[i]);
      }
  const std::vector<double> all = x.permute(order).to_vector<double>();
  std::vector<std::vector<double>> groups;
  for (auto at = all.begin(); at != all.end(); at += static_cast<std::ptrdiff_t>(n))
    groups.emplace_back(at, at + static_cast<std::ptrdiff_t>(n));
  return groups;
}

/// What a reduction should give for a group of numbers, and what its error is measured by.
struct Expected {
  Real value, magnitude;
};
struct Reduction {
  const char* name;
  Tensor (*op)(const Tensor&, const Axes&);
  Expected (*exact)(const std::vector<double>&);
  double bound;  // in eps times the magnitude
};

template <class F>
Real total(const std::vector<double>& v, F f) {
  Real sum = 0;
  for (const double x : v) sum += f(static_cast<Real>(x));
  return sum;
}
Real magnitude(Real x) { return std::abs(x); }
Real count(const std::vector<double>& v) { return static_cast<Real>(v.size()); }
Expected sum_of(const std::vector<double>& v) {
  return {total(v, [](Real x) { return x; }), total(v, magnitude)};
}
Expected mean_of(const std::vector<double>& v) {
  const Expected s = sum_of(v);
  return {s.value / count(v), s.magnitude / count(v)};
}
Expected var_of(const std::vector<double>& v) {
  const Real mean = mean_of(v).value;
  const Real var = total(v, [=](Real x) { return (x - mean) * (x - mean); }) / count(v);
  // The rounded mean is as good as any other number that close, but no better.
  return {var, var + eps * mean * mean};
}
Expected norm_of(const std::vector<double>& v) {
  const Real norm = std::sqrt(total(v, [](Real x) { return x * x; }));
  return {norm, norm};
}
Expected logsumexp_of(const std::vector<double>& v) {
  const Real y = std::log(total(v, [](Real x) { return std::exp(x); }));
  return {y, std::max(std::abs(y), Real(1))};
}

const Reduction reductions[] = {
    {"sum", [](const Tensor& x, const Axes& axes) { return sum(x, axes); }, sum_of, 8},
    {"mean", [](const Tensor& x, const Axes& axes) { return mean(x, axes); }, mean_of, 8},
    {"var", [](const Tensor& x, const Axes& axes) { return var(x, axes, {.ddof = 0}); }, var_of, 8},
    {"std", [](const Tensor& x, const Axes& axes) { return xgrad::std(x, axes, {.ddof = 0}); },
     [](const std::vector<double>& v) {
       const Real root = std::sqrt(var_of(v).value);
       return Expected{root, root + std::abs(mean_of(v).value)};
     },
     8},
    {"norm", [](const Tensor& x, const Axes& axes) { return norm(x, axes); }, norm_of, 8},
    {"sum_to",  // what a broadcast input's gradient is made of
     [](const Tensor& x, const Axes& axes) {
       Shape kept = x.shape();
       for (const std::int64_t axis : axes.resolve("test", x.shape())) kept[static_cast<int>(axis)] = 1;
       return sum_to(x, kept);
     },
     sum_of, 8},
};

/// Of an op at a level, over all data.
class Worst {
 public:
  void see(Real got, const Expected& want, const std::string& where) {
    const Real error = want.magnitude == 0 ? (got == want.value ? 0 : INFINITY)
                                           : std::abs(got - want.value) / (eps * want.magnitude);
    if (error > error_ || std::isnan(error)) error_ = error, where_ = where;
  }
  void report(const char* name, kernels::Level level, double bound) const {
    std::printf("%-12s %s %.2Lf eps of the sum of magnitudes: %s\n", name, kernels::name(level), error_,
                where_.c_str());
    CAPTURE(name, kernels::name(level), where_, error_);
    CHECK(error_ <= bound);
  }

 private:
  Real error_ = 0;
  std::string where_;
};

Tensor float_tensor(const std::vector<float>& v) {
  return Tensor(Array::from<float>(v, {static_cast<std::int64_t>(v.size())}));
}

}  // namespace

TEST_CASE("reductions of a million floats stay within a few eps of the sum of magnitudes") {
  const std::vector<Data> sets = data(1'000'000);
  const std::vector<kernels::Level>& levels = test::levels();
  test::LevelGuard guard;
  std::vector<std::vector<Worst>> worst(std::size(reductions), std::vector<Worst>(levels.size()));
  for (const View& view : views) {
    for (const Data& set : sets) {
      const Tensor x = view.of(float_tensor(set.values));
      const auto groups = groups_of(x, view.axes);
      for (std::size_t r = 0; r < std::size(reductions); ++r) {
        std::vector<Expected> want;
        for (const auto& group : groups) want.push_back(reductions[r].exact(group));
        for (std::size_t l = 0; l < levels.size(); ++l) {
          guard.set(levels[l]);
          const std::vector<float> y = reductions[r].op(x, view.axes).to_vector<float>();
          REQUIRE(y.size() == want.size());
          for (std::size_t i = 0; i < y.size(); ++i)
            worst[r][l].see(y[i], want[i], std::string(set.name) + ", " + view.name);
        }
      }
    }
  }
  for (std::size_t r = 0; r < std::size(reductions); ++r)
    for (std::size_t l = 0; l < levels.size(); ++l)
      worst[r][l].report(reductions[r].name, levels[l], reductions[r].bound);
}

TEST_CASE("ten million floats are added up, exponentiated, normed and multiplied within a few eps") {
  const std::vector<kernels::Level>& levels = test::levels();
  test::LevelGuard guard;
  std::vector<Worst> sums(levels.size()), norms(levels.size()), exps(levels.size()), dots(levels.size());
  for (const Data& set : data(10'000'000)) {
    const Tensor x = float_tensor(set.values);
    const std::vector<double> values(set.values.begin(), set.values.end());
    const Expected sum_want = sum_of(values), norm_want = norm_of(values);
    const Expected dot_want{norm_want.value * norm_want.value, norm_want.value * norm_want.value};
    const bool exponentiable = std::string(set.name) != "wide";
    const Expected exp_want = exponentiable ? logsumexp_of(values) : Expected{};
    for (std::size_t l = 0; l < levels.size(); ++l) {
      guard.set(levels[l]);
      sums[l].see(sum(x).item<float>(), sum_want, set.name);
      norms[l].see(norm(x).item<float>(), norm_want, set.name);
      dots[l].see(matmul(x, x).item<float>(), dot_want, set.name);
      if (exponentiable) exps[l].see(logsumexp(x).item<float>(), exp_want, set.name);
    }
  }
  for (std::size_t l = 0; l < levels.size(); ++l) {
    sums[l].report("sum", levels[l], 8);
    norms[l].report("norm", levels[l], 8);
    exps[l].report("logsumexp", levels[l], 8);
    dots[l].report("dot", levels[l], 256);
  }
}

TEST_CASE("softmax and log_softmax of long rows are within a few eps") {
  test::LevelGuard guard;
  for (const auto& [rows, columns] : {std::pair<std::int64_t, std::int64_t>{1, 1'000'000}, {3, 100'003}}) {
    std::mt19937 random(3);
    std::uniform_real_distribution<float> unit(-3, 3);
    std::vector<float> values(static_cast<std::size_t>(rows * columns));
    for (float& v : values) v = unit(random);
    const Tensor x = float_tensor(values).reshape({rows, columns}).set_requires_grad(true);
    const auto groups = groups_of(x, 1);
    const Tensor cotangent = abs(x.detach()) + 0.1;
    for (const kernels::Level level : test::levels()) {
      guard.set(level);
      const Tensor y = softmax(x), l = log_softmax(x), e = logsumexp(x, 1);
      const std::vector<double> soft = y.to_vector<double>(), log_soft = l.to_vector<double>(),
                                gradient = grad(y, x, {.grad_outputs = {cotangent}}).to_vector<double>(),
                                log_gradient = grad(l, x, {.grad_outputs = {cotangent}}).to_vector<double>();
      Worst softs, logs, lses, gradients, log_gradients;
      std::size_t i = 0;
      for (std::size_t r = 0; r < groups.size(); ++r) {
        const Expected level_want = logsumexp_of(groups[r]);
        lses.see(e.to_vector<double>()[r], level_want, "");
        Real dot = 0, sum_dy = 0;
        for (const double v : groups[r]) {
          const Real dy = static_cast<float>(std::abs(v)) + 0.1f;
          dot += dy * std::exp(v - level_want.value);
          sum_dy += dy;
        }
        for (const double v : groups[r]) {
          const Real p = std::exp(v - level_want.value), dy = static_cast<float>(std::abs(v)) + 0.1f;
          softs.see(soft[i], {p, p}, "");
          logs.see(log_soft[i], {v - level_want.value, std::abs(level_want.value) + std::abs(v)}, "");
          gradients.see(gradient[i], {p * (dy - dot), p * (dy + dot)}, "");
          log_gradients.see(log_gradient[i], {dy - p * sum_dy, dy + p * sum_dy}, "");
          ++i;
        }
      }
      softs.report("softmax", level, 8);
      logs.report("log_softmax", level, 8);
      lses.report("logsumexp", level, 8);
      gradients.report("softmax'", level, 8);
      log_gradients.report("log_softmax'", level, 16);
    }
  }
}

TEST_CASE("a cumulative sum of a million floats is within an eps of the sum of magnitudes so far") {
  for (const Data& set : data(1'000'000)) {
    const Tensor x = float_tensor(set.values);
    const std::vector<float> y = cumsum(x).to_vector<float>();
    Real sum = 0, size = 0;
    Worst worst;
    for (std::size_t i = 0; i < y.size(); ++i) {
      sum += set.values[i];
      size += std::abs(set.values[i]);
      worst.see(y[i], {sum, size}, set.name);
    }
    worst.report("cumsum", kernels::level(), 1);
  }
}

TEST_CASE("a product of a million floats is off by one eps at most") {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> near(0.999f, 1.001f);
  std::vector<float> values(1'000'000);
  Real exact = 1;
  for (float& v : values) exact *= v = near(random);
  test::LevelGuard guard;
  for (const kernels::Level level : test::levels()) {
    guard.set(level);
    Worst worst;
    worst.see(prod(float_tensor(values)).item<float>(), {exact, std::abs(exact)}, "");
    worst.report("prod", level, 1);
  }
}

// A product's terms may be added one after the other up to a depth of 2048 (ops/kernels/gemm.cpp): 1024 eps
// at worst, a quarter of it for constants.
TEST_CASE("long matrix products are bounded by the sum of magnitudes") {
  const std::vector<kernels::Level>& levels = test::levels();
  test::LevelGuard guard;
  std::vector<Worst> products(levels.size()), lines(levels.size());
  for (const auto& [m, k, n] : {std::array<std::int64_t, 3>{1, 1'000'000, 1},
                                {3, 200'003, 5},
                                {2, 9001, 130},
                                {37, 10'007, 29},
                                {1, 2048, 7},
                                {130, 2048, 257},
                                {20, 20, 20},
                                {130, 515, 257}}) {
    for (const Data& set : data(static_cast<std::size_t>(k * std::max(m, n)))) {
      const auto part = [&](std::int64_t rows, std::int64_t columns) {
        return float_tensor(set.values)(slice(0, rows * columns)).reshape({rows, columns});
      };
      const Tensor a = part(m, k), b = part(n, k), b_by_columns = b.T().contiguous(), bias = ones({n});
      const std::vector<double> as = a.to_vector<double>(), bs = b.to_vector<double>();
      std::vector<Expected> want;
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
          Expected e{0, 0};
          for (std::int64_t p = 0; p < k; ++p) {
            const Real t = static_cast<Real>(as[static_cast<std::size_t>(i * k + p)]) *
                           static_cast<Real>(bs[static_cast<std::size_t>(j * k + p)]);
            e.value += t;
            e.magnitude += std::abs(t);
          }
          want.push_back(e);
        }
      const std::string where = set.name + (", " + Shape{m, k, n}.str());
      for (std::size_t l = 0; l < levels.size(); ++l) {
        guard.set(levels[l]);
        for (const Tensor& right : {b.T(), b_by_columns}) {
          const std::vector<float> y = matmul(a, right).to_vector<float>();
          for (std::size_t i = 0; i < want.size(); ++i) products[l].see(y[i], want[i], where);
        }
        const std::vector<float> y = linear(a, b, bias).to_vector<float>();
        for (std::size_t i = 0; i < want.size(); ++i)
          lines[l].see(y[i], {want[i].value + 1, want[i].magnitude + 1}, where);
      }
    }
  }
  for (std::size_t l = 0; l < levels.size(); ++l) {
    products[l].report("matmul", levels[l], 256);
    lines[l].report("linear", levels[l], 256);
  }
}
