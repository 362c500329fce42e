#include <xgrad/core/xtensor.hpp>
#if __has_include(<xtensor/views/xview.hpp>)
#include <xtensor/core/xmath.hpp>
#include <xtensor/misc/xmanipulation.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>
#endif

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

Array counting(const Shape& shape) {
  std::vector<float> v(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i);
  return Array::from(std::span<const float>(v), shape);
}

/// x in its axes reversed, with the values of the row-major array of the same shape.
Array strided(const Array& x) {
  Shape back;
  for (int i = x.rank() - 1; i >= 0; --i) back.push_back(i);
  return x.permute(back).contiguous().permute(back);
}

}  // namespace

TEST_CASE("immediate reducers and eval of xarrays have the right type") {
  const xt::xarray<float> a = {{1, 2, 3}, {4, 5, 6}};
  const xt::xarray<float> s = xt::sum(a, {1}, xt::evaluation_strategy::immediate);
  CHECK(s == xt::xarray<float>({6, 15}));
  static_assert(std::is_same_v<std::decay_t<decltype(xt::eval(a + a))>, xt::xarray<float>>);
}

TEST_CASE("adapt reads arrays of any strides") {
  const Array x = counting({2, 3, 4});
  for (const Array& a : {x, strided(x), x.slice(2, 3, 4, -1).slice(2, 3, 4, -1)}) {
    const auto v = adapt<float>(a);
    CHECK(v.shape()[2] == 4);
    CHECK(v(1, 2, 3) == 23);
    CHECK(v(0, 1, 2) == 6);
    CHECK(xt::sum(v)() == 276);
  }
  CHECK(adapt<float>(x).data() == x.data<float>());
}

TEST_CASE("an adaptor keeps the memory alive") {
  auto v = adapt<float>(counting({100, 100}));
  const Array other = Array::full({100, 100}, 0, float32);
  CHECK(v(99, 99) == 9999);
}

TEST_CASE("adapt refuses another type") {
  CHECK_THROWS_WITH(adapt<double>(counting({2})),
                    "[adapt] an array of float32 is no float64: adapt<T>() takes the "
                    "type it holds, or convert with astype(float64)");
}

TEST_CASE("a tensor is made from any expression") {
  const xt::xarray<float> a = {{1, 2, 3}, {4, 5, 6}};
  const Tensor x = tensor(xt::transpose(a) * 2.f, {.requires_grad = true});
  CHECK(x.shape() == Shape{3, 2});
  CHECK(x.dtype() == float32);
  CHECK(x.requires_grad());
  CHECK(x.to_vector<float>() == std::vector<float>{2, 8, 4, 10, 6, 12});
  CHECK(tensor(a, {.dtype = float64}).dtype() == float64);
  CHECK(tensor(xt::greater(a, 2.f)).dtype() == xgrad::bool_);
  CHECK(tensor(xt::xarray<short>{1, 2}).dtype() == int32);
  CHECK(tensor(xt::xarray<unsigned>{1, 2}).dtype() == int64);
  CHECK(tensor(xt::xarray<std::size_t>{1, 2}).to_vector<int>() == std::vector<int>{1, 2});
  CHECK(tensor(xt::xarray<float>(3.f)).shape() == Shape{});
}

TEST_CASE("a moved container is adopted without a copy") {
  xt::xarray<double> a = {{1, 2}, {3, 4}};
  const double* const data = a.data();
  const Tensor x = tensor(std::move(a));
  CHECK(x.data<double>() == data);
  CHECK(x.to_vector<double>() == std::vector<double>{1, 2, 3, 4});

  xt::xtensor<std::int64_t, 1> b = {5, 6, 7};
  const std::int64_t* const ints = b.data();
  CHECK(tensor(std::move(b)).data<std::int64_t>() == ints);

  xt::xarray<float, xt::layout_type::column_major> c = {{1, 2, 3}, {4, 5, 6}};
  const float* const first = c.data();
  const Tensor y = tensor(std::move(c));
  CHECK(y.array().data<float>() == first);
  CHECK(y.to_vector<float>() == std::vector<float>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("writes reach the leaf, its views and its version") {
  const Array base = counting({2, 3});
  const Tensor leaf(base.permute({1, 0}));
  const auto version = leaf.array().version();
  {
    Writable<float> w(leaf);
    auto v = adapt(w);
    v(2, 1) = 50;
    xt::view(v, 0) = -1.f;
  }
  CHECK(leaf.to_vector<float>() == std::vector<float>{-1, -1, 1, 4, 2, 50});
  CHECK(base.to_vector<float>() == std::vector<float>{-1, 1, 2, -1, 4, 50});
  CHECK(leaf.array().version() > version);

  const Tensor row = ones({3});
  {
    Writable<float> w(row);
    CHECK(w.data() == row.data<float>());
    for (float& v : w.span()) v *= 4;
  }
  CHECK(row.to_vector<float>() == std::vector<float>{4, 4, 4});
}

TEST_CASE("writable access refuses what it must not write") {
  const Tensor x = ones({2});
  CHECK_THROWS_WITH(Writable<double>(x), Catch::Contains("holds float32, not float64"));
  CHECK_THROWS_AS(Writable<float>(Tensor(x.array().broadcast_to({3, 2}))), GraphError);
}

TEST_CASE("xt_forward evaluates one expression for every dtype and stride") {
  const Array x = counting({2, 3});
  for (const DType t : {float32, float64, int32, int64, uint8})
    for (const Array& a : {x.astype(t), strided(x.astype(t))}) {
      const Array y = xt_forward("flip", a, a.shape(), [](const auto& v) { return xt::flip(v, 1); });
      CHECK(y.dtype() == t);
      CHECK(y.to_vector<int>() == std::vector<int>{2, 1, 0, 5, 4, 3});
    }
  const Array total =
      xt_forward<Elements::floating>("sum", x, Shape{3}, [](const auto& v) { return xt::sum(v, {0}); });
  CHECK(total.dtype() == float32);
  CHECK(total.to_vector<float>() == std::vector<float>{3, 5, 7});
  const Array z =
      xt_forward("mix", x, x.slice(0, 0, 1), x.shape(), [](const auto& a, const auto& b) { return a + b; });
  CHECK(z.to_vector<int>() == std::vector<int>{0, 2, 4, 3, 5, 7});
  CHECK(xt_forward("flip", counting({0, 3}), {0, 3}, [](const auto& v) { return xt::flip(v, 1); }).numel() ==
        0);
  CHECK(xt_forward("neg", counting({}), {}, [](const auto& v) { return v + v; }).value<float>() == 0);
}

TEST_CASE("xt_forward refuses a wrong shape and mixed dtypes") {
  const Array x = counting({2, 3});
  const auto twice = [](const auto& a) { return a + a; };
  CHECK_THROWS_WITH(xt_forward("op", x, {3, 2}, twice),
                    "[op] the expression has shape (2, 3) and the result (3, 2): make them equal");
  CHECK_THROWS_WITH(
      xt_forward("op", x, x.astype(float64), {2, 3}, [](const auto& a, const auto& b) { return a + b; }),
      "[op] inputs of float32 and float64: convert them with astype to one dtype");
  CHECK_THROWS_AS(xt_forward<Elements::floating>("op", x.astype(int64), {2, 3}, twice), DTypeError);
}
