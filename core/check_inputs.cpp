#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <xgrad/core/check_inputs.hpp>

namespace xgrad::inline v0::detail {
namespace {

bool is_avoided(const SampleInput& in, double v) {
  return std::any_of(in.avoided.begin(), in.avoided.end(),
                     [&](double point) { return std::fabs(v - point) < in.margin; });
}

[[noreturn]] void throw_no_room(std::string_view op, const SampleInput& in) {
  throw ValueError(op, fmt::format("its sample leaves no values in [{}, {}]: widen the range or lower the "
                                   "margin around the avoided points",
                                   in.low, in.high));
}

double draw_value(std::string_view op, const SampleInput& in, CheckRandom& random) {
  for (int attempt = 0; attempt < 100'000; ++attempt) {
    const double v = random.uniform(in.low, in.high);
    if (!is_avoided(in, v)) return v;
  }
  throw_no_room(op, in);
}

/// Cells of a range in random order. A value near the middle of each keeps its distance to all others.
class Cells {
 public:
  Cells(std::int64_t values, CheckRandom& random) {
    for (std::int64_t i = 0; i < 2 * values; ++i) order_.push_back(static_cast<double>(i));
    for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.bits() % i]);
  }
  double draw(std::string_view op, const SampleInput& in, CheckRandom& random) {
    const double width = (in.high - in.low) / static_cast<double>(order_.size());
    while (next_ < order_.size()) {
      const double v = in.low + width * (order_[next_++] + random.uniform(0.25, 0.75));
      if (!is_avoided(in, v)) return v;
    }
    throw_no_room(op, in);
  }

 private:
  std::vector<double> order_;
  std::size_t next_ = 0;
};

Shape reversed(int rank) {
  Shape axes;
  for (int i = rank - 1; i >= 0; --i) axes.push_back(i);
  return axes;
}

/// What lies between the elements of a stepped view: a kernel that reads it gives a wrong result.
Scalar garbage(DType t) {
  if (is_floating(t)) return std::numeric_limits<double>::quiet_NaN();
  if (t == DType::int64) return std::int64_t{1} << 40;
  return 1;
}

Array filled_view(Array view, const Array& values) {
  view.copy_in(values);
  return view;
}

}  // namespace

std::vector<Array> draw_inputs(std::string_view op, const Sample& s, CheckRandom& random) {
  std::int64_t distinct = 0;
  for (const SampleInput& in : s.inputs())
    if (in.distinct) distinct += in.shape.numel();
  Cells cells(distinct, random);  // shared: values differ between inputs too, maximum(a, b) has no ties
  std::vector<Array> arrays;
  for (const SampleInput& in : s.inputs()) {
    const bool boolean = in.kind == SampleInput::Kind::boolean;
    std::vector<double> values;
    for (std::int64_t i = 0; i < in.shape.numel(); ++i) {
      if (in.kind == SampleInput::Kind::floating)
        values.push_back(in.distinct ? cells.draw(op, in, random) : draw_value(op, in, random));
      else
        values.push_back(std::floor(boolean ? random.uniform(0, 2) : random.uniform(in.low, in.high)));
    }
    const Array drawn = Array::from<double>(values, in.shape);
    if (in.kind == SampleInput::Kind::floating)
      arrays.push_back(drawn);
    else
      arrays.push_back(drawn.astype(boolean ? DType::bool_ : DType::int64));
  }
  return arrays;
}

Array draw_cotangent(const Array& like, CheckRandom& random) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < like.numel(); ++i) {
    const double magnitude = random.uniform(0.5, 1.5);
    values.push_back(random.bits() & 1 ? magnitude : -magnitude);
  }
  return Array::from<double>(values, like.shape()).astype(like.dtype());
}

Array laid_out(const Array& a, Layout layout) {
  const int rank = a.rank();
  if (rank == 0 || (layout == Layout::channels_last && rank != 4)) return a;
  Shape shape = a.shape();
  switch (layout) {
    case Layout::stepped:
      shape.back() = 2 * shape.back() + 1;
      return filled_view(
          Array::full(shape, garbage(a.dtype()), a.dtype()).slice(rank - 1, 1, a.shape().back(), 2), a);
    case Layout::flipped: {
      if (a.numel() == 0) return a;
      Array view = Array::empty(shape, a.dtype());
      for (int i = 0; i < rank; ++i) view = view.slice(i, shape[i] - 1, shape[i], -1);
      return filled_view(std::move(view), a);
    }
    case Layout::transposed:
      std::reverse(shape.begin(), shape.end());
      return filled_view(Array::empty(shape, a.dtype()).permute(reversed(rank)), a);
    case Layout::channels_last:
      return filled_view(
          Array::empty({shape[0], shape[2], shape[3], shape[1]}, a.dtype()).permute({0, 3, 1, 2}), a);
    case Layout::expanded:
      break;
  }
  return shape[0] == 0 ? a : a.slice(0, 0, 1).copy().broadcast_to(shape);
}

std::string difference(const Array& got, const Array& expected, const Tolerance& tolerance,
                       const std::vector<double>& spread) {
  if (!got.defined() || !expected.defined())
    return got.defined() == expected.defined() ? "" : "one of the two is undefined";
  if (got.shape() != expected.shape())
    return fmt::format("shape {}, expected {}", got.shape().str(), expected.shape().str());
  const bool exact = !is_floating(got.dtype());
  const std::vector<double> g = got.to_vector<double>(), e = expected.to_vector<double>();
  double largest = 0;
  for (double v : e)
    if (std::isfinite(v)) largest = std::max(largest, std::fabs(v));
  double worst = 0;
  std::string message;
  for (std::size_t i = 0; i < e.size(); ++i) {
    if (g[i] == e[i] || (std::isnan(g[i]) && std::isnan(e[i]))) continue;
    double allowed = 0;
    if (!exact)
      allowed = tolerance.relative * std::fabs(e[i]) + tolerance.absolute * largest +
                (spread.empty() ? 0 : tolerance.spread * spread[i]);
    const double error = std::fabs(g[i] - e[i]);
    if (error <= allowed) continue;
    const double excess = error / std::max(allowed, std::numeric_limits<double>::min());
    if (!message.empty() && excess <= worst) continue;
    worst = excess;
    message = fmt::format("{:.17g}, expected {:.17g} at {}: error {:.3g}, allowed {:.3g}", g[i], e[i],
                          element_name(expected.shape(), static_cast<std::int64_t>(i)), error, allowed);
  }
  return message;
}

std::string element_name(const Shape& s, std::int64_t i) {
  Shape index = s;
  for (int axis = s.rank() - 1; axis >= 0; --axis) {
    index[axis] = i % s[axis];
    i /= s[axis];
  }
  return index.str();
}

}  // namespace xgrad::inline v0::detail
