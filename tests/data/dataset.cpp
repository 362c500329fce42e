#include <xgrad/xtensor.hpp>

#include <algorithm>
#include <xgrad/data/dataset.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/shape.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;
using Catch::Matchers::Contains;

namespace {

using Doubles = std::vector<double>;

Doubles values(const Tensor& t) { return t.to_vector<double>(); }

data::Dataset ten() { return {arange(20).reshape({10, 2}), arange(10), arange(0.0, 1.0, 0.1)}; }

}  // namespace

TEST_CASE("a dataset is made of vectors, of nested vectors and of xtensor expressions") {
  const std::vector<std::vector<float>> rows{{1, 2}, {3, 4}, {5, 6}};
  const xt::xtensor<float, 2> targets{{1.f}, {2.f}, {3.f}};
  const data::Dataset d{data::rows(rows), tensor(targets * 2.f)};
  data::check("test", d);
  CHECK(d.size() == 3);
  CHECK(d.x.shape() == Shape{3, 2});
  CHECK(values(d.x) == Doubles{1, 2, 3, 4, 5, 6});
  CHECK(values(d.y) == Doubles{2, 4, 6});
}

TEST_CASE("rows of different lengths are a ShapeError that names the row") {
  const std::vector<std::vector<float>> ragged{{1, 2}, {3}};
  CHECK_THROWS_AS(data::rows(ragged), ShapeError);
  CHECK_THROWS_WITH(data::rows(ragged), Contains("row 1 has 1 values and row 0 has 2"));
}

TEST_CASE("x and y of different sizes are a ShapeError with both shapes") {
  const data::Dataset d{zeros({4, 2}), zeros({3, 1})};
  CHECK_THROWS_AS(data::check("fit", d), ShapeError);
  CHECK_THROWS_WITH(data::check("fit", d),
                    Contains("[fit] shapes (4, 2) and (3, 1): x has 4 samples and y has 3"));
  CHECK_THROWS_WITH(data::check("fit", {zeros({4, 2}), zeros({4}), zeros({4, 1})}),
                    Contains("give one weight for each sample, (4,)"));
}

TEST_CASE("a dataset without samples is a ValueError") {
  CHECK_THROWS_AS(data::check("fit", {}), ValueError);
  CHECK_THROWS_AS(data::check("fit", {zeros({0, 2}), zeros({0})}), ValueError);
  CHECK_THROWS_WITH(data::check("fit", {zeros({0, 2}), zeros({0})}),
                    Contains("(0, 2): there are no samples"));
}

TEST_CASE("split sets the last samples aside, counted as Keras does") {
  const auto [train, validation] = data::split(ten(), 0.25);  // Keras trains on floor(10 * 0.75)
  CHECK(train.size() == 7);
  CHECK(validation.size() == 3);
  CHECK(values(train.y) == Doubles{0, 1, 2, 3, 4, 5, 6});
  CHECK(values(validation.x) == Doubles{14, 15, 16, 17, 18, 19});
  CHECK(validation.sample_weight.to_vector<float>().front() == Approx(0.7));
}

TEST_CASE("a shuffled split has every sample once and keeps rows together") {
  const auto [train, validation] = data::split(ten(), 0.3, {.shuffle = true, .seed = 5});
  Doubles all = values(train.y);
  CHECK(all != Doubles{0, 1, 2, 3, 4, 5, 6});
  for (const double v : values(validation.y)) all.push_back(v);
  std::sort(all.begin(), all.end());
  CHECK(all == Doubles{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  for (std::int64_t i = 0; i < 3; ++i) CHECK(validation.x(i, 0).item() == 2 * validation.y(i).item());
}

TEST_CASE("a split that leaves a part empty is a ValueError") {
  CHECK_THROWS_AS(data::split(ten(), 0.0), ValueError);
  CHECK_THROWS_AS(data::split(ten(), 1.0), ValueError);
  CHECK_THROWS_WITH(data::split(ten(), 1.5), Contains("1.5 is not in (0, 1)"));
  CHECK_THROWS_WITH(data::split({zeros({1, 2}), zeros({1})}, 0.5),
                    Contains("leaves 0 of 1 samples to train on"));
}

TEST_CASE("slice and take refuse rows that are not there") {
  CHECK_THROWS_AS(data::slice(ten(), 8, 3), IndexError);
  const std::vector<std::int64_t> rows{1, 10};
  CHECK_THROWS_AS(data::take(ten(), rows), IndexError);
  CHECK_THROWS_WITH(data::take(ten(), rows), Contains("row 10 of 10 samples"));
}

TEST_CASE("Normalizer gives the training data mean 0 and variance 1 and shifts others alike") {
  const Tensor train = tensor({{1.0, 10.0, 7.0}, {2.0, 20.0, 7.0}, {6.0, 30.0, 7.0}}, {.dtype = float64});
  const data::Normalizer normalize(train);
  CHECK(values(normalize.mean()) == Doubles{3, 20, 7});
  // numpy: std([1, 2, 6]) and std([10, 20, 30])
  CHECK(normalize.std().to_vector<double>()[0] == Approx(2.160246899469287).epsilon(1e-14));
  CHECK(normalize.std().to_vector<double>()[1] == Approx(8.16496580927726).epsilon(1e-14));
  const Tensor x = normalize(train);
  for (std::int64_t j = 0; j < 2; ++j) {
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < 3; ++i) sum += x(i, j).item(), squares += x(i, j).item() * x(i, j).item();
    CHECK(sum == Approx(0).margin(1e-12));
    CHECK(squares / 3 == Approx(1).epsilon(1e-12));
  }
  CHECK(values(normalize(tensor({{3.0, 20.0, 8.0}}))) == Doubles{0, 0, 1});  // a constant feature has std 1
}

TEST_CASE("Normalizer over every axis takes images of uint8 to floating numbers") {
  const Tensor images = tensor({{{0, 255}, {255, 0}}, {{0, 0}, {255, 255}}}, {.dtype = uint8});
  const data::Normalizer normalize(images, {.axes = every_axis});
  CHECK(normalize.mean().item() == 127.5);
  const Tensor x = normalize(images);
  CHECK(x.dtype() == float32);
  CHECK(x.to_vector<float>() == std::vector<float>{-1, 1, 1, -1, -1, -1, 1, 1});
}

TEST_CASE("Normalizer refuses data of other features and bool") {
  const data::Normalizer normalize(ones({4, 3}));
  CHECK_THROWS_AS(normalize(ones({4, 2})), ShapeError);
  CHECK_THROWS_WITH(normalize(ones({4, 2})), Contains("(1, 3) and (4, 2)"));
  CHECK_THROWS_AS(data::Normalizer(zeros({4}, {.dtype = bool_})), DTypeError);
  CHECK_THROWS_AS(data::Normalizer(zeros({0, 3})), ValueError);
}
