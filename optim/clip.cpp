#include <fmt/core.h>

#include <algorithm>
#include <xgrad/core/map.hpp>
#include <xgrad/optim/clip.hpp>
#include <xgrad/optim/norm.hpp>

namespace xgrad::inline v0::optim {

namespace detail {
namespace {

constexpr std::int64_t norm_grain = 1 << 14;

template <class T>
double sum_of_squares(const T* x, std::int64_t n) {
  return kernels::vectorized([=](auto bytes) XGRAD_SIMD_LAMBDA {
    constexpr int width = bytes / 8, rows = 4;
    using Sum = simd::Pack<double, width>;
    Sum sums[rows] = {0, 0, 0, 0};
    std::int64_t i = 0;
    for (; i + rows * width <= n; i += rows * width) {
      for (int r = 0; r < rows; ++r) {
        const Sum v = simd::cast<double>(simd::Pack<T, width>::load(x + i + r * width));
        sums[r] += v * v;
      }
    }
    double total = sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < n; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return total;
  });
}

double sum_of_squares(const Vector& v, std::int64_t begin, std::int64_t end) {
  return v.dtype == DType::float32
             ? sum_of_squares(reinterpret_cast<const float*>(v.data) + begin, end - begin)
             : sum_of_squares(reinterpret_cast<const double*>(v.data) + begin, end - begin);
}

}  // namespace

double norm(std::span<const Vector> vectors) {
  double total = 0;
  thread_local std::vector<double> partial;  // kept, so that a training step allocates nothing
  for (const Vector& v : vectors) {
    if (v.size <= norm_grain) {
      total += sum_of_squares(v, 0, v.size);
      continue;
    }
    partial.assign(static_cast<std::size_t>((v.size + norm_grain - 1) / norm_grain), 0.0);
    kernels::parallel_for(v.size, norm_grain,
                          [&v, sums = partial.data()](std::int64_t begin, std::int64_t end) {
                            sums[begin / norm_grain] = sum_of_squares(v, begin, end);
                          });
    for (const double p : partial) total += p;
  }
  return std::sqrt(total);
}

double clip_factor(double norm, double limit) {
  const double factor = limit / (norm + 1e-6);
  return factor > 1 ? 1 : factor;  // a NaN stays one
}

}  // namespace detail

namespace {

void check_limit(std::string_view op, std::string_view what, double limit) {
  if (!(limit > 0))
    throw ValueError(op, fmt::format("{} = {} would stop all learning: give a positive value", what, limit));
}

/// The parameters that have gradients, each once.
std::vector<Tensor> with_gradients(std::string_view op, const ParameterList& parameters) {
  std::vector<Tensor> list;
  for (const auto& [name, tensor] : parameters) {
    if (!tensor.defined())
      throw ValueError(op, fmt::format("parameter \"{}\" is undefined: give it a value first", name));
    if (tensor.grad().defined()) list.push_back(tensor);
  }
  const auto before = [](const Tensor& a, const Tensor& b) { return a.impl() < b.impl(); };
  std::vector<Tensor> sorted = list;
  std::sort(sorted.begin(), sorted.end(), before);
  const auto same = [](const Tensor& a, const Tensor& b) { return a.impl() == b.impl(); };
  if (std::adjacent_find(sorted.begin(), sorted.end(), same) == sorted.end()) return list;
  std::vector<Tensor> once;
  for (const Tensor& t : list)
    if (std::none_of(once.begin(), once.end(), [&](const Tensor& o) { return same(o, t); }))
      once.push_back(t);
  return once;
}

}  // namespace

double clip_grad_norm(const ParameterList& parameters, double max_norm) {
  constexpr std::string_view op = "clip_grad_norm";
  check_limit(op, "max_norm", max_norm);
  const std::vector<Tensor> list = with_gradients(op, parameters);
  std::vector<Array> grads;
  std::vector<detail::Vector> vectors;
  for (const Tensor& t : list) {
    const Array g = t.grad().array();
    grads.push_back(g.is_dense() ? g : g.contiguous());
    vectors.push_back({grads.back().bytes(), g.numel(), g.dtype()});
  }
  const double norm = detail::norm(vectors);
  const double factor = detail::clip_factor(norm, max_norm);
  if (factor == 1) return norm;
  for (std::size_t k = 0; k < list.size(); ++k) {
    list[k].set_grad(Tensor(dispatch_floating(op, grads[k].dtype(), [&]<class T>() {
      return map_elements<T, T>(
          op, [f = static_cast<T>(factor)](auto g) { return f * g; }, grads[k]);
    })));
  }
  return norm;
}

void clip_grad_value(const ParameterList& parameters, double limit) {
  constexpr std::string_view op = "clip_grad_value";
  check_limit(op, "limit", limit);
  for (const Tensor& t : with_gradients(op, parameters)) {
    t.set_grad(Tensor(dispatch_floating(op, t.dtype(), [&]<class T>() {
      return map_elements<T, T>(
          op,
          [c = static_cast<T>(limit)](auto g) {
            using P = decltype(g);
            return min(P(c), max(P(-c), g));  // in this order a NaN stays one
          },
          t.grad().array());
    })));
  }
}

}  // namespace xgrad::inline v0::optim
