#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <xgrad/core/check.hpp>
#include <xgrad/core/check_cases.hpp>
#include <xgrad/core/grad.hpp>

/// The checks of `check_op`: a table at the end, one row per check: its name, when it is left out, how it
/// runs. Whether a row applies is read off the op's traits and samples before any check runs, so that a check
/// that ought to run and does not is noticed.
namespace xgrad::inline v0 {
namespace detail {
namespace {

constexpr double eps64 = std::numeric_limits<double>::epsilon();
constexpr double eps32 = std::numeric_limits<float>::epsilon();
/// For the same computation in another order.
constexpr Tolerance reordered{.relative = 256 * eps64, .absolute = 16 * eps64};

struct Context {
  const OpInfo& op;
  std::vector<Case> cases;  // the op's own samples
  std::uint64_t seed;
  CheckReport& report;
  std::string_view check;  // the one that runs

  bool elementwise() const { return op.scalar_reference != nullptr; }
  bool has_reference() const { return elementwise() || op.array_reference != nullptr; }
  bool any(bool (*applies)(const Case&)) const { return std::any_of(cases.begin(), cases.end(), applies); }

  /// Runs `f`, which returns what is wrong, and records the outcome.
  template <class F>
  void record(const std::string& sample, F&& f) {
    std::string detail;
    try {
      detail = f();
    } catch (const std::exception& e) {
      detail = std::string("threw ") + e.what();
    }
    const auto outcome = detail.empty() ? CheckRecord::Outcome::passed : CheckRecord::Outcome::failed;
    report.add({check, sample, outcome, std::move(detail)});
  }
  void each(std::string (*f)(const Context&, const Case&), bool (*applies)(const Case&)) {
    for (const Case& c : cases)
      if (applies(c)) record(c.name, [&] { return f(*this, c); });
  }
  /// Runs `f` on each sample with these shapes instead; input i takes shape i, round and round.
  void each_as(const std::vector<Shape>& shapes, std::string (*f)(const Context&, const Case&)) {
    for (const Case& c : cases) {
      std::vector<Shape> own;
      for (std::size_t i = 0; i < c.x.size(); ++i) own.push_back(shapes[i % shapes.size()]);
      record(c.name, [&] { return f(*this, reshaped_case(op, c, own, seed)); });
    }
  }
};

std::vector<Tensor> tensors(const std::vector<Array>& arrays) {
  std::vector<Tensor> list;
  for (const Array& a : arrays) list.emplace_back(a);
  return list;
}

bool differentiable(const Case& c) { return c.differentiable_inputs() > 0 && c.floating_results() > 0; }
bool always(const Case&) { return true; }
int floating_inputs(const Case& c) {
  return static_cast<int>(
      std::count_if(c.x.begin(), c.x.end(), [](const Array& a) { return is_floating(a.dtype()); }));
}
bool has_floating(const Case& c) { return floating_inputs(c) > 0; }
bool has_two_floating(const Case& c) { return floating_inputs(c) > 1; }
bool has_two_gradients(const Case& c) { return c.differentiable_inputs() > 1; }
bool has_two_results(const Case& c) { return c.floating_results() > 1 && differentiable(c); }
/// Channels-last is an order of exactly four axes.
template <int rank>
bool has_rank(const Case& c) {
  return std::any_of(c.x.begin(), c.x.end(),
                     [](const Array& a) { return rank == 4 ? a.rank() == 4 : a.rank() >= rank; });
}
template <bool (*predicate)(const Shape&)>
bool has_input(const Case& c) {
  return std::any_of(c.x.begin(), c.x.end(), [](const Array& a) { return predicate(a.shape()); });
}

// ---- values and derivatives
// -------------------------------------------------------------------------------------

std::string check_value(const Context& t, const Case& c) {
  const std::vector<Array> expected = expected_results(t.op, c, c.x);
  const double eps = !c.results.empty() && c.results[0].dtype() == DType::float32
                         ? eps32
                         : eps64;  // int / int gives float32
  const Tolerance tolerance = t.elementwise() ? Tolerance{.relative = 32 * eps, .absolute = 4 * eps}
                                              : Tolerance{.relative = 64 * eps, .absolute = 64 * eps};
  return results_difference(c.results, expected, tolerance);
}

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
std::string check_first(const Context& t, const Case& c) { return check_order(t, c, 1); }
std::string check_second(const Context& t, const Case& c) { return check_order(t, c, 2); }

std::string check_kernel(const Context& t, const Case& c) {
  return run_difference(run_op(t.op, c, c.x, c.cotangents),
                        run_op(t.op, c, c.x, c.cotangents, {.recorded = true}), reordered);
}

/// Value and first derivatives: what an input of odd shape has to give.
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
                           recorded ? "recorded" : "unrecorded", d);
    }
  }
  return "";
}

/// a + b on float64, elementwise.
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
                         recorded ? "recorded" : "unrecorded", d);
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

// ---- dtypes
// -----------------------------------------------------------------------------------------------------

Array rounded(const Array& a) { return is_floating(a.dtype()) ? a.astype(DType::float32) : a; }
Array widened(const Array& a) { return is_floating(a.dtype()) ? a.astype(DType::float64) : a; }

std::vector<Array> each_of(const std::vector<Array>& arrays, Array (*f)(const Array&)) {
  std::vector<Array> list;
  for (const Array& a : arrays) list.push_back(a.defined() ? f(a) : a);
  return list;
}

/// With every floating element moved by a relative eps32, up or down.
std::vector<Array> jostled(const std::vector<Array>& arrays, CheckRandom& random) {
  std::vector<Array> list;
  for (const Array& a : arrays) {
    list.push_back(a);
    if (!a.defined() || !is_floating(a.dtype())) continue;
    std::vector<double> values = a.to_vector<double>();
    for (double& v : values) v *= 1 + (random.bits() & 1 ? eps32 : -eps32);
    list.back() = Array::from<double>(values, a.shape());
  }
  return list;
}

/// How far each element of `run` moves when the inputs are jostled: its conditioning, times eps32.
std::vector<std::vector<double>> spread_of(const Context& t, const Case& c, const std::vector<Array>& x,
                                           const std::vector<Array>& cotangents, const Run& run) {
  CheckRandom random(t.seed);
  std::vector<std::vector<double>> spread;
  for (int draw = 0; draw < 4; ++draw) {
    const Run moved = run_op(t.op, c, jostled(x, random), jostled(cotangents, random));
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
    if (!d.empty()) return fmt::format("{} ({} sweep)", d, recorded ? "recorded" : "unrecorded");
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

// ---- odd inputs
// -------------------------------------------------------------------------------------------------

void run_broadcast(Context& t) {
  const std::vector<Shape> shapes = {{2, 3, 4}, {3, 1}, {2, 1, 4}, {4}, {}};
  for (std::size_t turn = 0; turn < shapes.size(); ++turn) {
    std::vector<Shape> turned = shapes;
    std::rotate(turned.begin(), turned.begin() + static_cast<std::ptrdiff_t>(turn), turned.end());
    t.each_as(turned, check_basics);
  }
}

/// The op on arrays in `layout`, all of them and one at a time, against row-major ones.
std::string check_layout(const Context& t, const Case& c, Layout layout) {
  std::vector<Array> plain, odd, plain_w, odd_w;
  for (const Array& a : c.x) {
    odd.push_back(laid_out(a, layout));
    plain.push_back(odd.back().contiguous());
  }
  for (const Array& w : c.cotangents) {
    odd_w.push_back(w.defined() ? laid_out(w, layout) : w);
    plain_w.push_back(w.defined() ? odd_w.back().contiguous() : w);
  }
  for (bool recorded : {false, true}) {
    const Run expected = run_op(t.op, c, plain, plain_w, {.recorded = recorded});
    const auto compare = [&](const std::vector<Array>& x, const std::vector<Array>& w, std::string what) {
      const std::string d =
          run_difference(run_op(t.op, c, x, w, {.recorded = recorded}), expected, reordered);
      return d.empty() ? d : fmt::format("{} ({} sweep): {}", what, recorded ? "recorded" : "unrecorded", d);
    };
    std::string d = compare(odd, odd_w, "inputs and cotangents");
    if (d.empty()) d = compare(plain, odd_w, "cotangents");
    for (std::size_t i = 0; d.empty() && i < odd.size(); ++i) {
      std::vector<Array> one = plain;
      one[i] = odd[i];
      d = compare(one, plain_w, fmt::format("input {}", i));
    }
    if (!d.empty()) return d;
  }
  return "";
}

template <Layout layout>
std::string check_layout(const Context& t, const Case& c) {
  return check_layout(t, c, layout);
}

template <Layout layout, int rank>
void run_layout(Context& t) {
  t.each(check_layout<layout>, has_rank<rank>);
  if (t.elementwise()) t.each_as({{2, 3, 4}}, check_layout<layout>);
}

std::string check_channels_last(const Context& t, const Case& c) {
  if (t.elementwise()) {
    std::vector<Array> x;
    for (const Array& a : c.x) x.push_back(laid_out(a, Layout::channels_last));
    for (const Array& y : run_op(t.op, c, x, {}).results)
      if (!(y.strides() == x[0].strides()))
        return fmt::format(
            "inputs have strides {}, the result {}: elementwise results keep the order of axes",
            x[0].strides().str(), y.strides().str());
  }
  return check_layout(t, c, Layout::channels_last);
}

void run_channels_last(Context& t) {
  if (t.elementwise())
    t.each_as({{2, 3, 4, 5}}, check_channels_last);
  else
    t.each(check_channels_last, has_rank<4>);
}

bool is_scalar(const Shape& s) { return s.rank() == 0; }
bool is_single(const Shape& s) { return s.rank() > 0 && s.numel() == 1; }
bool is_empty(const Shape& s) { return s.numel() == 0; }

/// With the given shapes for elementwise ops; others have samples of their own with such inputs, or none.
template <bool (*predicate)(const Shape&)>
void run_odd_size(Context& t) {
  static const std::vector<Shape> shapes = [] {
    std::vector<Shape> fitting;
    for (const Shape& s : {Shape{}, Shape{1}, Shape{1, 1, 1}, Shape{0}, Shape{3, 0}})
      if (predicate(s)) fitting.push_back(s);
    return fitting;
  }();
  if (!t.elementwise()) {
    t.each(check_basics, has_input<predicate>);
    return;
  }
  for (const Shape& s : shapes) t.each_as({s}, check_basics);
}

std::string check_expanded_cotangent(const Context& t, const Case& c) {
  std::vector<Array> plain, odd;
  for (const Array& w : c.cotangents) {
    odd.push_back(w.defined() ? Array::full({}, 0.75, w.dtype()).broadcast_to(w.shape()) : w);
    plain.push_back(w.defined() ? odd.back().contiguous() : w);
  }
  for (bool recorded : {false, true}) {
    const std::string d = run_difference(run_op(t.op, c, c.x, odd, {.recorded = recorded}),
                                         run_op(t.op, c, c.x, plain, {.recorded = recorded}), reordered);
    if (!d.empty()) return fmt::format("{} sweep: {}", recorded ? "recorded" : "unrecorded", d);
  }
  return "";
}

// ---- the same tensor as two inputs
// ------------------------------------------------------------------------------

/// A sample whose inputs `first` and `second` may be one tensor.
struct Twin {
  const Case* from;
  Sample sample;
  std::size_t first, second;
};

std::vector<Twin> twins(const Context& t) {
  std::vector<Twin> list;
  for (const Case& c : t.cases) {
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      for (std::size_t j = i + 1; j < c.x.size(); ++j) {
        if (!is_floating(c.x[i].dtype()) || !is_floating(c.x[j].dtype())) continue;
        if (!t.elementwise() && !(c.x[i].shape() == c.x[j].shape())) continue;
        Twin twin{&c, c.sample, i, j};
        if (t.elementwise())
          for (SampleInput& in : twin.sample.inputs()) in.shape = {3, 4};
        SampleInput &a = twin.sample.inputs()[i], &b = twin.sample.inputs()[j];
        a.low = b.low = std::max(a.low, b.low);
        a.high = b.high = std::min(a.high, b.high);
        a.avoided.insert(a.avoided.end(), b.avoided.begin(), b.avoided.end());
        if (a.low < a.high) list.push_back(std::move(twin));
      }
    }
  }
  return list;
}

std::string check_twin(const Context& t, const Twin& twin) {
  const Case drawn = make_case(t.op, twin.sample, twin.from->name, t.seed);
  std::vector<Array> x = drawn.x;
  x[twin.second] = x[twin.first];
  if (t.has_reference()) {
    Case same = drawn;
    same.x = x;
    same.results = run_op(t.op, same, x, {}).results;
    const std::string d = check_value(t, same);
    if (!d.empty()) return d;
  }
  if (!t.op.differentiable || !drawn.differentiable_in(twin.first) || !drawn.differentiable_in(twin.second))
    return "";
  std::vector<Tensor> in = tensors(x), outputs, ws;
  in[twin.first].set_requires_grad(true);
  in[twin.second] = in[twin.first];
  const std::vector<Tensor> ys = t.op.apply(twin.sample, in);
  for (std::size_t k = 0; k < ys.size(); ++k) {
    if (!ys[k].requires_grad()) continue;
    outputs.push_back(ys[k]);
    ws.emplace_back(drawn.cotangents[k]);
  }
  if (outputs.empty()) return "";
  const Array got = grad(outputs, {in[twin.first]}, {.grad_outputs = ws})[0].array();
  const Run apart = run_op(t.op, drawn, x, drawn.cotangents);
  const std::string d = difference(got, sum_of(apart.grads[twin.first], apart.grads[twin.second]), reordered);
  return d.empty() ? d : fmt::format("the gradient against the sum of both inputs' gradients: {}", d);
}

void run_twins(Context& t) {
  for (const Twin& twin : twins(t))
    t.record(fmt::format("{}, inputs {} and {}", twin.from->name, twin.first, twin.second),
             [&] { return check_twin(t, twin); });
}

// ---- the table
// --------------------------------------------------------------------------------------------------

std::string needs_derivative(const Context& t) {
  return t.op.differentiable ? "" : "the op says differentiable = false";
}
std::string needs_reference(const Context& t) {
  return t.op.composed && !t.has_reference() ? "composed of ops, whose values are checked" : "";
}
std::string needs_kernel(const Context& t) {
  const std::string reason = needs_derivative(t);
  if (!reason.empty()) return reason;
  return t.op.has_vjp_kernel ? "" : "it has no vjp_kernel";
}
std::string needs_two_gradients(const Context& t) {
  const std::string reason = needs_derivative(t);
  return !reason.empty() || t.any(has_two_gradients) ? reason : "fewer than two differentiable inputs";
}
std::string needs_two_results(const Context& t) {
  const std::string reason = needs_derivative(t);
  return !reason.empty() || t.any(has_two_results) ? reason : "fewer than two floating results";
}
std::string needs_two_elementwise(const Context& t) {
  if (!t.elementwise()) return "not elementwise";
  return t.op.inputs > 1 ? "" : "one input";
}
std::string needs_two_floating(const Context& t) {
  const std::string reason = needs_two_elementwise(t);
  return !reason.empty() || t.any(has_two_floating) ? reason : "fewer than two floating inputs";
}
std::string needs_floating(const Context& t) { return t.any(has_floating) ? "" : "no floating input"; }
template <int rank>
std::string needs_rank(const Context& t) {
  if (t.elementwise() || t.any(has_rank<rank>)) return "";
  return fmt::format("not elementwise, and no sample has an input of rank {}", rank);
}
template <bool (*predicate)(const Shape&)>
std::string needs_size(const Context& t) {
  if (t.elementwise() || t.any(has_input<predicate>)) return "";
  return "not elementwise, and no sample has such an input";
}
std::string needs_twins(const Context& t) {
  return twins(t).empty() ? "no two floating inputs of one shape and a common range" : "";
}
std::string never(const Context&) { return ""; }

struct CheckKind {
  std::string_view name;
  /// Why the op's traits do not call for it; empty if they do.
  std::string (*left_out)(const Context&);
  void (*run)(Context&);
};

template <std::string (*f)(const Context&, const Case&), bool (*applies)(const Case&)>
void run_each(Context& t) {
  t.each(f, applies);
}

constexpr CheckKind check_kinds[] = {
    {"value", needs_reference, run_each<check_value, always>},
    {"first derivatives", needs_derivative, run_each<check_first, differentiable>},
    {"second derivatives", needs_derivative, run_each<check_second, differentiable>},
    {"vjp_kernel", needs_kernel, run_each<check_kernel, differentiable>},
    {"one gradient alone", needs_two_gradients, run_each<check_single_inputs, has_two_gradients>},
    {"one result alone", needs_two_results, run_each<check_single_results, has_two_results>},
    {"inputs untouched", never, run_each<check_untouched, always>},
    {"float32", needs_floating, run_each<check_float32, has_floating>},
    {"mixed dtypes", needs_two_floating, run_each<check_mixed, has_two_floating>},
    {"broadcast", needs_two_elementwise, run_broadcast},
    {"stepped", needs_rank<1>, run_layout<Layout::stepped, 1>},
    {"flipped", needs_rank<1>, run_layout<Layout::flipped, 1>},
    {"transposed", needs_rank<2>, run_layout<Layout::transposed, 2>},
    {"expanded", needs_rank<1>, run_layout<Layout::expanded, 1>},
    {"expanded cotangent", needs_derivative, run_each<check_expanded_cotangent, differentiable>},
    {"channels-last", needs_rank<4>, run_channels_last},
    {"0-d", needs_size<is_scalar>, run_odd_size<is_scalar>},
    {"size 1", needs_size<is_single>, run_odd_size<is_single>},
    {"empty", needs_size<is_empty>, run_odd_size<is_empty>},
    {"same tensor twice", needs_twins, run_twins},
};

std::uint64_t seed_of(std::string_view name) {  // FNV-1a
  std::uint64_t h = 0xcbf29ce484222325u;
  for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

/// The op's samples with values; one that fails is a failed record.
void draw_cases(Context& t) {
  t.check = "samples";
  const std::vector<Sample> samples = t.op.samples();
  if (samples.empty())
    t.record("", [] { return std::string("samples() returns none: nothing can be checked"); });
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::string name = fmt::format("sample {}:", i);
    for (const SampleInput& in : samples[i].inputs()) name.append(" ").append(in.shape.str());
    try {
      t.cases.push_back(make_case(t.op, samples[i], name, t.seed + i));
    } catch (const std::exception& e) {
      t.report.add({t.check, name, CheckRecord::Outcome::failed, std::string("threw ") + e.what()});
    }
  }
}

}  // namespace
}  // namespace detail

bool CheckReport::ok() const {
  return !records_.empty() && std::none_of(records_.begin(), records_.end(), [](const CheckRecord& r) {
    return r.outcome == CheckRecord::Outcome::failed;
  });
}

bool CheckReport::failed(std::string_view check) const {
  return std::any_of(records_.begin(), records_.end(), [&](const CheckRecord& r) {
    return r.check == check && r.outcome == CheckRecord::Outcome::failed;
  });
}

std::string CheckReport::str() const {
  std::string failures, reasons;
  int passed = 0, failed = 0;
  for (const CheckRecord& r : records_) {
    switch (r.outcome) {
      case CheckRecord::Outcome::passed:
        ++passed;
        break;
      case CheckRecord::Outcome::failed:
        ++failed;
        failures += fmt::format("  FAILED {} [{}] {}\n", r.check, r.sample, r.detail);
        break;
      case CheckRecord::Outcome::left_out:
        reasons += fmt::format("  left out {}: {}\n", r.check, r.detail);
        break;
    }
  }
  return fmt::format("{}: {} passed, {} failed\n{}{}", op_, passed, failed, failures, reasons);
}

std::vector<std::string_view> check_names() {
  std::vector<std::string_view> names;
  for (const detail::CheckKind& kind : detail::check_kinds) names.push_back(kind.name);
  return names;
}

CheckReport check_op(const OpInfo& op, const std::vector<std::string_view>& only) {
  using namespace detail;
  CheckReport report(op.name);
  Context t{op, {}, seed_of(op.name), report, {}};
  draw_cases(t);
  for (const CheckKind& kind : check_kinds) {
    if (!only.empty() && std::find(only.begin(), only.end(), kind.name) == only.end()) continue;
    t.check = kind.name;
    std::string reason = kind.left_out(t);
    if (!reason.empty()) {
      report.add({kind.name, "", CheckRecord::Outcome::left_out, std::move(reason)});
      continue;
    }
    if (kind.run == run_each<check_value, always> && !t.has_reference()) {
      report.add(
          {kind.name, "", CheckRecord::Outcome::failed,
           "the op has no reference: add `static long double reference(long double…)`, or one on Arrays"});
      continue;
    }
    const std::size_t before = report.records().size();
    kind.run(t);
    if (report.records().size() == before)
      report.add({kind.name, "", CheckRecord::Outcome::failed,
                  "the op's traits call for it, but it left no record of having run: no sample suits it"});
  }
  return report;
}

}  // namespace xgrad::inline v0
