#include <xgrad/train/metric.hpp>

#include <xgrad/xgrad.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;
using Catch::Matchers::Contains;

namespace {

double value(Metric m, const Tensor& prediction, const Tensor& target) {
  m.state().update(prediction, target);
  return m.state().value();
}

double accuracy(const Tensor& prediction, const Tensor& target) {
  return value(metric::accuracy(), prediction, target);
}

const Tensor scores = tensor({{0.1, 0.7, 0.2}, {0.8, 0.1, 0.1}, {0.3, 0.3, 0.4}, {0.2, 0.2, 0.6}});

}  // namespace

TEST_CASE("binary accuracy: a prediction is right on its target's side of 0.5") {
  const Tensor p = tensor({{0.2}, {0.5}, {0.6}, {0.9}});
  CHECK(accuracy(p, tensor({{0}, {0}, {1}, {0}})) == 0.75);  // 0.5 itself is not above the threshold
  CHECK(accuracy(p, tensor({{false}, {true}, {false}, {true}})) == 0.5);
  CHECK(accuracy(tensor({0.2, 0.9}), tensor({0.0, 1.0})) == 1);
  CHECK(value(metric::accuracy({.threshold = 0.1}), p, ones({4, 1})) == 1);
}

TEST_CASE("binary accuracy after a loss on logits has its threshold at 0") {
  Metric m = metric::accuracy();
  m.state().expect_logits();
  const Tensor logits = tensor({{-0.3}, {0.3}, {0.6}}), target = tensor({{0}, {1}, {1}});
  CHECK(value(m, logits, target) == 1);
  CHECK(accuracy(logits, target) == Approx(2.0 / 3));
  Metric given = metric::accuracy({.threshold = 0.5});
  given.state().expect_logits();
  CHECK(value(given, logits, target) == Approx(2.0 / 3));  // what was asked for stays
}

TEST_CASE("accuracy against class indices, with and without an axis for them, of any dtype") {
  for (const DType t : {int64, int32, uint8, float32}) {
    CHECK(accuracy(scores, tensor({1, 0, 2, 0}, {.dtype = t})) == 0.75);
    CHECK(accuracy(scores, tensor({{1}, {0}, {2}, {0}}, {.dtype = t})) == 0.75);
  }
  CHECK(accuracy(scores.reshape({2, 2, 3}), tensor({{1, 0}, {2, 0}})) == 0.75);
}

TEST_CASE("accuracy against one-hot targets and probabilities compares the largest entries") {
  CHECK(accuracy(scores, tensor({{0, 1, 0}, {1, 0, 0}, {1, 0, 0}, {0, 0, 1}})) == 0.75);
  CHECK(accuracy(scores, tensor({{0.3, 0.5, 0.2}, {0.1, 0.5, 0.4}, {0.0, 0.1, 0.9}, {0.0, 0.1, 0.9}})) ==
        0.75);
}

TEST_CASE("of equal predictions the first counts") {
  CHECK(accuracy(tensor({{0.5, 0.5}, {0.5, 0.5}}), tensor({0, 1})) == 0.5);
}

TEST_CASE("accuracy sees views in any layout") {
  CHECK(accuracy(scores.T().contiguous().T(), tensor({1, 0, 2, 0})) == 0.75);
  const Tensor target = tensor({{1, 9}, {0, 9}, {2, 9}, {0, 9}});
  CHECK(accuracy(scores, target(slice(), 0)) == 0.75);
}

TEST_CASE("metrics are means over all samples and not over batches") {
  Metric a = metric::accuracy(), e = metric::mae(), s = metric::mse();
  for (Metric* m : {&a, &e, &s}) {
    m->state().update(tensor({{1.0}, {1.0}, {1.0}}), tensor({{1.0}, {1.0}, {1.0}}));
    m->state().update(tensor({{3.0}}), tensor({{0.0}}));
  }
  CHECK(a.state().value() == 0.75);
  CHECK(e.state().value() == 0.75);
  CHECK(s.state().value() == 2.25);
  a.state().reset();
  a.state().update(tensor({{1.0}}), tensor({{1.0}}));
  CHECK(a.state().value() == 1);
}

TEST_CASE("mae and mse are means over every element") {
  const Tensor p = tensor({{1.0, -2.0}, {0.5, 4.0}}, {.dtype = float64}), t = tensor({{0, 0}, {0, 1}});
  CHECK(value(metric::mae(), p, t) == (1 + 2 + 0.5 + 3) / 4);
  CHECK(value(metric::mse(), p, t) == (1 + 4 + 0.25 + 9) / 4);
}

TEST_CASE("a user's metric is a function of a batch, averaged over samples") {
  const Metric largest("largest", [](const Tensor& p, const Tensor&) { return max(p).item(); });
  CHECK(largest.name() == "largest");
  Metric m = largest;
  m.state().update(tensor({1.0, 4.0, 2.0}), zeros({3}));
  m.state().update(tensor({8.0}), zeros({1}));
  CHECK(m.state().value() == (3 * 4.0 + 8.0) / 4);
  CHECK(largest.named("top").name() == "top");
}

TEST_CASE("a metric refuses targets that do not fit, and counts nothing of them") {
  Metric m = metric::accuracy();
  m.state().update(scores, tensor({1, 0, 2, 0}));
  CHECK_THROWS_AS(m.state().update(scores, tensor({1, 0, 2})), ShapeError);
  CHECK_THROWS_WITH(m.state().update(scores, zeros({4, 2})),
                    Contains("[accuracy] shapes (4, 3) and (4, 2)") && Contains("class indices (4,)"));
  CHECK_THROWS_WITH(m.state().update(zeros({4, 1}), zeros({4})),
                    Contains("reshape the targets to (4, 1)"));  // never a broadcast
  CHECK_THROWS_AS(m.state().update(arange(4), arange(4)), DTypeError);
  CHECK(m.state().value() == 0.75);
  CHECK_THROWS_WITH(value(metric::mae(), zeros({4, 1}), zeros({4})),
                    Contains("[metric mae] shapes (4, 1) and (4,)"));
  CHECK_THROWS_AS(value(metric::mse(), zeros({4, 1}), zeros({4})), ShapeError);
}
