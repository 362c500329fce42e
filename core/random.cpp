#include <fmt/core.h>

#include <atomic>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>
#include <xgrad/core/create.hpp>
#include <xgrad/core/random.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

namespace xgrad::inline v0 {
namespace {

std::atomic<std::uint64_t> process_seed{0};
std::atomic<std::uint64_t> seedings{1};  // calls of manual_seed, so that other threads notice
std::atomic<std::uint64_t> threads_seen{0};

struct ThreadGenerator {
  Generator generator{0};
  std::uint64_t seeding = 0;  // 0: this thread has no stream yet
};
constinit thread_local ThreadGenerator thread_generator{};

Generator& chosen(Generator* g) { return g != nullptr ? *g : default_generator(); }

/// An array of floating dtype, filled by `fill(draw, T* out, n)`.
template <class F>
Tensor floating_draw(std::string_view op, const Shape& shape, const TensorOptions& options, Generator* g,
                     F&& fill) {
  check_shape(op, shape);
  const DType dtype = options.dtype.value_or(default_dtype());
  return dispatch_floating(op, dtype, [&]<class T>() {
    Array a = detail::empty_for(op, shape, dtype);
    fill(chosen(g).reserve(words_for(a.numel(), dtype)), a.mutable_data<T>(), a.numel());
    return detail::make_tensor(std::move(a), options);
  });
}

/// floor(word / 2^64 * range): the upper half of a product.
std::uint64_t scaled(std::uint64_t word, std::uint64_t range) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(word) * range >> 64);
}

std::vector<std::uint64_t> draw_words(Generator* g, std::int64_t n) {
  std::vector<std::uint64_t> words(static_cast<std::size_t>(n));
  const RandomDraw draw = chosen(g).reserve(2 * n);
  kernels::fill_bits(draw.key, draw.offset, words.data(), n);
  return words;
}

/// Whether every integer in [low, last] has its own value in dtype t.
bool holds(DType t, std::int64_t low, std::int64_t last) {
  const auto within = [&](std::int64_t lo, std::int64_t hi) { return low >= lo && last <= hi; };
  switch (t) {
    case DType::float32:
      return within(-(std::int64_t{1} << 24), std::int64_t{1} << 24);
    case DType::float64:
      return within(-(std::int64_t{1} << 53), std::int64_t{1} << 53);
    case DType::int32:
      return within(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
    case DType::int64:
      return true;
    case DType::uint8:
      return within(0, 255);
    case DType::bool_:
      break;
  }
  return within(0, 1);
}

}  // namespace

void Generator::throw_negative(std::int64_t words) {
  throw ValueError("Generator::reserve", fmt::format("{} words: give a number that is 0 or more", words));
}

Generator& default_generator() {
  ThreadGenerator& t = thread_generator;
  const std::uint64_t seeding = seedings.load(std::memory_order_acquire);
  if (t.seeding != seeding) [[unlikely]] {
    const std::uint64_t stream =
        t.seeding != 0 ? t.generator.stream() : threads_seen.fetch_add(1, std::memory_order_relaxed);
    t.generator = Generator(process_seed.load(std::memory_order_relaxed), stream);
    t.seeding = seeding;
  }
  return t.generator;
}

void manual_seed(std::uint64_t seed) {
  process_seed.store(seed, std::memory_order_relaxed);
  seedings.fetch_add(1, std::memory_order_release);
}

Tensor rand(const Shape& shape, const TensorOptions& options, Generator* generator) {
  return floating_draw("rand", shape, options, generator, [](const RandomDraw& d, auto* out, std::int64_t n) {
    kernels::fill_uniform(d.key, d.offset, out, n);
  });
}

Tensor randn(const Shape& shape, const TensorOptions& options, Generator* generator) {
  return floating_draw(
      "randn", shape, options, generator,
      [](const RandomDraw& d, auto* out, std::int64_t n) { kernels::fill_normal(d.key, d.offset, out, n); });
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, const TensorOptions& options,
               Generator* generator) {
  check_shape("randint", shape);
  if (low >= high)
    throw ValueError(
        "randint",
        fmt::format("there is no integer in [{}, {}): give a low that is less than high", low, high));
  const DType dtype = options.dtype.value_or(DType::int64);
  detail::require_gradient_dtype("randint", dtype, options.requires_grad);
  if (!holds(dtype, low, high - 1))
    throw ValueError("randint", fmt::format("integers in [{}, {}) do not fit {}: give a wider .dtype", low,
                                            high, name(dtype)));
  Array a = detail::empty_for("randint", shape, dtype);
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const std::vector<std::uint64_t> words = draw_words(generator, a.numel());
  dispatch(dtype, [&]<class T>() {
    T* const out = a.mutable_data<T>();
    for (std::size_t i = 0; i < words.size(); ++i)
      out[i] = static_cast<T>(
          static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + scaled(words[i], range)));
  });
  return detail::make_tensor(std::move(a), options);
}

Tensor randperm(std::int64_t n, const TensorOptions& options, Generator* generator) {
  if (n < 0) throw ValueError("randperm", fmt::format("n is {}: give a number that is 0 or more", n));
  check_shape("randperm", {n});
  const DType dtype = options.dtype.value_or(DType::int64);
  detail::require_gradient_dtype("randperm", dtype, options.requires_grad);
  if (n > 0 && !holds(dtype, 0, n - 1))
    throw ValueError("randperm",
                     fmt::format("the numbers below {} do not fit {}: give a wider .dtype", n, name(dtype)));
  Array a = detail::empty_for("randperm", {n}, DType::int64);
  auto* const p = a.mutable_data<std::int64_t>();
  std::iota(p, p + n, std::int64_t{0});
  const std::vector<std::uint64_t> words = draw_words(generator, n);
  for (std::int64_t i = n - 1; i > 0; --i)
    std::swap(p[i], p[scaled(words[static_cast<std::size_t>(i)], static_cast<std::uint64_t>(i) + 1)]);
  return detail::make_tensor(a.astype(dtype), options);
}

Tensor bernoulli(double p, const Shape& shape, const TensorOptions& options, Generator* generator) {
  check_shape("bernoulli", shape);
  if (!(p >= 0 && p <= 1))
    throw ValueError("bernoulli", fmt::format("p is {}: a probability lies in [0, 1]: give one within", p));
  const DType dtype = options.dtype.value_or(default_dtype());
  detail::require_gradient_dtype("bernoulli", dtype, options.requires_grad);
  Array uniform = detail::empty_for("bernoulli", shape, DType::float32);
  const std::int64_t n = uniform.numel();
  const RandomDraw draw = chosen(generator).reserve(n);
  auto* const u = uniform.mutable_data<float>();
  kernels::fill_uniform(draw.key, draw.offset, u, n);
  Array a = detail::empty_for("bernoulli", shape, dtype);
  dispatch(dtype, [&]<class T>() {
    T* const out = a.mutable_data<T>();
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(u[i] < p);
  });
  return detail::make_tensor(std::move(a), options);
}

}  // namespace xgrad::inline v0
