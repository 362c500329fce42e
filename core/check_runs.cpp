#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <xgrad/core/check_runs.hpp>
#include <xgrad/core/grad.hpp>

namespace xgrad::inline v0::detail {
std::string check_value(const Context& t, const Case& c) {
  const std::vector<Array> expected = expected_results(t.op, c, c.x);
  const double eps = !c.results.empty() && c.results[0].dtype() == DType::float32
                         ? eps32
                         : eps64;  // int / int gives float32
  const Tolerance tolerance = t.elementwise() ? Tolerance{.relative = 32 * eps, .absolute = 4 * eps}
                                              : Tolerance{.relative = 64 * eps, .absolute = 64 * eps};
  return results_difference(c.results, expected, tolerance);
}

namespace {
std::string check_order(const Context& t, const Case& c, int order) {
  std::vector<bool> varied;
  for (std::size_t i = 0; i < c.x.size(); ++i) varied.push_back(c.differentiable_in(i));
  GradcheckOptions options;
  options.order = order;
  options.seed = t.seed;
  return run_gradcheck([&](std::span<const Tensor> in) { return t.op.apply(c.sample, in); }, tensors(c.x),
                       varied, options, order)
      .message;
}
}  // namespace
std::string check_first(const Context& t, const Case& c) { return check_order(t, c, 1); }
std::string check_second(const Context& t, const Case& c) { return check_order(t, c, 2); }

std::string check_kernel(const Context& t, const Case& c) {
  return run_difference(run_op(t.op, c, c.x, c.cotangents),
                        run_op(t.op, c, c.x, c.cotangents, {.recorded = true}), reordered);
}

std::string check_basics(const Context& t, const Case& c) {
  std::string detail = t.has_reference() ? check_value(t, c) : "";
  if (detail.empty() && t.op.differentiable && differentiable(c)) {
    detail = check_first(t, c);
    if (detail.empty()) detail = check_kernel(t, c);
  }
  return detail;
}

std::string check_single_inputs(const Context& t, const Case& c) {
  for (bool recorded : {false, true}) {
    const Run all = run_op(t.op, c, c.x, c.cotangents, {.recorded = recorded});
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      if (!c.differentiable_in(i)) continue;
      const Run one =
          run_op(t.op, c, c.x, c.cotangents, {.recorded = recorded, .only_input = static_cast<int>(i)});
      const std::string d = difference(one.grads[i], all.grads[i], reordered);
      if (!d.empty())
        return fmt::format("the gradient of input {} when no other is wanted ({} sweep): {}", i,
                           sweep_name(recorded), d);
    }
  }
  return "";
}

Array sum_of(const Array& a, const Array& b) {
  std::vector<double> values = a.to_vector<double>();
  const std::vector<double> more = b.to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += more[i];
  return Array::from<double>(values, a.shape());
}

std::string check_single_results(const Context& t, const Case& c) {
  for (bool recorded : {false, true}) {
    const Run all = run_op(t.op, c, c.x, c.cotangents, {.recorded = recorded});
    Run sum;
    sum.results = all.results;
    for (std::size_t k = 0; k < c.results.size(); ++k) {
      if (!c.cotangents[k].defined()) continue;
      const Run one =
          run_op(t.op, c, c.x, c.cotangents, {.recorded = recorded, .only_result = static_cast<int>(k)});
      if (sum.grads.empty()) {
        sum.grads = one.grads;
        continue;
      }
      for (std::size_t i = 0; i < c.x.size(); ++i)
        if (c.differentiable_in(i)) sum.grads[i] = sum_of(sum.grads[i], one.grads[i]);
    }
    const std::string d = run_difference(all, sum, reordered);
    if (!d.empty())
      return fmt::format("cotangents of the results one by one, and their sum ({} sweep): {}",
                         sweep_name(recorded), d);
  }
  return "";
}

std::string check_untouched(const Context& t, const Case& c) {
  std::vector<Array> before, cotangents;
  for (const Array& a : c.x) before.push_back(a.copy());
  for (const Array& w : c.cotangents) cotangents.push_back(w.defined() ? w.copy() : w);
  for (bool recorded : {false, true}) run_op(t.op, c, c.x, c.cotangents, {.recorded = recorded});
  for (std::size_t i = 0; i < before.size(); ++i)
    if (const std::string d = difference(c.x[i], before[i], {}); !d.empty())
      return fmt::format("input {} was written to: {}", i, d);
  for (std::size_t k = 0; k < cotangents.size(); ++k)
    if (const std::string d = difference(c.cotangents[k], cotangents[k], {}); !d.empty())
      return fmt::format("the cotangent of result {} was written to: {}", k, d);
  return "";
}

namespace {

Array rounded(const Array& a) { return is_floating(a.dtype()) ? a.astype(DType::float32) : a; }
Array widened(const Array& a) { return is_floating(a.dtype()) ? a.astype(DType::float64) : a; }

std::vector<Array> each_of(const std::vector<Array>& arrays, Array (*f)(const Array&)) {
  std::vector<Array> list;
  for (const Array& a : arrays) list.push_back(a.defined() ? f(a) : a);
  return list;
}

/// With every floating element moved by a relative eps32 up or down, or by an eighth of that, all of them up:
/// random signs cancel in long sums, in which rounding does not.
std::vector<Array> jostled(const std::vector<Array>& arrays, bool upwards, CheckRandom& random) {
  std::vector<Array> list;
  for (const Array& a : arrays) {
    list.push_back(a);
    if (!a.defined() || !is_floating(a.dtype())) continue;
    std::vector<double> values = a.to_vector<double>();
    for (double& v : values)
      v += upwards ? eps32 / 8 * std::fabs(v) : random.bits() & 1 ? eps32 * v : -eps32 * v;
    list.back() = Array::from<double>(values, a.shape());
  }
  return list;
}

/// How far each element of `run` moves when the inputs are jostled: its conditioning, times eps32.
std::vector<std::vector<double>> spread_of(const Context& t, const Case& c, const std::vector<Array>& x,
                                           const std::vector<Array>& cotangents, const Run& run) {
  CheckRandom random(t.seed);
  std::vector<std::vector<double>> spread;
  for (int draw = 0; draw < 5; ++draw) {
    const bool upwards = draw == 4;
    const Run moved = run_op(t.op, c, jostled(x, upwards, random), jostled(cotangents, upwards, random));
    std::size_t at = 0;
    const auto widen = [&](const std::vector<Array>& from, const std::vector<Array>& to) {
      for (std::size_t k = 0; k < from.size(); ++k, ++at) {
        if (at == spread.size())
          spread.emplace_back(from[k].defined() ? static_cast<std::size_t>(from[k].numel()) : 0, 0.0);
        if (!from[k].defined() || !is_floating(from[k].dtype())) continue;
        const std::vector<double> u = from[k].to_vector<double>(), v = to[k].to_vector<double>();
        for (std::size_t e = 0; e < u.size(); ++e)
          if (std::isfinite(u[e] - v[e])) spread[at][e] = std::max(spread[at][e], std::fabs(u[e] - v[e]));
      }
    };
    widen(run.results, moved.results);
    widen(run.grads, moved.grads);
  }
  return spread;
}

/// A result of float32 inputs is float32, unless an attribute of the op says what it is.
std::string narrow_difference(const Context& t, const Case& c, const Run& narrow) {
  for (std::size_t k = 0; k < narrow.results.size(); ++k)
    if (narrow.results[k].dtype() == DType::float64 && (t.elementwise() || c.sample.op() == nullptr))
      return fmt::format("result {} of float32 inputs is float64", k);
  for (std::size_t i = 0; i < c.x.size(); ++i)
    if (narrow.grads[i].defined() && narrow.grads[i].dtype() != DType::float32)
      return fmt::format("the gradient of float32 input {} is {}", i, name(narrow.grads[i].dtype()));
  return "";
}

}  // namespace

std::string check_float32(const Context& t, const Case& c) {
  const std::vector<Array> x32 = each_of(c.x, rounded), x64 = each_of(x32, widened);
  const std::vector<Array> w32 = each_of(c.cotangents, rounded), w64 = each_of(w32, widened);
  const Run wide = run_op(t.op, c, x64, w64);
  const auto spread = spread_of(t, c, x64, w64, wide);
  for (bool recorded : {false, true}) {
    const Run narrow = run_op(t.op, c, x32, w32, {.recorded = recorded});
    std::string d = narrow_difference(t, c, narrow);
    if (d.empty())
      d = run_difference(narrow, wide, {.relative = 16 * eps32, .absolute = eps32, .spread = 8}, spread);
    if (!d.empty()) return fmt::format("{} ({} sweep)", d, sweep_name(recorded));
  }
  return "";
}

std::string check_mixed(const Context& t, const Case& c) {
  const std::vector<Array> x = each_of(each_of(c.x, rounded), widened);
  const Run expected = run_op(t.op, c, x, c.cotangents);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!is_floating(x[i].dtype())) continue;
    std::vector<Array> mixed = x;
    mixed[i] = rounded(x[i]);
    for (bool recorded : {false, true}) {
      const Run got = run_op(t.op, c, mixed, c.cotangents, {.recorded = recorded});
      std::string d = results_difference(got.results, expected.results, reordered);
      for (std::size_t k = 0; d.empty() && k < x.size(); ++k) {
        const Array& g = got.grads[k];
        if (g.defined() && g.dtype() != mixed[k].dtype())
          d = fmt::format("the gradient of {} input {} is {}", name(mixed[k].dtype()), k, name(g.dtype()));
        else
          // A rule may compute a factor that depends on the float32 input alone in float32.
          d = difference(g, expected.grads[k], {.relative = 8 * eps32, .absolute = eps32});
      }
      if (!d.empty()) return fmt::format("input {} float32, the others float64: {}", i, d);
    }
  }
  return "";
}

}  // namespace xgrad::inline v0::detail
