#include <string>
#include <xgrad/core/check.hpp>
#include <xgrad/core/map.hpp>

#include "tests/support/catch.hpp"

// Each op here is x² with one mistake, and the report must name it.

using namespace xgrad;

namespace {

Tensor test_twice(const Tensor& dy, const Tensor& x);

/// x².   dy/dx = 2x
struct TestSquare {
  static constexpr std::string_view name = "test_square";
  static std::vector<Sample> samples() { return {sample({3, 4})}; }
  static long double reference(long double x) { return x * x; }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return v * v; }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
};

/// 2 a b
struct TestTwice {
  static constexpr std::string_view name = "test_twice";
  static std::vector<Sample> samples() { return {sample({3, 4}, {3, 4})}; }
  static long double reference(long double a, long double b) { return 2 * a * b; }
  Array forward(const Array& a, const Array& b) const {
    return map_floating(
        name, [](auto p, auto q) { return 2 * p * q; }, a, b);
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& a, const Tensor& b) const {
    return {test_twice(dy, b), test_twice(dy, a)};
  }
};
Tensor test_twice(const Tensor& dy, const Tensor& x) { return record(TestTwice{}, dy, x); }

struct WrongKernel : TestSquare {
  static constexpr std::string_view name = "test_wrong_kernel";
  Array forward(const Array& x) const { return TestSquare::forward(x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
  Array vjp_kernel(const Array& dy, const Array& x) const {
    return map_floating(
        name, [](auto d, auto v) { return 2.000001 * d * v; }, dy, x);
  }
};

struct NeedsRowMajor : TestSquare {
  static constexpr std::string_view name = "test_needs_row_major";
  Array forward(const Array& x) const {
    return TestSquare::forward(x.is_contiguous() ? x : Array::full(x.shape(), 0.5, x.dtype()));
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
};

struct RowMajorResult : TestSquare {
  static constexpr std::string_view name = "test_row_major_result";
  Array forward(const Array& x) const { return TestSquare::forward(x).contiguous(); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
};

struct WritesToInput : TestSquare {
  static constexpr std::string_view name = "test_writes_to_input";
  Array forward(const Array& x) const {
    Array y = TestSquare::forward(x);
    Array same = x;
    same.copy_in(y);
    return y;
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
};

struct FailsOnEmpty : TestSquare {
  static constexpr std::string_view name = "test_fails_on_empty";
  Array forward(const Array& x) const {
    if (x.numel() == 0) throw ShapeError(name, "no elements: pass some");
    return TestSquare::forward(x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
};

struct WidensResult : TestSquare {
  static constexpr std::string_view name = "test_widens_result";
  Array forward(const Array& x) const { return TestSquare::forward(x).astype(DType::float64); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
};

/// Computes in float32 whatever comes.
struct Narrow : TestSquare {
  static constexpr std::string_view name = "test_narrow";
  Array forward(const Array& x) const {
    return TestSquare::forward(x.astype(DType::float32)).astype(x.dtype());
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
};

struct NoReference {
  static constexpr std::string_view name = "test_no_reference";
  static std::vector<Sample> samples() { return {sample({3, 4})}; }
  Array forward(const Array& x) const { return TestSquare{}.forward(x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
};

/// Says it has a derivative, and samples nothing that does.
struct OnlyIntegers : TestSquare {
  static constexpr std::string_view name = "test_only_integers";
  static std::vector<Sample> samples() { return {sample({3, 4}).integers(0, 1, 5)}; }
  Array forward(const Array& x) const { return TestSquare::forward(x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
};

struct NoSamples : TestSquare {
  static constexpr std::string_view name = "test_no_samples";
  static std::vector<Sample> samples() { return {}; }
  Array forward(const Array& x) const { return TestSquare::forward(x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return test_twice(dy, x); }
};

/// The checks that failed, each once.
template <class Op>
std::vector<std::string> failures() {
  std::vector<std::string> names;
  for (const CheckRecord& r : check_op<Op>().records())
    if (r.outcome == CheckRecord::Outcome::failed && (names.empty() || names.back() != r.check))
      names.emplace_back(r.check);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("check_op passes right ops and says what it left out and why") {
  CHECK(check_op<TestTwice>());
  const CheckReport report = check_op<TestSquare>();
  CHECK(report);
  CHECK_THAT(report.str(), Catch::Contains("test_square: ") && Catch::Contains(" 0 failed\n") &&
                               Catch::Contains("left out vjp_kernel: it has no vjp_kernel") &&
                               Catch::Contains("left out broadcast: one input"));
}

TEST_CASE("every check either ran or is left out with a reason") {
  const CheckReport report = check_op<TestTwice>();
  for (std::string_view check : check_names()) {
    INFO(check);
    bool seen = false;
    for (const CheckRecord& r : report.records()) {
      seen = seen || r.check == check;
      CHECK((r.outcome != CheckRecord::Outcome::left_out || !r.detail.empty()));
    }
    CHECK(seen);
  }
}

TEST_CASE("a gradient kernel that is off by half a millionth is found") {
  CHECK(check_op<WrongKernel>().failed("vjp_kernel"));
  CHECK(check_op<WrongKernel>().failed("first derivatives"));
  CHECK_FALSE(check_op<WrongKernel>().failed("second derivatives"));  // these take vjp
}

TEST_CASE("a forward that is right for row-major inputs alone is found by every layout") {
  CHECK(failures<NeedsRowMajor>() == Names{"stepped", "flipped", "transposed", "expanded", "channels-last"});
}

TEST_CASE("a result that loses the order of axes is found") {
  CHECK(failures<RowMajorResult>() == Names{"channels-last"});
}

TEST_CASE("writing to an input is found") { CHECK(check_op<WritesToInput>().failed("inputs untouched")); }

TEST_CASE("an elementwise op that refuses empty inputs fails") {
  CHECK(failures<FailsOnEmpty>() == Names{"empty"});
  CHECK_THAT(check_op<FailsOnEmpty>().str(), Catch::Contains("threw [test_fails_on_empty] no elements"));
}

TEST_CASE("float32 that becomes float64, and float64 that was float32, are found") {
  CHECK(failures<WidensResult>() == Names{"float32"});
  CHECK(check_op<Narrow>().failed("value"));
}

TEST_CASE("an op without a reference, without samples, or whose samples miss a check fails") {
  CHECK(failures<NoReference>() == Names{"value"});
  CHECK(failures<NoSamples>().front() == "samples");
  const CheckReport report = check_op<OnlyIntegers>();
  CHECK(report.failed("first derivatives"));
  CHECK(report.failed("second derivatives"));
  CHECK_THAT(report.str(), Catch::Contains("it left no record of having run: no sample suits it"));
}

TEST_CASE("distinct values keep their distance, also between inputs") {
  const Sample s = sample({40}, {60}).within(-2, 2).avoiding({0, 1}, 0.1).distinct();
  OpInfo info = detail::op_info<TestTwice>();
  static std::vector<double> seen;
  info.apply = [](const Sample&, std::span<const Tensor> in) {
    seen.clear();
    for (const Tensor& x : in)
      for (double v : x.to_vector<double>()) seen.push_back(v);
    return std::vector<Tensor>{in[0]};
  };
  static Sample only = s;
  info.samples = [] { return std::vector<Sample>{only}; };
  check_op(info, {"value"});
  REQUIRE(seen.size() == 100);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CHECK(std::fabs(seen[i]) >= 0.1);
    CHECK(std::fabs(seen[i] - 1) >= 0.1);
    for (std::size_t k = 0; k < i; ++k) CHECK(std::fabs(seen[i] - seen[k]) >= 4.0 / 400);
  }
}
