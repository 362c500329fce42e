#include <fmt/format.h>

#include <xgrad/core/check_runs.hpp>

/// The checks of `check_op`: a table, one row per check: its name, when it is left out, how it runs. Whether
/// a row applies is read off the op's traits and samples before any check runs, so that a check that ought to
/// run and does not is noticed.
namespace xgrad::inline v0 {
namespace detail {
namespace {

template <Layout layout>
std::string check_layout(const Context& t, const Case& c) {
  return check_layout(t, c, layout);
}

template <Layout layout, int rank>
void run_layout(Context& t) {
  t.each(check_layout<layout>, has_rank<rank>);
  if (t.elementwise()) t.each_as({{2, 3, 4}}, check_layout<layout>);
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
  return any_twins(t) ? "" : "no two floating inputs of one shape and a common range";
}
std::string needs_large(const Context& t) {
  return t.elementwise() || !t.large_cases.empty() ? "" : "not elementwise, and no sample is marked large";
}
std::string never(const Context&) { return ""; }

struct CheckKind {
  std::string_view name;
  /// Why the op's traits do not call for it; empty if they do.
  std::string (*left_out)(const Context&);
  void (*run)(Context&);
};

template <std::string (*f)(const Context&, const Case&), bool (*applies)(const Case&), bool large = false>
void run_each(Context& t) {
  t.each(f, applies, large);
}

constexpr CheckKind check_kinds[] = {
    {"value", needs_reference, run_each<check_value, always, true>},
    {"first derivatives", needs_derivative, run_each<check_first, differentiable>},
    {"second derivatives", needs_derivative, run_each<check_second, differentiable>},
    {"vjp_kernel", needs_kernel, run_each<check_kernel, differentiable, true>},
    {"one gradient alone", needs_two_gradients, run_each<check_single_inputs, has_two_gradients>},
    {"one result alone", needs_two_results, run_each<check_single_results, has_two_results>},
    {"inputs untouched", never, run_each<check_untouched, always, true>},
    {"float32", needs_floating, run_each<check_float32, has_floating, true>},
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
    {"threads", needs_large, run_threads},
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
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::string name = fmt::format("sample {}:", i);
    for (const SampleInput& in : samples[i].inputs()) name.append(" ").append(in.shape.str());
    try {
      (samples[i].is_large() ? t.large_cases : t.cases)
          .push_back(make_case(t.op, samples[i], name, t.seed + i));
    } catch (const std::exception& e) {
      t.report.add({t.check, name, CheckRecord::Outcome::failed, std::string("threw ") + e.what()});
    }
  }
  if (t.cases.empty())
    t.record("", [] { return std::string("no sample but large ones, if any, can be run: add one"); });
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
  for (const std::string_view name : only)
    if (const auto names = check_names(); std::find(names.begin(), names.end(), name) == names.end())
      throw ValueError("check_op", fmt::format("\"{}\" is no check of {}: choose among {}", name, op.name,
                                               fmt::join(names, ", ")));
  CheckReport report(op.name);
  Context t{op, {}, {}, seed_of(op.name), report, {}};
  draw_cases(t);
  if (t.cases.empty()) return report;
  for (const CheckKind& kind : check_kinds) {
    if (!only.empty() && std::find(only.begin(), only.end(), kind.name) == only.end()) continue;
    t.check = kind.name;
    std::string reason = kind.left_out(t);
    if (!reason.empty()) {
      report.add({kind.name, "", CheckRecord::Outcome::left_out, std::move(reason)});
      continue;
    }
    if (kind.run == run_each<check_value, always, true> && !t.has_reference()) {
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
