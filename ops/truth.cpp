#include <xgrad/core/map.hpp>
#include <xgrad/ops/kernels/search.hpp>
#include <xgrad/ops/reduction.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::reduce_in_order;
using detail::reduced_count;
using detail::reduced_shape;
using detail::reference_reduce;

/// f(x's elements), where bools are bytes.
template <class F>
void on_numbers(const Array& x, const F& f) {
  dispatch(x.dtype(), [&]<class T>() {
    using Number = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
    f(reinterpret_cast<const Number*>(x.data<T>()));
  });
}

/// How many elements are not 0, along the axes in `mask`.
Array nonzeros(const Array& x, unsigned mask, bool keepdims) {
  Array y = Array::empty(reduced_shape(x.shape(), mask, keepdims), DType::int64);
  const std::int64_t n = reduced_count(x.shape(), mask), kept = y.numel();
  if (kept == 0) return y;
  std::int64_t* const out = y.mutable_data<std::int64_t>();
  reduce_in_order(
      x, mask, n, kept, 16,
      [&](const Array& rows) {
        on_numbers(rows, [&](const auto* data) { kernels::count_rows(data, kept, n, out); });
      },
      [&](const Array& columns) {
        on_numbers(columns, [&](const auto* data) { kernels::count_columns(data, n, kept, out); });
      });
  return y;
}

/// Whether the condition, that elements are 0 or that they are not, holds for any along the axes in `mask`.
template <class F>
Array satisfied_by_any(const Array& x, unsigned mask, bool keepdims, const F& condition) {
  Array y = Array::empty(reduced_shape(x.shape(), mask, keepdims), DType::bool_);
  const std::int64_t n = reduced_count(x.shape(), mask), kept = y.numel();
  if (kept == 0) return y;
  bool* const out = y.mutable_data<bool>();
  const auto by_rows = [&](const Array& rows) {
    on_numbers(rows, [&](const auto* data) { kernels::any_rows(data, kept, n, out, condition); });
  };
  const auto by_columns = [&](const Array& columns) {
    const Array counts = nonzeros(columns.reshape({n, kept}), 1, false);
    const std::int64_t* const count = counts.data<std::int64_t>();
    const std::int64_t none = condition(0) ? n : 0;  // as many nonzeros as there are where it never holds
    for (std::int64_t j = 0; j < kept; ++j) out[j] = count[j] != none;
  };
  reduce_in_order(x, mask, n, kept, 16, by_rows, by_columns);
  return y;
}

template <class Op>
std::vector<Sample> truth_samples() {
  return {sample(Op{}, {3, 4}).booleans(0),
          sample(Op{.axes = {1}}, {3, 2}).integers(0, 0, 2),
          sample(Op{.axes = {0}, .keepdims = true}, {3, 2}).booleans(0),
          sample(Op{}, {}).booleans(0),
          sample(Op{}, {1}).booleans(0),
          sample(Op{.axes = {0}}, {0, 3}).booleans(0),
          sample(Op{.axes = {1}}, {2, 3, 2, 2}).booleans(0),
          sample(Op{.axes = {1}}, {601, 130}).booleans(0).large(),
          sample(Op{.axes = {0}}, {130, 1601}).booleans(0).large()};
}

struct Any {
  static constexpr std::string_view name = "any";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return truth_samples<Any>(); }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      bool found = false;
      for (double d : v) found = found || d != 0;
      return found;
    });
  }
  Array forward(const Array& x) const {
    return satisfied_by_any(x, axes.mask(name, x.shape()), keepdims, kernels::detail::IsNotZero());
  }

  Axes axes = {};
  bool keepdims = false;
};

struct All {
  static constexpr std::string_view name = "all";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return truth_samples<All>(); }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      bool every = true;
      for (double d : v) every = every && d != 0;
      return every;
    });
  }
  Array forward(const Array& x) const {
    const Array lacking =
        satisfied_by_any(x, axes.mask(name, x.shape()), keepdims, kernels::detail::IsZero());
    return map_to_bool(
        name, [](auto zero) { return zero == 0; }, lacking);
  }

  Axes axes = {};
  bool keepdims = false;
};

struct CountNonzero {
  static constexpr std::string_view name = "count_nonzero";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() {
    return {sample(CountNonzero{}, {3, 4}).booleans(0),
            sample(CountNonzero{.axes = {1}}, {3, 4}).integers(0, 0, 3),
            sample(CountNonzero{}, {}).booleans(0),
            sample(CountNonzero{}, {1}).booleans(0),
            sample(CountNonzero{.axes = {0}}, {0, 3}).booleans(0),
            sample(CountNonzero{.axes = {1}}, {2, 3, 2, 2}).booleans(0),
            sample(CountNonzero{}, {601, 130}).booleans(0).large(),
            sample(CountNonzero{.axes = {0}}, {130, 1601}).booleans(0).large()};
  }
  Array reference(const Array& x) const {
    return reference_reduce(x, axes, keepdims, [](std::span<const double> v) {
      int n = 0;
      for (double d : v) n += d != 0;
      return n;
    });
  }
  Array forward(const Array& x) const { return nonzeros(x, axes.mask(name, x.shape()), keepdims); }

  Axes axes = {};
  bool keepdims = false;
};

}  // namespace

Tensor any(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(Any{axes, options.keepdims}, x);
}
Tensor all(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(All{axes, options.keepdims}, x);
}
Tensor count_nonzero(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return record(CountNonzero{axes, options.keepdims}, x);
}

}  // namespace xgrad::inline v0
