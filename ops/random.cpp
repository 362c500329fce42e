#include <fmt/core.h>

#include <algorithm>
#include <vector>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/kernels/map.hpp>
#include <xgrad/ops/kernels/parallel.hpp>
#include <xgrad/ops/random.hpp>

namespace xgrad::inline v0 {
namespace {

/// x · mask / (1 - p), the mask a function of (key, offset): element i in row-major order stays if the i-th
/// float of the draw is at least p.   dx = dy · mask / (1 - p)
struct Dropout {
  static constexpr std::string_view name = "dropout";
  static std::vector<Sample> samples() {
    const RandomDraw draw{{7, 3}, 11};
    return {sample(Dropout{0.5, draw}, {3, 4}), sample(Dropout{0.2, draw}, {2, 3, 5}),
            sample(Dropout{1.0, draw}, {3}), sample(Dropout{0.3, draw}, {3000})};
  }
  /// The whole mask at once.
  Array reference(const Array& x) const {
    std::vector<double> v = x.to_vector<double>();
    std::vector<float> u(v.size());
    kernels::fill_uniform(draw.key, draw.offset, u.data(), static_cast<std::int64_t>(u.size()));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = u[i] < static_cast<float>(p) ? 0 : v[i] / (1 - p);
    return Array::from<double>(v, x.shape());
  }

  Array forward(const Array& x) const {
    const Array in = x.contiguous();
    Array y = Array::empty(x.shape(), x.dtype());
    dispatch_floating(name, x.dtype(), [&]<class T>() {
      const T* from = in.data<T>();
      T* to = y.mutable_data<T>();
      kernels::parallel_for(y.numel(), 1 << 14, [&](std::int64_t b, std::int64_t e) {
        for (; b < e; b += block) run(from + b, to + b, b, std::min(block, e - b));
      });
    });
    return y;
  }
  Tensor vjp(const Tensor& dy) const { return record(*this, dy); }

  double p = 0.5;
  RandomDraw draw;

 private:
  static constexpr std::int64_t block = 1024;  // a multiple of the four words that one offset counts

  template <class T>
  void run(const T* from, T* to, std::int64_t begin, std::int64_t n) const {
    float u[block];
    kernels::fill_uniform(draw.key, draw.offset + static_cast<std::uint64_t>(begin / 4), u, n);
    const float limit = static_cast<float>(p);
    const T scale = p < 1 ? static_cast<T>(1 / (1 - p)) : T(0);
    kernels::map([limit, scale](auto x, auto r) XGRAD_SIMD_LAMBDA { return select(r < limit, 0, x * scale); },
                 n, to, from, static_cast<const float*>(u));
  }
};

}  // namespace

Tensor dropout(const Tensor& x, double p, Generator* generator) {
  detail::require_defined("dropout", x);
  if (!(p >= 0 && p <= 1))
    throw ValueError("dropout", fmt::format("p = {} is not a probability: give one in [0, 1]", p));
  detail::require_floating("dropout", x);
  if (p == 0) return x;
  Generator& g = generator != nullptr ? *generator : default_generator();
  return record(Dropout{p, g.reserve(x.numel())}, x);
}

}  // namespace xgrad::inline v0
