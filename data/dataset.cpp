#include <fmt/core.h>

#include <cmath>
#include <xgrad/core/require.hpp>
#include <xgrad/data/dataset.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/ops/elementwise.hpp>

namespace xgrad::inline v0::data {

namespace {

void check_rows(std::string_view op, const Tensor& x, const Tensor& other, std::string_view name) {
  if (!other.defined()) return;
  if (other.rank() > 0 && other.size(0) == x.size(0)) return;
  throw ShapeError(op,
                   fmt::format("shapes {} and {}: x has {} samples and {} has {}: give {} one row for each "
                               "sample of x",
                               x.shape().str(), other.shape().str(), x.size(0), name,
                               other.rank() > 0 ? fmt::format("{}", other.size(0)) : "no axes", name));
}

/// The same of each member that is there.
template <class F>
Dataset map_members(const Dataset& d, F&& f) {
  const auto one = [&](const Tensor& t) { return t.defined() ? Tensor(f(t.array())) : Tensor(); };
  return {one(d.x), one(d.y), one(d.sample_weight)};
}

}  // namespace

namespace detail {
void throw_ragged_rows(std::size_t row, std::size_t have, std::size_t want) {
  throw ShapeError("rows", fmt::format("row {} has {} values and row 0 has {}: give all rows one length", row,
                                       have, want));
}
}  // namespace detail

void check(std::string_view op, const Dataset& d) {
  if (!d.x.defined()) throw ValueError(op, "x is undefined: give it samples, (N, …)");
  if (d.x.rank() == 0)
    throw ShapeError(op, "x has shape () and no axis of samples: give it one row for each sample, (N, …)");
  if (d.size() == 0)
    throw ValueError(
        op, fmt::format("x has shape {}: there are no samples: give at least one", d.x.shape().str()));
  check_rows(op, d.x, d.y, "y");
  check_rows(op, d.x, d.sample_weight, "sample_weight");
  if (d.sample_weight.defined() && d.sample_weight.rank() != 1)
    throw ShapeError(op, fmt::format("sample_weight has shape {}: give one weight for each sample, ({},)",
                                     d.sample_weight.shape().str(), d.size()));
}

Dataset slice(const Dataset& d, std::int64_t first, std::int64_t count) {
  check("slice", d);
  if (first < 0 || count < 0 || first > d.size() - count)
    throw IndexError("slice", fmt::format("rows {} to {} of {} samples: stay within 0 and {}", first,
                                          first + count, d.size(), d.size()));
  return map_members(d, [&](const Array& a) { return a.slice(0, first, count); });
}

Dataset take(const Dataset& d, std::span<const std::int64_t> indices) {
  check("take", d);
  for (const std::int64_t i : indices)
    if (i < 0 || i >= d.size())
      throw IndexError("take",
                       fmt::format("row {} of {} samples: stay within 0 and {}", i, d.size(), d.size() - 1));
  return map_members(d, [&](const Array& a) { return detail::gather_rows(a.contiguous(), indices); });
}

namespace {

/// How many samples are left to train on.
std::int64_t split_point(std::string_view op, std::int64_t samples, double share) {
  if (!(share > 0 && share < 1))
    throw ValueError(
        op, fmt::format("a validation split of {} is not in (0, 1): give the fraction of the samples that "
                        "is set aside, as 0.1",
                        share));
  const auto train = static_cast<std::int64_t>(std::floor(static_cast<double>(samples) * (1.0 - share)));
  if (train == 0 || train == samples)
    throw ValueError(
        op, fmt::format("a validation split of {} leaves {} of {} samples to train on: choose it so that "
                        "both parts have samples",
                        share, train, samples));
  return train;
}

}  // namespace

Split split_last(std::string_view op, const Dataset& d, double share) {
  check(op, d);
  const std::int64_t train = split_point(op, d.size(), share);
  return {slice(d, 0, train), slice(d, train, d.size() - train)};
}

Split split(const Dataset& d, double share, SplitOptions options) {
  if (!options.shuffle) return split_last("split", d, share);
  check("split", d);
  const auto train = static_cast<std::size_t>(split_point("split", d.size(), share));
  const Tensor order = random_order(d.size(), options.seed ? *options.seed : random_seed(), 0);
  const std::span<const std::int64_t> all(order.data<std::int64_t>(), static_cast<std::size_t>(d.size()));
  return {take(d, all.first(train)), take(d, all.subspan(train))};
}

Normalizer::Normalizer(const Tensor& train, const NormalizerOptions& options) {
  xgrad::detail::require_defined("Normalizer", train);
  const unsigned reduced = options.axes.mask("Normalizer", train.shape());
  if (train.numel() == 0)
    throw ValueError("Normalizer", fmt::format("shape {} has no elements to measure: give it samples",
                                               train.shape().str()));
  Shape order, result = train.shape();
  for (int i = 0; i < train.rank(); ++i)
    if ((reduced >> i & 1) != 0) order.push_back(i), result[i] = 1;
  for (int i = 0; i < train.rank(); ++i)
    if ((reduced >> i & 1) == 0) order.push_back(i);
  const Array a = train.array().permute(order).contiguous();
  const std::int64_t columns = result.numel(), count = a.numel() / columns;
  Array mean = Array::full(result, 0.0, float64), deviation = Array::full(result, 0.0, float64);
  auto* const m = mean.mutable_data<double>();
  auto* const s = deviation.mutable_data<double>();
  dispatch_numeric("Normalizer", a.dtype(), [&]<class T>() {
    const T* const v = a.data<T>();
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t j = 0; j < columns; ++j) m[j] += static_cast<double>(v[i * columns + j]);
    for (std::int64_t j = 0; j < columns; ++j) m[j] /= static_cast<double>(count);
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t j = 0; j < columns; ++j) {
        const double d = static_cast<double>(v[i * columns + j]) - m[j];
        s[j] += d * d;
      }
  });
  for (std::int64_t j = 0; j < columns; ++j) {
    s[j] = std::sqrt(s[j] / static_cast<double>(count));
    if (!std::isfinite(s[j]))
      throw ValueError("Normalizer",
                       fmt::format("shape {}: feature {} has a NaN or an infinite value: fill in "
                                   "what is missing first",
                                   train.shape().str(), j));
    if (s[j] == 0) s[j] = 1;
  }
  mean_ = Tensor(std::move(mean));
  std_ = Tensor(std::move(deviation));
}

Tensor Normalizer::operator()(const Tensor& x) const {
  xgrad::detail::require_defined("Normalizer", x);
  if (!broadcasts_to(mean_.shape(), x.shape()))
    throw ShapeError(
        "Normalizer",
        fmt::format("shapes {} and {}: the mean of the training data does not broadcast to x: give x the "
                    "training data's features",
                    mean_.shape().str(), x.shape().str()));
  const DType t = is_floating(x.dtype()) ? x.dtype() : default_dtype();
  const Tensor scale(reciprocal(std_).astype(t));
  return (x.astype(t) - mean_.astype(t)) * scale;
}

}  // namespace xgrad::inline v0::data
