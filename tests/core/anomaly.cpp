#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/reduce.hpp>

#include <cmath>
#include <string>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

/// The message of the ValueError that `f` throws, or what happened instead.
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const ValueError& e) {
    return e.what();
  }
  return "no ValueError";
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("anomaly mode names the operation that makes a NaN") {
  const Tensor x = tensor({-1.0, 1.0});
  CHECK(std::isnan(log(x)(0).item()));
  Anomaly guard;
  const std::string message = message_of([&] { log(x * 1.0); });
  CHECK(contains(message, "[log] is the first to make a NaN or an infinity"));
  CHECK(contains(message, "shape (2,)"));
}

TEST_CASE("anomaly mode lets an infinity pass that came in") {
  Anomaly guard;
  CHECK(std::isinf((tensor(INFINITY) + 1).item()));
}

TEST_CASE("anomaly mode names the operation whose gradient is infinite, and where it was called") {
  const Tensor x = tensor({0.0, 4.0}, {.requires_grad = true});
  Anomaly guard;
  const Tensor y = sqrt(x).sum();
  const std::string message = message_of([&] { y.backward(); });
  CHECK(contains(message, "[sqrt] the gradient of input 0 (shape (2,))"));
  CHECK(contains(message, "this sqrt, which was called at\n    "));
  CHECK_FALSE(contains(message, "libc.so"));
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("an operation recorded outside anomaly mode is named without a place") {
  const Tensor x = tensor({0.0, 4.0}, {.requires_grad = true});
  const Tensor y = sqrt(x).sum();
  Anomaly guard;
  for (const bool create_graph : {false, true})
    CHECK(contains(message_of([&] { grad(y, x, {.create_graph = create_graph, .retain_graph = true}); }),
                   "this sqrt, which was called at a place that is not known"));
}

TEST_CASE("anomaly mode ends with its guard, also after an error") {
  const Tensor x = tensor(0.0, {.requires_grad = true});
  {
    Anomaly guard;
    CHECK(contains(message_of([&] { sqrt(x).backward(); }), "[sqrt]"));
    CHECK(contains(message_of([&] { log(x); }), "[log]"));  // still on after the sweep threw
  }
  CHECK(std::isinf(log(x).item()));
}
